/// A type for which `null` is a value.
protocol Nullable {}
extension Optional: Nullable {}
extension JSONValue: Nullable {}

/// The members of one object, decoded by the keys of one type.
struct JSONKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let decoder: JSONNodeDecoder
    private let members: [JSONNode.Member]
    /// The index of each key, for objects too large for a linear search.
    private let places: [ByteKey: Int]?

    init(_ decoder: JSONNodeDecoder, _ members: [JSONNode.Member]) {
        self.decoder = decoder
        self.members = members
        places =
            members.count <= 16
            ? nil
            : Dictionary(
                members.indices.map { (ByteKey(members[$0].key), $0) }, uniquingKeysWith: { first, _ in first })
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { members.compactMap { $0.key.couldBeName || !decoder.strict ? Key(stringValue: $0.key) : nil } }

    private func find(_ key: Key) -> JSONNode? {
        let name = key.stringValue
        let index = places.map { $0[ByteKey(name)] } ?? members.firstIndex { $0.key.hasSameBytes(as: name) }
        return index.map { members[$0].value }
    }

    private func child(_ key: Key) throws -> JSONNodeDecoder {
        guard let node = find(key) else { throw decoder.fault(missing: key.stringValue) }
        return JSONNodeDecoder(node, strict: decoder.strict, parent: decoder, step: .key(key.stringValue))
    }

    /// The decoder of an optional member. Strict decoding refuses `null`; lenient decoding treats it as absent.
    private func childIfPresent(_ key: Key, nullable: Bool = false) throws -> JSONNodeDecoder? {
        guard let node = find(key) else { return nil }
        let child = JSONNodeDecoder(node, strict: decoder.strict, parent: decoder, step: .key(key.stringValue))
        if node.isNull, !nullable {
            guard decoder.strict else { return nil }
            throw child.fault("must not be null: leave it out")
        }
        return child
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try child(key).decodeNil() }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try child(key).decode(type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try child(key).decode(type) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try child(key).decode(type) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try child(key).decode(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try child(key).decode(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try child(key).decode(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try child(key).decode(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try child(key).decode(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try child(key).decode(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try child(key).decode(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try child(key).decode(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try child(key).decode(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try child(key).decode(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try child(key).decode(type) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try child(key).read(type) }

    // The standard library's versions would treat `null` as absent.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
        try childIfPresent(key)?.decode(type)
    }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
        try childIfPresent(key)?.decode(type)
    }

    /// `T??` distinguishes absent from null: there, `T` is itself an optional, for which null is a value.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let node = find(key) else { return nil }
        let nullable = node.isNull && type is any Nullable.Type && (decoder.strict || type != JSONValue.self)
        return try childIfPresent(key, nullable: nullable)?.read(type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try child(key).nested(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try child(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { decoder }
    func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }
}

/// The elements of one array.
struct JSONUnkeyedContainer: UnkeyedDecodingContainer {
    let decoder: JSONNodeDecoder
    let nodes: [JSONNode]
    var currentIndex = 0

    init(decoder: JSONNodeDecoder, nodes: [JSONNode]) {
        self.decoder = decoder
        self.nodes = nodes
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { nodes.count }
    var isAtEnd: Bool { currentIndex >= nodes.count }

    private func child() throws -> JSONNodeDecoder {
        guard currentIndex < nodes.count else { throw decoder.fault("has too few elements") }
        return JSONNodeDecoder(
            nodes[currentIndex], strict: decoder.strict, parent: decoder, step: .index(currentIndex))
    }

    mutating func decodeNil() throws -> Bool {
        guard try child().decodeNil() else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let value = try child().read(type)
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        let container = try child().nested(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try child().unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try child()
        currentIndex += 1
        return decoder
    }
}
