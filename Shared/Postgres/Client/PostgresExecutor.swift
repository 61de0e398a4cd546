/// What runs statements: a client (each on its own), a connection, a transaction. Stores take `on executor: any PostgresExecutor`.
package protocol PostgresExecutor: Sendable {
    /// Runs a statement and gives its rows.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult func query(_ sql: SQL) async throws -> Rows

    /// Runs a statement and gives the number of rows it affected.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult func execute(_ sql: SQL) async throws -> Int
}

extension PostgresExecutor {
    @discardableResult package func execute(_ sql: SQL) async throws -> Int {
        try await query(sql).affected
    }

    /// The first row, if there is one.
    package func first(_ sql: SQL) async throws -> Row? {
        try await query(sql).first
    }

    /// Tells those who listen to a channel, when and if the transaction commits. A payload has less than 8000 bytes.
    package func notify(_ channel: String, _ payload: String = "") async throws {
        _ = try await query("select pg_notify(\(channel), \(payload))")
    }
}
