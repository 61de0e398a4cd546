/// One or more values that cannot be decoded as their types.
struct InvalidJSON: Error {
    var fields: [Problem.Field]
}

/// Decodes one node of a parsed document.
///
/// A class, so that unknown keys can be reported after a type has been decoded. Its path in the document is computed
/// from its parents, only when there is an error.
final class JSONNodeDecoder: Decoder, SingleValueDecodingContainer {
    /// The step from its parent to a node.
    enum Step {
        /// The same node decoded as another type, or the whole document.
        case same
        case key(String)
        case index(Int)
    }

    let node: JSONNode
    /// Whether to refuse unknown keys and unnecessary nulls.
    let strict: Bool
    private let parent: JSONNodeDecoder?
    private let step: Step
    /// Whether the type requested anything; a type without properties does not.
    private var asked = false
    /// The number of keyed containers requested, and the members that none of their key types knows.
    private var keyedContainers = 0
    private var unknown: [String] = []

    init(_ node: JSONNode, strict: Bool, parent: JSONNodeDecoder? = nil, step: Step = .same) {
        self.node = node
        self.strict = strict
        self.parent = parent
        self.step = step
    }

    var userInfo: [CodingUserInfoKey: Any] { strict ? [.comesIn: true] : [:] }

    // MARK: The path

    var codingPath: [any CodingKey] {
        steps.compactMap { step in
            switch step {
            case .same: nil
            case .key(let key): WireKey(stringValue: key)
            case .index(let index): WireKey(intValue: index)
            }
        }
    }

    /// The JSON pointer of this node (RFC 6901): `/sessions/0/title`; empty for the whole document.
    var pointer: String { Self.pointer(of: steps) }

    static func pointer(of steps: [Step]) -> String {
        steps.reduce(into: "") { pointer, step in
            switch step {
            case .same: break
            case .key(let key): pointer += "/" + WireKey.escaped(key)
            case .index(let index): pointer += "/\(index)"
            }
        }
    }

    private var steps: [Step] {
        var steps: [Step] = []
        var place: JSONNodeDecoder? = self
        while let here = place {
            steps.append(here.step)
            place = here.parent
        }
        return steps.reversed()
    }

    func fault(_ detail: String) -> InvalidJSON {
        InvalidJSON(fields: [Problem.Field(pointer, detail)])
    }

    func fault(missing key: String) -> InvalidJSON {
        InvalidJSON(fields: [Problem.Field(pointer + "/" + WireKey.escaped(key), "is missing")])
    }

    // MARK: Reading a type

    /// Decodes a child node.
    func read<T: Decodable>(_ type: T.Type, from node: JSONNode, at step: Step) throws -> T {
        try JSONNodeDecoder(node, strict: strict, parent: self, step: step).read(type)
    }

    /// Decodes this node as a type, and turns errors into our own wording.
    func read<T: Decodable>(_ type: T.Type) throws -> T {
        if T.self == JSONValue.self, let value = try value() as? T { return value }
        switch node {
        case .string(let text):
            if let refusal = AllowedValues.refusal(of: text, type) { throw fault(refusal) }
        case .object(let members):
            if strict, let bounded = type as? any BoundedFields.Type { try check(members, bounded.bounds) }
        default: break
        }
        let result: T
        do {
            result = try T(from: self)
        } catch let invalid as InvalidJSON {
            // Only one keyed container was requested, so the unknown keys are final and can be reported in the same
            // response.
            guard strict, keyedContainers == 1, !unknown.isEmpty else { throw invalid }
            throw InvalidJSON(fields: invalid.fields + unknownFields)
        } catch let error as DecodingError {
            throw InvalidJSON(fields: [Self.field(error, reading: type, at: pointer)])
        } catch let error as InvalidText {
            throw fault(error.reason)
        }
        if !asked { try requireObject(keys: NoKey.self) }
        if !unknown.isEmpty { throw InvalidJSON(fields: unknownFields) }
        return result
    }

    /// Checks the bounds before any field is decoded.
    private func check(_ members: [JSONNode.Member], _ bounds: KeyValuePairs<String, FieldBound>) throws {
        let faults = bounds.compactMap { name, bound in
            members.first { $0.key.hasSameBytes(as: name) }.flatMap { bound.refusal(of: $0.value) }
                .map { Problem.Field("\(pointer)/\(name)", $0) }
        }
        if !faults.isEmpty { throw InvalidJSON(fields: faults) }
    }

    /// Any JSON value; a text that cannot be stored is refused here too.
    private func value() throws -> JSONValue {
        asked = true
        if strict { try check(node) }
        do {
            return try JSONValue(node)
        } catch {
            throw fault("has a number that is out of range")
        }
    }

    private func check(_ node: JSONNode) throws {
        switch node {
        case .string(let text): try check(text)
        case .array(let nodes): for node in nodes { try check(node) }
        case .object(let members):
            for member in members {
                try check(member.key)
                try check(member.value)
            }
        case .null, .bool, .integer, .decimal: break
        }
    }

    /// PostgreSQL cannot store U+0000, and none of our texts needs it.
    private func check(_ text: String) throws {
        if text.hasByte(0) { throw fault("has the character U+0000") }
        guard StreamSafe.accepts(text) else { throw fault(StreamSafe.refusal) }
    }

    private static func field(_ error: DecodingError, reading type: Any.Type, at pointer: String) -> Problem.Field {
        if let allowed = AllowedValues.of(type) {
            return Problem.Field(pointer, "must be one of \(allowed.joined(separator: ", "))")
        }
        let context: DecodingError.Context
        switch error {
        case .dataCorrupted(let inner), .typeMismatch(_, let inner), .valueNotFound(_, let inner),
            .keyNotFound(_, let inner):
            context = inner
        @unknown default: return Problem.Field(pointer, "is not valid")
        }
        // The standard library's message for an invalid raw value quotes the value.
        let detail = type is any RawRepresentable.Type ? "is not one of the allowed values" : context.debugDescription
        return Problem.Field(WireKey.pointer(context.codingPath), detail)
    }

    // MARK: Unknown keys

    /// Records the members that `Keys` does not know. A member known to any of several key types is known.
    func note<Keys: CodingKey>(_ members: [JSONNode.Member], askedBy keys: Keys.Type) {
        asked = true
        guard strict else { return }
        keyedContainers += 1
        if keyedContainers == 1 {
            for member in members where !WireKey.knows(member.key, keys) { unknown.append(member.key) }
        } else {
            unknown.removeAll { WireKey.knows($0, keys) }
        }
    }

    /// At most twenty: a response need not be as long as its request.
    private var unknownFields: [Problem.Field] {
        let pointer = pointer
        return unknown.prefix(20).map { key in
            Problem.Field(pointer + "/" + WireKey.escaped(key), "\(Shown.text(key)) is not a key of this object")
        }
    }

    /// The object's members, for a key type.
    @discardableResult
    func requireObject<Keys: CodingKey>(keys: Keys.Type) throws -> [JSONNode.Member] {
        guard case .object(let members) = node else { throw mismatch("an object") }
        note(members, askedBy: keys)
        return members
    }

    // MARK: Decoder

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(JSONKeyedContainer(self, try requireObject(keys: type)))
    }

    /// A nested container is not revisited, so its unknown keys are refused at once.
    func nested<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let container = try container(keyedBy: type)
        if !unknown.isEmpty { throw InvalidJSON(fields: unknownFields) }
        return container
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        asked = true
        guard case .array(let nodes) = node else { throw mismatch("an array") }
        return JSONUnkeyedContainer(decoder: self, nodes: nodes)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        asked = true
        return self
    }

    func mismatch(_ wanted: String) -> InvalidJSON {
        fault(node.isNull ? "must not be null" : "must be \(wanted)")
    }

    // MARK: Single values

    func decodeNil() -> Bool {
        asked = true
        return node.isNull
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let value) = node else { throw mismatch("true or false") }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let text) = node else { throw mismatch("a string") }
        if strict { try check(text) }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        switch node {
        case .integer(let value): return Double(value)
        case .decimal(let text):
            do { return try JSONNumber.double(text) } catch { throw fault("is out of range") }
        default: throw mismatch("a number")
        }
    }

    func decode(_ type: Float.Type) throws -> Float {
        let value = Float(try decode(Double.self))
        guard value.isFinite else { throw fault("is out of range") }
        return value
    }

    func decode(_ type: Int.Type) throws -> Int {
        if case .integer(let value) = node { return value }
        return try integer()
    }

    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try read(type, from: node, at: .same) }

    private func integer<T: FixedWidthInteger>() throws -> T {
        let value: T?
        switch node {
        case .integer(let small): value = T(exactly: small)
        case .decimal(let text):
            do {
                value = T(exactly: try JSONNumber.integer(text))
            } catch {
                throw fault(error == .fraction ? "must be an integer" : "is out of range")
            }
        default: throw mismatch("an integer")
        }
        guard let value else { throw fault("is out of range") }
        return value
    }
}

/// The allowed values of an enumeration of texts or numbers.
enum AllowedValues {
    /// Nil for a type without a list of values.
    static func of(_ type: Any.Type) -> [String]? {
        (type as? any (CaseIterable & RawRepresentable).Type).map { list($0) }
    }

    private static func list<E: CaseIterable & RawRepresentable>(_ type: E.Type) -> [String] {
        E.allCases.map { "\($0.rawValue)" }
    }

    /// Why a text cannot be a value of an enumeration, if that is clear without comparing it: ours are short and
    /// ASCII. Nil if it may be a value, and for every other type.
    static func refusal(of text: String, _ type: Any.Type) -> String? {
        guard !text.couldBeName, type is any RawRepresentable.Type else { return nil }
        return of(type).map { "must be one of \($0.joined(separator: ", "))" } ?? "is not one of the allowed values"
    }
}
