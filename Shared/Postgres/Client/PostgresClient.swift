package import Logging
import ServiceLifecycle
import Synchronization

/// A database, through a few connections that many callers share.
///
/// Run it as a service; statements that come before wait for the first connection. Nothing hangs: a statement ends with the
/// task's ``PostgresDeadline``, with the statement timeout, or at once when its connection is lost. While there is no connection,
/// statements fail within 1.5 s with an error that `isUnavailable`. The client connects anew for ever.
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

    /// True if at least one connection takes statements now.
    package var isConnected: Bool { loop.connected.load(ordering: .acquiring) > 0 }

    /// Runs one statement in a transaction of its own, on a shared connection.
    ///
    /// - Throws: `PostgresError`.
    @discardableResult package func query(_ sql: SQL) async throws -> Rows {
        let now = MonotonicClock.now
        let patience = try Patience(now: now, limit: loop.answerLimit)
        let id = loop.nextIdentifier()
        return try await loop.perform(id) { promise in
            .submit(Operation(id: id, statement: sql, submitted: now, patience: patience, completion: .one(promise)))
        }
    }

    /// Runs `body` in a transaction, which commits when it returns and rolls back when it throws.
    ///
    /// If the transaction loses against another one (`40001`, `40P01`), or loses its connection before the commit was sent, the whole
    /// body runs again, up to `retries` times: let it have no effect outside of the database. `begin` travels with the first
    /// statement.
    ///
    /// - Throws: what `body` throws; `PostgresError` (of kind `poolExhausted` if no connection came free in time).
    @discardableResult
    package nonisolated(nonsending) func transaction<T: Sendable>(
        readOnly: Bool = false, retries: Int = 5,
        _ body: (PostgresTransaction) async throws -> T
    ) async throws -> T {
        var attempt = 0
        while true {
            let lease = try await Lease.acquire(loop)
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
