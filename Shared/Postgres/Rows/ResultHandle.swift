import CLibpq

/// Owns a `PGresult`. libpq's results are immutable and independent of their connection, so any thread may read them.
@safe
final class ResultHandle: @unchecked Sendable {
    /// The alias of a column that contains the whole object as JSON.
    static let document = "_document"

    private let pointer: OpaquePointer
    private let shape: ResultShape

    /// Takes ownership.
    init(_ pointer: OpaquePointer, shape: ResultShape? = nil) {
        unsafe self.pointer = pointer
        self.shape = shape ?? ResultShape()
    }

    deinit {
        unsafe PQclear(pointer)
    }

    var rowCount: Int { unsafe Int(PQntuples(pointer)) }
    var columnCount: Int { unsafe Int(PQnfields(pointer)) }

    /// How its rows are written as JSON.
    var plan: JSONPlan { shape.plan(for: self) }

    func type(_ column: Int) -> UInt32 { unsafe PQftype(pointer, Int32(column)) }

    /// The column's name, zero-terminated; valid as long as this object.
    func name(_ column: Int) -> UnsafePointer<CChar>? {
        guard let name = unsafe PQfname(pointer, Int32(column)) else { return nil }
        return unsafe UnsafePointer(name)
    }

    /// The bytes of a column, nil for NULL; valid as long as this object.
    func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer? {
        let length = unsafe Int(PQgetlength(pointer, Int32(row), Int32(column)))
        // NULL has length zero, so only empty values need the check.
        if length == 0, unsafe PQgetisnull(pointer, Int32(row), Int32(column)) != 0 { return nil }
        guard let start = unsafe PQgetvalue(pointer, Int32(row), Int32(column)) else { return nil }
        return unsafe UnsafeRawBufferPointer(start: start, count: length)
    }

    /// The command tag: `INSERT 0 1`, `COMMIT`.
    var commandTag: String {
        guard let text = unsafe PQcmdStatus(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    /// Only the confirmation of a prepared statement has no command tag.
    var isPrepareConfirmation: Bool {
        guard unsafe PQresultStatus(pointer) == PGRES_COMMAND_OK, let tag = unsafe PQcmdStatus(pointer) else {
            return false
        }
        return unsafe tag[0] == 0
    }

    /// Rows affected by `insert`, `update`, `delete`, `merge`, `copy`, or the number of rows selected.
    var affected: Int {
        guard let text = unsafe PQcmdTuples(pointer) else { return 0 }
        return unsafe Int(String(cString: text)) ?? 0
    }

    /// The first column with exactly this name.
    func index(of name: String) -> Int? {
        var name = name
        return name.withUTF8 { wanted in
            for column in 0..<columnCount {
                guard let candidate = unsafe self.name(column) else { continue }
                var position = 0
                while unsafe position < wanted.count && UInt8(bitPattern: candidate[position]) == wanted[position] {
                    position += 1
                }
                if unsafe position == wanted.count && candidate[position] == 0 { return column }
            }
            return nil
        }
    }
}
