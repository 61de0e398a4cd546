/// The rows of one result. They stay in libpq's memory and are decoded when they are read.
package struct Rows: RandomAccessCollection, Sendable {
    package struct Column: Sendable, Hashable {
        package let name: String
        package let type: PostgresType
    }

    let handle: ResultHandle
    package let count: Int

    /// - Parameter result: a result of libpq, a `PGresult`, which they take over.
    package init(_ result: OpaquePointer) {
        self.init(unsafe ResultHandle(result))
    }

    init(_ handle: ResultHandle) {
        self.handle = handle
        count = handle.rowCount
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(position: Int) -> Row {
        precondition(position >= 0 && position < count, "row out of range")
        return Row(handle: handle, index: position)
    }

    package var columns: [Column] {
        (0..<handle.columnCount).map { column in
            let name = unsafe handle.name(column).map { unsafe String(cString: $0) }
            return Column(name: name ?? "", type: PostgresType(rawValue: handle.type(column)))
        }
    }

    /// Rows inserted, updated or deleted; for a `select`, the rows selected.
    package var affected: Int { handle.affected }

    package var first: Row? { count > 0 ? self[0] : nil }
}

/// One row. Its values are read by column name.
package struct Row: Sendable {
    let handle: ResultHandle
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
        guard let bytes = unsafe handle.bytes(row: index, column: position) else { return nil }
        do throws(PostgresError) {
            return unsafe try T.decode(postgres: bytes, type: handle.type(position))
        } catch {
            throw error.at(column: column)
        }
    }

    /// Provides the bytes of a column during the call, nil for NULL.
    package func withBytes<Result>(
        _ column: Int, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) rethrows -> Result {
        unsafe try body(handle.bytes(row: index, column: column))
    }

    package func withBytes<Result>(
        _ column: String, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) throws -> Result {
        unsafe try body(handle.bytes(row: index, column: try position(of: column)))
    }

    private func position(of column: String) throws(PostgresError) -> Int {
        guard let position = handle.index(of: column) else {
            throw PostgresError(.decoding, column: column, message: "no column \"\(column)\"")
        }
        return position
    }
}
