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

    /// Runs a part that may fail on its own: its changes are rolled back if `body` throws.
    @discardableResult
    package nonisolated(nonsending) func savepoint<T: Sendable>(_ body: (PostgresTransaction) async throws -> T)
        async throws -> T
    {
        try await lease.savepoint { try await body(self) }
    }

    /// Streams the rows of a query, `batch` at a time, through a server-side cursor: constant memory.
    package func stream(_ sql: SQL, batch: Int = 500) -> AsyncThrowingStream<Rows, any Error> {
        Cursor(lease: lease, sql: sql, batch: batch, ownsTransaction: false).stream()
    }

    /// Copies rows into a table: `copy person (id, name) from stdin`.
    ///
    /// - Parameter rows: the columns of each row as text, nil for NULL.
    /// - Returns: the number of rows copied.
    @discardableResult package nonisolated(nonsending) func copyIn<Source: AsyncSequence>(_ sql: SQL, rows: Source)
        async throws -> Int
    where Source.Element == [String?] {
        try await Copy(lease: lease).write(sql, rows)
    }

    @discardableResult package nonisolated(nonsending) func copyIn(_ sql: SQL, rows: some Sequence<[String?]>)
        async throws -> Int
    {
        try await Copy(lease: lease).write(sql, rows)
    }

    /// Streams the lines of `copy (…) to stdout`, without line ends. Read them to the end.
    package func copyOut(_ sql: SQL) -> AsyncThrowingStream<[UInt8], any Error> {
        Copy(lease: lease).read(sql)
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
        _ = try await lease.raw(.script(script), limit: 1_000_000_000_000_000_000)
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

    /// See ``PostgresTransaction/stream(_:batch:)``; in its own read-only transaction.
    package func stream(_ sql: SQL, batch: Int = 500) -> AsyncThrowingStream<Rows, any Error> {
        Cursor(lease: lease, sql: sql, batch: batch, ownsTransaction: true).stream()
    }

    /// See `PostgresTransaction.copyIn(_:rows:)`.
    @discardableResult package nonisolated(nonsending) func copyIn<Source: AsyncSequence>(_ sql: SQL, rows: Source)
        async throws -> Int
    where Source.Element == [String?] {
        try await Copy(lease: lease).write(sql, rows)
    }

    @discardableResult package nonisolated(nonsending) func copyIn(_ sql: SQL, rows: some Sequence<[String?]>)
        async throws -> Int
    {
        try await Copy(lease: lease).write(sql, rows)
    }

    /// See ``PostgresTransaction/copyOut(_:)``.
    package func copyOut(_ sql: SQL) -> AsyncThrowingStream<[UInt8], any Error> {
        Copy(lease: lease).read(sql)
    }
}
