/// What runs statements: a client (each on its own), a connection, a transaction. Stores take `on executor: any PostgresExecutor`.
package protocol PostgresExecutor: Sendable {
    /// Runs a statement and gives its rows.
    ///
    /// One that writes is done, too; but on a client the server has to refuse it first, where it is not known to write: give that
    /// to ``write(_:)``.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult func query(_ sql: SQL) async throws -> Rows

    /// Runs a statement that writes, and gives its rows.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult func write(_ sql: SQL) async throws -> Rows

    /// Runs a statement and gives the number of rows it affected.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult func execute(_ sql: SQL) async throws -> Int
}

extension PostgresExecutor {
    @discardableResult package func write(_ sql: SQL) async throws -> Rows { try await query(sql) }

    @discardableResult package func execute(_ sql: SQL) async throws -> Int {
        try await write(sql).affected
    }

    /// The first row, if there is one.
    package func first(_ sql: SQL) async throws -> Row? {
        try await query(sql).first
    }
}
