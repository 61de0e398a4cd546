/// Encodes a keyed type as names and texts.
final class FlatEncoder: Encoder {
    fileprivate var values: [String: [String]] = [:]
    /// The parameter being encoded; nil at the top level.
    private let name: String?
    /// Whether it is an element of an array, which cannot contain another array.
    private let isElement: Bool

    private init(name: String?, isElement: Bool = false) {
        self.name = name
        self.isElement = isElement
    }

    /// Absent values have no entry; arrays have one text per element.
    static func values(of value: some Encodable) throws -> [String: [String]] {
        let encoder = FlatEncoder(name: nil)
        try value.encode(to: encoder)
        return encoder.values
    }

    /// The texts of one value.
    fileprivate static func texts(
        of value: some Encodable, named name: String, isElement: Bool = false
    ) throws -> [String] {
        let encoder = FlatEncoder(name: name, isElement: isElement)
        try value.encode(to: encoder)
        return encoder.values[name] ?? []
    }

    var codingPath: [any CodingKey] { name.map { [WireKey(stringValue: $0)] } ?? [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(FlatKeyedEncoding<Key>(encoder: self, nested: name != nil))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        FlatUnkeyedEncoding(encoder: self, name: isElement ? nil : name)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { FlatSingleEncoding(encoder: self, name: name) }

    /// An encoder that refuses everything, for values that cannot be a parameter.
    fileprivate func refusing() -> FlatEncoder { FlatEncoder(name: nil) }
}

private func refusal(_ value: Any) -> EncodingError {
    .invalidValue(value, .init(codingPath: [], debugDescription: "has a shape that no parameter can have"))
}

private struct FlatKeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: FlatEncoder
    let nested: Bool

    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encodeNil(forKey key: Key) {}

    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        guard !nested else { throw refusal(value) }
        let texts = try FlatEncoder.texts(of: value, named: key.stringValue)
        if !texts.isEmpty { encoder.values[key.stringValue] = texts }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        KeyedEncodingContainer(FlatKeyedEncoding<NestedKey>(encoder: encoder.refusing(), nested: true))
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        FlatUnkeyedEncoding(encoder: encoder, name: nested ? nil : key.stringValue)
    }

    mutating func superEncoder() -> any Encoder { encoder.refusing() }
    mutating func superEncoder(forKey key: Key) -> any Encoder { encoder.refusing() }
}

private struct FlatUnkeyedEncoding: UnkeyedEncodingContainer {
    let encoder: FlatEncoder
    let name: String?

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { name.flatMap { encoder.values[$0]?.count } ?? 0 }

    mutating func encodeNil() throws { throw refusal("null in an array") }

    mutating func encode<T: Encodable>(_ value: T) throws {
        guard let name else { throw refusal(value) }
        let texts = try FlatEncoder.texts(of: value, named: name, isElement: true)
        guard texts.count == 1 else { throw refusal(value) }
        encoder.values[name, default: []] += texts
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        KeyedEncodingContainer(FlatKeyedEncoding<NestedKey>(encoder: encoder.refusing(), nested: true))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        FlatUnkeyedEncoding(encoder: encoder.refusing(), name: nil)
    }

    mutating func superEncoder() -> any Encoder { encoder.refusing() }
}

private struct FlatSingleEncoding: SingleValueEncodingContainer {
    let encoder: FlatEncoder
    let name: String?

    var codingPath: [any CodingKey] { encoder.codingPath }

    private func write(_ text: String) throws {
        guard let name else { throw refusal(text) }
        encoder.values[name] = [text]
    }

    mutating func encodeNil() {}
    mutating func encode(_ value: String) throws { try write(value) }
    mutating func encode(_ value: Bool) throws { try write("\(value)") }
    mutating func encode(_ value: Double) throws { try write("\(value)") }
    mutating func encode(_ value: Float) throws { try write("\(value)") }
    mutating func encode(_ value: Int) throws { try write("\(value)") }
    mutating func encode(_ value: Int8) throws { try write("\(value)") }
    mutating func encode(_ value: Int16) throws { try write("\(value)") }
    mutating func encode(_ value: Int32) throws { try write("\(value)") }
    mutating func encode(_ value: Int64) throws { try write("\(value)") }
    mutating func encode(_ value: UInt) throws { try write("\(value)") }
    mutating func encode(_ value: UInt8) throws { try write("\(value)") }
    mutating func encode(_ value: UInt16) throws { try write("\(value)") }
    mutating func encode(_ value: UInt32) throws { try write("\(value)") }
    mutating func encode(_ value: UInt64) throws { try write("\(value)") }
    mutating func encode<T: Encodable>(_ value: T) throws { try value.encode(to: encoder) }
}
