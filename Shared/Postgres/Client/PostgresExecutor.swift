/// Runs statements: a client (each on its own), a connection, or a transaction. Stores take `on executor: any
/// PostgresExecutor`.
package protocol PostgresExecutor: Sendable {
    /// Runs a statement and returns its rows.
    ///
    /// A statement that writes works too. On a client, however, the server must first refuse it on a read-only
    /// connection unless it is already known to write: use `write(_:)` for those.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult func query(_ sql: SQL) async throws -> Rows

    /// Runs a statement that writes, and returns its rows.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult func write(_ sql: SQL) async throws -> Rows

    /// Runs a statement and returns the number of rows it affected.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult func execute(_ sql: SQL) async throws -> Int
}

extension PostgresExecutor {
    @discardableResult package func write(_ sql: SQL) async throws -> Rows { try await query(sql) }

    @discardableResult package func execute(_ sql: SQL) async throws -> Int {
        try await write(sql).affected
    }

    /// The first row, if any.
    package func first(_ sql: SQL) async throws -> Row? {
        try await query(sql).first
    }
}
