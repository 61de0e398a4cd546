extension Row {
    /// Decodes a row: the column's alias is the coding key; NULL is an absent key.
    ///
    /// `json` and `jsonb` columns are decoded through JSON as the key's type, array columns as arrays, everything
    /// else as a single value from its text (a `timestamptz` appears to strings as `2026-11-22T23:14:16.123456Z`). A
    /// column `_document` is the whole object: the others are ignored.
    ///
    /// - Throws: `PostgresError` of kind `decoding` with the column's name and the type, never a value.
    package func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try decode(type, ColumnNames(result.description))
    }

    fileprivate func decode<T: Decodable>(_ type: T.Type, _ columns: ColumnNames) throws -> T {
        if let document = columns.positions[RowDescription.document] {
            return try Cell(result, row: index, column: document, name: RowDescription.document).decode(type)
        }
        let decoder = RowDecoder(row: self, columns: columns)
        do {
            return try T(from: decoder)
        } catch let error as PostgresError {
            throw error
        } catch let DecodingError.keyNotFound(key, _) {
            throw PostgresError(
                .decoding, column: key.stringValue,
                message: "\(type) needs the column \"\(key.stringValue)\", which is absent or NULL")
        } catch is DecodingError {
            throw PostgresError(.decoding, message: "the row cannot be read as \(type)")
        }
    }
}

extension Rows {
    /// Decodes every row; see ``Row/decode(_:)``.
    package func decode<T: Decodable>(_ type: T.Type) throws -> [T] {
        let columns = ColumnNames(result.description)
        var values: [T] = []
        values.reserveCapacity(count)
        for row in self { values.append(try row.decode(type, columns)) }
        return values
    }
}

/// The columns of a result by name, computed once for all its rows.
private final class ColumnNames: Sendable {
    let names: [String]
    let positions: [String: Int]

    init(_ description: RowDescription) {
        let names = description.columns.map(\.name)
        positions = Dictionary(zip(names, 0...)) { first, _ in first }
        self.names = names
    }
}

private struct RowDecoder: Decoder {
    let row: Row
    let columns: ColumnNames
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RowContainer<Key>(row: row, columns: columns))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try only().unkeyedContainer()
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        try only().singleValueContainer()
    }

    /// A row with a single column can be decoded as its value.
    private func only() throws -> CellDecoder {
        guard columns.names.count == 1 else {
            throw PostgresError(.decoding, message: "a row of \(columns.names.count) columns is not a single value")
        }
        return CellDecoder(cell: Cell(row.result, row: row.index, column: 0, name: columns.names[0]))
    }
}

private struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let row: Row
    let columns: ColumnNames
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { columns.names.compactMap { Key(stringValue: $0) }.filter { contains($0) } }

    private func cell(_ key: Key) throws(PostgresError) -> Cell {
        let name = key.stringValue
        guard let position = columns.positions[name] else {
            throw PostgresError(.decoding, column: name, message: "no column \"\(name)\"")
        }
        return Cell(row.result, row: row.index, column: position, name: name)
    }

    func contains(_ key: Key) -> Bool {
        guard let position = columns.positions[key.stringValue] else { return false }
        return !row.result.isNull(row: row.index, column: position)
    }

    func decodeNil(forKey key: Key) throws -> Bool { !contains(key) }
    func decode(_: Bool.Type, forKey key: Key) throws -> Bool { try cell(key).scalar(Bool.self) }
    func decode(_: String.Type, forKey key: Key) throws -> String { try cell(key).string() }
    func decode(_: Double.Type, forKey key: Key) throws -> Double { try cell(key).scalar(Double.self) }
    func decode(_: Float.Type, forKey key: Key) throws -> Float { Float(try cell(key).scalar(Double.self)) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try cell(key).integer(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try cell(key).integer(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try cell(key).integer(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try cell(key).integer(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try cell(key).integer(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try cell(key).integer(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try cell(key).integer(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try cell(key).integer(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try cell(key).integer(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try cell(key).integer(type) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try cell(key).decode(type) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try CellDecoder(cell: cell(key)).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try CellDecoder(cell: cell(key)).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { RowDecoder(row: row, columns: columns) }
    func superDecoder(forKey key: Key) throws -> any Decoder { CellDecoder(cell: try cell(key)) }
}
