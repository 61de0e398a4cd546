/// What a type requested while it was decoded.
enum SchemaShape {
    /// The properties by name, and which of them are required.
    case object(properties: [String: JSONValue], required: Set<String>)
    /// A single value.
    case single(JSONValue)
}

/// A decoder without data: it records each key, type and optional that a type requests, and returns samples.
final class SchemaProbe: Decoder {
    fileprivate let book: SchemaBook
    private let subject: Any.Type
    fileprivate var properties: [String: JSONValue] = [:]
    fileprivate var required: Set<String> = []
    fileprivate var optional: Set<String> = []
    fileprivate var single: JSONValue?

    init(_ subject: Any.Type, book: SchemaBook) {
        self.subject = subject
        self.book = book
    }

    var shape: SchemaShape { single.map { .single($0) } ?? .object(properties: properties, required: required) }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    fileprivate func refusal(_ what: String) -> OpenAPI.Underivable {
        OpenAPI.Underivable("\(String(reflecting: subject)) asks for \(what)")
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(ProbeKeyedContainer(probe: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw refusal("an array without a type") }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { ProbeSingleContainer(probe: self) }
}

private struct ProbeKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let probe: SchemaProbe

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    /// A type that asks whether a key is present or null can do without it, as `decodeIfPresent` in the standard
    /// library does.
    func contains(_ key: Key) -> Bool {
        probe.optional.insert(key.stringValue)
        return true
    }

    func decodeNil(forKey key: Key) -> Bool {
        probe.optional.insert(key.stringValue)
        return false
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let name = key.stringValue
        probe.properties[name] = try probe.book.schema(of: type)
        if !probe.optional.contains(name) { probe.required.insert(name) }
        return try probe.book.sample(of: type)
    }

    /// Needs no sample, so a type may have an optional property of its own type.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        probe.properties[key.stringValue] = try probe.book.schema(of: type)
        return nil
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> { throw probe.refusal("a nested container") }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw probe.refusal("a nested container")
    }

    func superDecoder() throws -> any Decoder { throw probe.refusal("a decoder of a superclass") }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw probe.refusal("a decoder of a superclass") }
}

private struct ProbeSingleContainer: SingleValueDecodingContainer {
    let probe: SchemaProbe

    var codingPath: [any CodingKey] { [] }
    func decodeNil() -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if probe.single == nil { probe.single = try probe.book.schema(of: type) }
        return try probe.book.sample(of: type)
    }
}
