/// What is wrong with a parameter.
enum FlatFault: Error {
    /// The request cannot be understood: 400.
    case malformed(String)
    /// The parameter does not accept the value: 422.
    case invalid(name: String, detail: String)

    var problem: Problem {
        switch self {
        case .malformed(let detail): Problem(.malformed, detail)
        case .invalid(let name, let detail): .invalid(name, detail)
        }
    }

    static func stranger(_ name: String) -> FlatFault { .malformed("Unknown parameter: \(Shown.text(name)).") }

    /// The same fault as a 400.
    var malformed: FlatFault {
        switch self {
        case .malformed: self
        case .invalid(let name, let detail): .malformed("The parameter \"\(name)\" \(detail).")
        }
    }

    static func reading(_ error: DecodingError, as type: Any.Type, of name: String) -> FlatFault {
        if let allowed = AllowedValues.of(type) {
            return .invalid(name: name, detail: "must be one of \(allowed.joined(separator: ", "))")
        }
        guard case .dataCorrupted(let context) = error, !(type is any RawRepresentable.Type) else {
            return .invalid(name: name, detail: "is not valid")
        }
        return .invalid(name: name, detail: context.debugDescription)
    }
}

/// A name and the values given for it.
struct FlatValue {
    let name: String
    var texts: [String]
    /// Whether the decoded type has this parameter.
    var isKnown = false
}

/// Decodes names and texts. Only the top-level type has keys; each of its values is one text or an array of texts.
final class FlatDecoder: Decoder {
    /// A few, at most ``FlatCoding/mostPairs``: a linear search is faster than hashing. Names are short and ASCII.
    fileprivate var values: [FlatValue]

    init(_ values: [FlatValue]) {
        self.values = values
    }

    fileprivate func texts(_ name: String) -> [String]? { values.first { $0.name.hasSameBytes(as: name) }?.texts }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [.comesIn: true] }

    /// Throws for a value outside the type's bounds. Call it after the names were checked, so that there are few
    /// values.
    func checkBounds<T: Decodable>(of type: T.Type) throws(FlatFault) {
        guard let bounded = type as? any BoundedFields.Type else { return }
        for (name, bound) in bounded.bounds {
            guard let texts = texts(name) else { continue }
            var refusal = bound.refusal(ofCount: texts.count)
            if texts.count == 1, case .values = bound, FlatShape.isInteger(texts[0]) {
                refusal = bound.refusal(of: Int(texts[0]))
            }
            if let refusal { throw .invalid(name: name, detail: refusal) }
        }
    }

    /// Decodes the whole. An unknown name is a 400, even if a value is invalid too.
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let result = Result { try T(from: self) }
        // A type knows its names once it has asked for its container, whether or not a value is valid.
        try checkNames()
        return try result.get()
    }

    private func checkNames() throws(FlatFault) {
        if let stranger = values.lazy.filter({ !$0.isKnown }).map(\.name).min() {
            throw .stranger(stranger)
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        for index in values.indices where !values[index].isKnown && WireKey.knows(values[index].name, type) {
            values[index].isKnown = true
        }
        return KeyedDecodingContainer(FlatKeyedContainer(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw FlatShape.mismatch([]) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw FlatShape.mismatch([]) }
}

/// A type that cannot be a parameter is a programming error.
enum FlatShape {
    /// Whether a text is digits, with an optional minus sign.
    static func isInteger(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        return !digits.isEmpty && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    static func mismatch(_ path: [any CodingKey]) -> DecodingError {
        .dataCorrupted(.init(codingPath: path, debugDescription: "has a shape that no parameter can have"))
    }
}

private struct FlatKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: FlatDecoder

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { decoder.values.map(\.name).sorted().compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { decoder.texts(key.stringValue) != nil }
    func decodeNil(forKey key: Key) -> Bool { !contains(key) }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let name = key.stringValue
        // An array without values is empty, not missing.
        guard let texts = decoder.texts(name) ?? (type is any FlatArray.Type ? [] : nil) else {
            throw FlatFault.invalid(name: name, detail: "is missing")
        }
        do {
            return try FlatValueDecoder(name: name, texts: texts).decode(type)
        } catch let error as DecodingError {
            let fault = FlatFault.reading(error, as: type, of: name)
            // 400, like a forged cursor, which only its service can detect.
            guard type != Cursor.self else { throw fault.malformed }
            throw fault
        } catch let error as InvalidText {
            throw FlatFault.invalid(name: name, detail: error.reason)
        }
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> { throw FlatShape.mismatch([key]) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw FlatShape.mismatch([key])
    }

    func superDecoder() throws -> any Decoder { throw FlatShape.mismatch([]) }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw FlatShape.mismatch([key]) }
}

/// A parameter that may be repeated.
private protocol FlatArray {}
extension Array: FlatArray {}

/// Decodes one parameter.
private struct FlatValueDecoder: Decoder, SingleValueDecodingContainer {
    let name: String
    let texts: [String]

    var codingPath: [any CodingKey] { [WireKey(stringValue: name)] }
    var userInfo: [CodingUserInfoKey: Any] { [.comesIn: true] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw FlatShape.mismatch(codingPath)
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer { FlatElements(name: name, texts: texts) }
    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    private func text() throws(FlatFault) -> String {
        guard texts.count == 1, let text = texts.first else {
            throw .malformed("The parameter \"\(name)\" takes one value and is given several times.")
        }
        guard !text.hasByte(0) else { throw .invalid(name: name, detail: "has the character U+0000") }
        guard StreamSafe.accepts(text) else { throw .invalid(name: name, detail: StreamSafe.refusal) }
        return text
    }

    private func fault(_ detail: String) -> FlatFault { .invalid(name: name, detail: detail) }

    private func integer<T: FixedWidthInteger>() throws(FlatFault) -> T {
        let text = try text()
        guard FlatShape.isInteger(text) else { throw fault("must be an integer") }
        guard let value = T(text) else { throw fault("is out of range") }
        return value
    }

    func decodeNil() -> Bool { false }
    func decode(_ type: String.Type) throws -> String { try text() }
    func decode(_ type: Int.Type) throws -> Int { try integer() }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }

    func decode(_ type: Bool.Type) throws -> Bool {
        let text = try text()
        if text.hasSameBytes(as: "true") { return true }
        if text.hasSameBytes(as: "false") { return false }
        throw fault("must be true or false")
    }

    func decode(_ type: Double.Type) throws -> Double {
        // The same syntax as in a body: no hexadecimal, no infinity.
        guard case .integer(let value) = try? JSONParser.parse(Array(try text().utf8), within: .request) else {
            guard case .decimal(let text) = try? JSONParser.parse(Array(try text().utf8), within: .request) else {
                throw fault("must be a number")
            }
            do { return try JSONNumber.double(text) } catch { throw fault("is out of range") }
        }
        return Double(value)
    }

    func decode(_ type: Float.Type) throws -> Float {
        let value = Float(try decode(Double.self))
        guard value.isFinite else { throw fault("is out of range") }
        return value
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if texts.count == 1, let text = texts.first, let refusal = AllowedValues.refusal(of: text, type) {
            throw fault(refusal)
        }
        return try T(from: self)
    }
}

/// The elements of a repeated parameter.
private struct FlatElements: UnkeyedDecodingContainer {
    let name: String
    let texts: [String]
    var currentIndex = 0

    init(name: String, texts: [String]) {
        self.name = name
        self.texts = texts
    }

    var codingPath: [any CodingKey] { [WireKey(stringValue: name)] }
    var count: Int? { texts.count }
    var isAtEnd: Bool { currentIndex >= texts.count }

    mutating func decodeNil() -> Bool { false }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard currentIndex < texts.count else { throw FlatFault.invalid(name: name, detail: "has too few values") }
        defer { currentIndex += 1 }
        do {
            return try FlatValueDecoder(name: name, texts: [texts[currentIndex]]).decode(type)
        } catch let error as DecodingError {
            throw FlatFault.reading(error, as: type, of: name)
        }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> { throw FlatShape.mismatch(codingPath) }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw FlatShape.mismatch(codingPath)
    }

    mutating func superDecoder() throws -> any Decoder { throw FlatShape.mismatch(codingPath) }
}
