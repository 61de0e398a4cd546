/// Decodes one value: a scalar, or an array.
struct CellDecoder: Decoder {
    let cell: Cell
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw PostgresError(
            .decoding, column: cell.name,
            message: "column \"\(cell.name)\": \(PostgresType(rawValue: cell.type)) has no keys; use json or jsonb")
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        ElementsContainer(elements: try cell.elements(), name: cell.name)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        CellContainer(cell: cell)
    }
}

private struct CellContainer: SingleValueDecodingContainer {
    let cell: Cell
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { cell.isNull }
    func decode(_: Bool.Type) throws -> Bool { try cell.scalar(Bool.self) }
    func decode(_: String.Type) throws -> String { try cell.string() }
    func decode(_: Double.Type) throws -> Double { try cell.scalar(Double.self) }
    func decode(_: Float.Type) throws -> Float { Float(try cell.scalar(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try cell.integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try cell.integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try cell.integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try cell.integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try cell.integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try cell.integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try cell.integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try cell.integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try cell.integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try cell.integer(type) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try cell.decode(type) }
}

private struct ElementsContainer: UnkeyedDecodingContainer {
    let elements: [Cell?]
    let name: String
    var currentIndex = 0

    init(elements: [Cell?], name: String) {
        self.elements = elements
        self.name = name
    }

    var codingPath: [any CodingKey] { [] }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    private mutating func next() throws(PostgresError) -> Cell {
        guard currentIndex < elements.count else {
            throw PostgresError(.decoding, column: name, message: "column \"\(name)\": the array has no more elements")
        }
        guard let cell = elements[currentIndex] else {
            throw PostgresError(.decoding, column: name, message: "column \"\(name)\": NULL in the array")
        }
        currentIndex += 1
        return cell
    }

    mutating func decodeNil() throws -> Bool {
        guard currentIndex < elements.count, elements[currentIndex] == nil else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode(_: Bool.Type) throws -> Bool { try next().scalar(Bool.self) }
    mutating func decode(_: String.Type) throws -> String { try next().string() }
    mutating func decode(_: Double.Type) throws -> Double { try next().scalar(Double.self) }
    mutating func decode(_: Float.Type) throws -> Float { Float(try next().scalar(Double.self)) }
    mutating func decode(_ type: Int.Type) throws -> Int { try next().integer(type) }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try next().integer(type) }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try next().integer(type) }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try next().integer(type) }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try next().integer(type) }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try next().integer(type) }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next().integer(type) }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next().integer(type) }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next().integer(type) }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next().integer(type) }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().decode(type) }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try CellDecoder(cell: next()).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try CellDecoder(cell: next()).unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { CellDecoder(cell: try next()) }
}
