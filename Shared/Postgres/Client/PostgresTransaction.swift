/// A transaction in progress. It ends with the closure that received it.
package struct PostgresTransaction: PostgresExecutor {
    let lease: Lease

    @discardableResult package func query(_ sql: SQL) async throws -> Rows {
        try await lease.query(sql)
    }

    /// Runs several statements in one round trip. If one fails, the following ones are not run.
    @discardableResult package func batch(_ statements: [SQL]) async throws -> [Rows] {
        try await lease.batch(statements)
    }

    /// Adds a statement that is sent together with the commit, in one round trip: after everything else, and whatever
    /// its result. If it fails, the transaction is rolled back and fails with its error. It is sent even if the
    /// savepoint in which it was added is rolled back.
    ///
    /// - Throws: `PostgresError` for a statement that cannot be sent.
    package func commit(with statement: SQL) throws {
        try lease.close(with: statement)
    }

    /// Runs a part that may fail on its own: its changes are rolled back if `body` throws.
    @discardableResult
    package nonisolated(nonsending) func savepoint<T: Sendable>(_ body: (PostgresTransaction) async throws -> T)
        async throws -> T
    {
        try await lease.savepoint { try await body(self) }
    }
}

/// A connection lent to a caller.
package struct PostgresConnection: PostgresExecutor {
    let lease: Lease

    @discardableResult package func query(_ sql: SQL) async throws -> Rows {
        try await lease.query(sql)
    }

    /// Runs several statements in one round trip and one transaction.
    @discardableResult package func batch(_ statements: [SQL]) async throws -> [Rows] {
        try await lease.batch(statements)
    }

    /// Runs a script of several statements, exactly as in a file, as one transaction unless the script says
    /// otherwise. It has no time limit except the task's deadline and `statement_timeout` for each statement.
    ///
    /// - Parameter script: UTF-8 from a file or a literal, never built from values.
    package func execute(script: [UInt8]) async throws {
        try await lease.script(script)
    }

    /// See ``PostgresClient/transaction(readOnly:retries:_:)``.
    @discardableResult
    package nonisolated(nonsending) func transaction<T: Sendable>(
        readOnly: Bool = false, retries: Int = 5,
        _ body: (PostgresTransaction) async throws -> T
    ) async throws -> T {
        var attempt = 0
        while true {
            let outcome = try await lease.attempt(readOnly: readOnly, mayRetry: attempt < retries, body)
            if case .done(let value) = outcome { return value }
            attempt += 1
            try await Lease.pause(before: attempt)
        }
    }
}
