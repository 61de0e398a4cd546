package import Logging
import ServiceLifecycle
import Synchronization

/// A database client: many callers share a few connections.
///
/// Run it as a service; statements submitted earlier wait for the first connection. No statement waits forever: it
/// ends with the task's ``PostgresDeadline``, with the statement timeout, or at once if its connection is lost. While
/// no connection works, statements fail within 1.5 s with an error for which `isUnavailable` is true. The client
/// keeps trying to reconnect, and never has more connections to the server than configured.
package final class PostgresClient: Service, PostgresExecutor {
    let pool: Pool

    package init(configuration: PostgresConfiguration, logger: Logger) {
        pool = Pool(configuration: configuration, logger: logger)
    }

    deinit {
        pool.close()
    }

    /// Maintains the connections until the task is cancelled or the service is asked to shut down; statements in
    /// progress may complete.
    package func run() async throws {
        pool.start()
        try? await gracefulShutdown()
        await shutdown()
    }

    /// Closes the connections once the statements in progress are complete, or after 5 s.
    package func shutdown() async {
        await pool.shutDown(grace: 5_000_000_000)
    }

    /// How long the oldest commit in progress has been waiting for the server, which may wait for a synchronous
    /// standby or a disk. Nil if no commit is in progress.
    package var oldestCommit: Duration? {
        let (since, now) = (pool.commitsSince.load(ordering: .relaxed), MonotonicClock.now)
        return since < now ? .nanoseconds(now - since) : nil
    }

    /// Runs one statement in its own transaction: on a shared connection if it only reads, otherwise on a leased one.
    /// The server decides which.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult package func query(_ sql: SQL) async throws -> Rows {
        try await submit(sql, writes: false)
    }

    /// Runs one statement that writes, in its own transaction on a leased connection.
    ///
    /// - Throws: `PostgresError` (`unknownOutcome` if the server did not respond in time, `poolExhausted` if no
    ///   connection became free).
    @discardableResult package func write(_ sql: SQL) async throws -> Rows {
        try await submit(sql, writes: true)
    }

    private func submit(_ sql: SQL, writes: Bool) async throws -> Rows {
        try sql.validate()
        let now = MonotonicClock.now
        let patience = try Patience(now: now, limit: pool.answerLimit)
        let id = pool.nextIdentifier()
        return try await pool.perform(id, on: writes ? Pool.first : pool.nearest) { promise in
            .submit(
                Operation(
                    id: id, statement: sql, isAlone: writes, submitted: now, patience: patience,
                    completion: .one(promise)))
        }
    }

    /// The server's role. On first use, waits until the minimum number of connections is open.
    ///
    /// - Throws: `PostgresError`, also if no connection is available for writes.
    package func serverRole() async throws -> ServerRole {
        if try await first("select pg_is_in_recovery() as standby")?["standby", as: Bool.self] == true {
            return .standby
        }
        while !pool.isWarm.load(ordering: .acquiring) {
            _ = try Patience(now: MonotonicClock.now, limit: pool.answerLimit)
            do { try await Task.sleep(for: .milliseconds(10)) } catch { throw PostgresError.taskCancelled }
        }
        if state == .open { return .primary }
        // What the server reported when the connection was opened or last used may be out of date.
        let rows = try await submit("select current_setting('transaction_read_only') as value", writes: true)
        return try rows.first?["value", as: String.self] == "on" ? .readOnly : .primary
    }

    private var state: WriteState? { WriteState(rawValue: pool.writes.load(ordering: .acquiring)) }

    /// Runs `body` in a transaction, which commits when it returns and rolls back when it throws.
    ///
    /// If the transaction loses a conflict with another (`40001`, `40P01`), or loses its connection before the commit
    /// was sent, the whole body runs again, up to `retries` times, so it must have no effects outside the database.
    /// `begin` is sent together with the first statement.
    ///
    /// - Parameter readOnly: whether it only reads. Such transactions have connections reserved that writes never
    ///   take, as a commit may wait long.
    /// - Throws: what `body` throws; `PostgresError` (of kind `poolExhausted` if no connection became free in time).
    @discardableResult
    package nonisolated(nonsending) func transaction<T: Sendable>(
        readOnly: Bool = false, retries: Int = 5,
        _ body: (PostgresTransaction) async throws -> T
    ) async throws -> T {
        var attempt = 0
        while true {
            let lease = try await Lease.acquire(pool, reads: readOnly)
            let outcome: Attempt<T>
            do {
                outcome = try await lease.attempt(readOnly: readOnly, mayRetry: attempt < retries, body)
            } catch {
                lease.release(.clean)
                throw error
            }
            lease.release(.clean)
            if case .done(let value) = outcome { return value }
            attempt += 1
            try await Lease.pause(before: attempt)
        }
    }

    /// Provides a connection while `body` runs: for advisory locks and settings. The session state is discarded
    /// afterwards.
    @discardableResult
    package nonisolated(nonsending) func withConnection<T>(_ body: (PostgresConnection) async throws -> T) async throws
        -> T
    {
        let lease = try await Lease.acquire(pool)
        do {
            let value = try await body(PostgresConnection(lease: lease))
            lease.release(.reset)
            return value
        } catch {
            lease.release(.reset)
            throw error
        }
    }

    /// Notifications on these channels, for as long as the stream is read.
    ///
    /// `reconnected` comes first and after each reconnection. Check the data then, because notifications sent in
    /// between are lost.
    package func listen(_ channels: String...) -> AsyncStream<PostgresNotification> {
        listen(channels)
    }

    package func listen(_ channels: [String]) -> AsyncStream<PostgresNotification> {
        pool.start()
        let id = pool.nextIdentifier()
        let (stream, continuation) = AsyncStream.makeStream(
            of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(1_024))
        continuation.onTermination = { [pool] _ in pool.post(.unlisten(id), to: Pool.first) }
        pool.post(.listen(id, channels: channels, continuation), to: Pool.first)
        return stream
    }
}

/// Whether a server accepts writes.
package enum ServerRole: Sendable {
    /// Accepts reads and writes.
    case primary
    /// A standby, which accepts no writes until it is promoted.
    case standby
    /// Configured to accept no writes (`default_transaction_read_only`).
    case readOnly
}

/// Runs a client while `body` runs: for tests and commands.
@discardableResult
package nonisolated(nonsending) func withPostgresClient<T>(
    _ configuration: PostgresConfiguration, logger: Logger, _ body: (PostgresClient) async throws -> T
) async throws -> T {
    let client = PostgresClient(configuration: configuration, logger: logger)
    do {
        let value = try await body(client)
        await client.shutdown()
        return value
    } catch {
        await client.shutdown()
        throw error
    }
}
