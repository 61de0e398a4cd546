package import Logging
import ServiceLifecycle
import Synchronization

/// A database, through a few connections that many callers share.
///
/// Run it as a service; statements that come before wait for the first connection. Nothing hangs: a statement ends with the
/// task's ``PostgresDeadline``, with the statement timeout, or at once when its connection is lost. While no connection works,
/// statements fail within 1.5 s with an error that `isUnavailable`. The client connects anew for ever, and the server never has
/// more connections of it than the configuration says.
package final class PostgresClient: Service, PostgresExecutor {
    let loop: Loop

    package init(configuration: PostgresConfiguration, logger: Logger) {
        loop = Loop(configuration: configuration, logger: logger)
    }

    deinit {
        if loop.wasStarted { loop.mailbox.post(.shutDown(grace: 0, nil)) }
    }

    /// Keeps the connections until the task is cancelled or the service is asked to shut down; statements under way may end.
    package func run() async throws {
        loop.start()
        try? await gracefulShutdown()
        await shutdown()
    }

    /// Ends the connections, after what is under way has ended, or 5 s.
    package func shutdown() async {
        loop.start()
        _ = try? await Promise.wait { loop.mailbox.post(.shutDown(grace: 5_000_000_000, $0)) }
    }

    /// For how long the oldest commit under way has been waiting for the server's answer: for a synchronous standby, or for a disk.
    /// Nil while none is under way.
    package var oldestCommit: Duration? {
        let (since, now) = (loop.commitsSince.load(ordering: .relaxed), MonotonicClock.now)
        return since < now ? .nanoseconds(now - since) : nil
    }

    /// Runs one statement in a transaction of its own: on a shared connection if it only reads, else on a leased one. The server
    /// decides which it is.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult package func query(_ sql: SQL) async throws -> Rows {
        try await submit(sql, writes: false)
    }

    /// Runs one statement that writes, in a transaction of its own on a leased connection.
    ///
    /// - Throws: `PostgresError` (`unknownOutcome` if the server did not answer in time, `poolExhausted` if no connection came free).
    @discardableResult package func write(_ sql: SQL) async throws -> Rows {
        try await submit(sql, writes: true)
    }

    private func submit(_ sql: SQL, writes: Bool) async throws -> Rows {
        let now = MonotonicClock.now
        let patience = try Patience(now: now, limit: loop.answerLimit)
        let id = loop.nextIdentifier()
        return try await loop.perform(id) { promise in
            .submit(
                Operation(
                    id: id, statement: sql, isAlone: writes, submitted: now, patience: patience,
                    completion: .one(promise)))
        }
    }

    /// What the server is to this client. Waits for the connections that are always to be there, if they have never been.
    ///
    /// - Throws: `PostgresError`, also when there is no connection that writes could use.
    package func serverRole() async throws -> ServerRole {
        if try await first("select pg_is_in_recovery() as standby")?["standby", as: Bool.self] == true {
            return .standby
        }
        while !loop.isWarm.load(ordering: .acquiring) {
            _ = try Patience(now: MonotonicClock.now, limit: loop.answerLimit)
            do { try await Task.sleep(for: .milliseconds(10)) } catch { throw PostgresError.taskCancelled }
        }
        if state == .open { return .primary }
        // What was said when the connection was opened, or last used, may no longer be so.
        let rows = try await submit("select current_setting('transaction_read_only') as value", writes: true)
        return try rows.first?["value", as: String.self] == "on" ? .readOnly : .primary
    }

    private var state: WriteState? { WriteState(rawValue: loop.writes.load(ordering: .acquiring)) }

    /// Runs `body` in a transaction, which commits when it returns and rolls back when it throws.
    ///
    /// If the transaction loses against another one (`40001`, `40P01`), or loses its connection before the commit was sent, the whole
    /// body runs again, up to `retries` times: let it have no effect outside of the database. `begin` travels with the first
    /// statement.
    ///
    /// - Parameter readOnly: it writes nothing; then it has connections that what writes never takes, as a commit may wait long.
    /// - Throws: what `body` throws; `PostgresError` (of kind `poolExhausted` if no connection came free in time).
    @discardableResult
    package nonisolated(nonsending) func transaction<T: Sendable>(
        readOnly: Bool = false, retries: Int = 5,
        _ body: (PostgresTransaction) async throws -> T
    ) async throws -> T {
        var attempt = 0
        while true {
            let lease = try await Lease.acquire(loop, reads: readOnly)
            let outcome: Attempt<T>
            do {
                outcome = try await lease.attempt(readOnly: readOnly, mayRetry: attempt < retries, body)
            } catch {
                lease.giveBack(.clean)
                throw error
            }
            lease.giveBack(.clean)
            if case .done(let value) = outcome { return value }
            attempt += 1
            try await Lease.pause(before: attempt)
        }
    }

    /// Lends a connection for as long as `body` runs: advisory locks, COPY, settings. What the session was left with is
    /// discarded afterwards.
    @discardableResult
    package nonisolated(nonsending) func withConnection<T>(_ body: (PostgresConnection) async throws -> T) async throws
        -> T
    {
        let lease = try await Lease.acquire(loop)
        do {
            let value = try await body(PostgresConnection(lease: lease))
            lease.giveBack(.reset)
            return value
        } catch {
            lease.giveBack(.reset)
            throw error
        }
    }

    /// What is notified on these channels, for as long as the stream is read.
    ///
    /// `reconnected` comes first and after each reconnection: look once then, for what was notified in between is lost.
    package func listen(_ channels: String...) -> AsyncStream<PostgresNotification> {
        listen(channels)
    }

    package func listen(_ channels: [String]) -> AsyncStream<PostgresNotification> {
        loop.start()
        let id = loop.nextIdentifier()
        let mailbox = loop.mailbox
        let (stream, continuation) = AsyncStream.makeStream(
            of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(1_024))
        continuation.onTermination = { _ in mailbox.post(.unlisten(id)) }
        mailbox.post(.listen(id, channels: channels, continuation))
        return stream
    }
}

/// What a server takes.
package enum ServerRole: Sendable {
    /// Reads and writes.
    case primary
    /// It follows another one, and takes no writes until it is promoted.
    case standby
    /// It was told to take no writes (`default_transaction_read_only`).
    case readOnly
}

/// Runs a client for as long as `body` runs: for tests and commands.
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
