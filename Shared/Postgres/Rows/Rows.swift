import NIOCore

/// The rows of one result. They stay as the server has sent them, and are decoded when they are read.
package struct Rows: RandomAccessCollection, Sendable {
    package struct Column: Sendable, Hashable {
        package let name: String
        package let type: PostgresType

        package init(name: String, type: PostgresType) {
            self.name = name
            self.type = type
        }
    }

    let result: QueryResult
    package let count: Int

    /// Rows made by hand, as the server would have sent them: the values in their text form, nil for NULL.
    package init(columns: [Column], values: [[String?]]) {
        var message = ByteBuffer()
        var rows = RowBuffer()
        for row in values {
            message.clear()
            message.writeInteger(UInt16(columns.count))
            for value in row {
                message.writeInteger(value.map { Int32($0.utf8.count) } ?? -1)
                if let value { message.writeString(value) }
            }
            do {
                try rows.append(message, at: 0, length: message.readableBytes, columns: columns.count)
            } catch {
                preconditionFailure("a row has other columns")
            }
        }
        self.init(
            QueryResult(
                RowDescription(columns.map { RowDescription.Column(name: $0.name, type: $0.type.rawValue) }), rows,
                commandTag: "SELECT \(values.count)"))
    }

    init(_ result: QueryResult) {
        self.result = result
        count = result.rowCount
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(position: Int) -> Row {
        precondition(position >= 0 && position < count, "row out of range")
        return Row(result: result, index: position)
    }

    package var columns: [Column] {
        result.description.columns.map { Column(name: $0.name, type: PostgresType(rawValue: $0.type)) }
    }

    /// Rows inserted, updated or deleted; for a `select`, the rows selected.
    package var affected: Int { result.affected }

    package var first: Row? { count > 0 ? self[0] : nil }
}

/// One row. Its values are read by column name.
package struct Row: Sendable {
    let result: QueryResult
    let index: Int

    /// Reads a column that is not NULL.
    ///
    /// - Throws: `PostgresError` of kind `decoding`, with the column's name and the types, if the column does not
    ///   exist, is NULL, or cannot be decoded as `T`.
    package subscript<T: PostgresDecodable>(_ column: String, as type: T.Type = T.self) -> T {
        get throws {
            guard let value = try optional(column, as: type) else {
                throw PostgresError(.decoding, column: column, message: "column \"\(column)\" is NULL, not \(type)")
            }
            return value
        }
    }

    /// Reads a column, nil for NULL.
    package func optional<T: PostgresDecodable>(_ column: String, as type: T.Type = T.self) throws -> T? {
        let position = try self.position(of: column)
        do throws(PostgresError) {
            return unsafe try result.withBytes(row: index, column: position) { bytes throws(PostgresError) in
                guard let bytes = unsafe bytes else { return nil }
                return unsafe try T.decode(postgres: bytes, type: result.type(position))
            }
        } catch {
            throw error.at(column: column)
        }
    }

    /// Provides the bytes of a column during the call, nil for NULL.
    package func withBytes<Result>(
        _ column: Int, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) rethrows -> Result {
        unsafe try result.withBytes(row: index, column: column, body)
    }

    package func withBytes<Result>(
        _ column: String, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) throws -> Result {
        unsafe try result.withBytes(row: index, column: try position(of: column), body)
    }

    private func position(of column: String) throws(PostgresError) -> Int {
        guard let position = result.description.index(of: column) else {
            throw PostgresError(.decoding, column: column, message: "no column \"\(column)\"")
        }
        return position
    }
}
