import ClubProtocol
import Logging
import Metrics
import Postgres
import ServiceLifecycle

/// Applies the change feed of a peer to this service's own tables.
///
/// Each batch is applied in the same transaction that stores its cursor, so that it is applied once, in order, whatever
/// happens to the process. Many replicas may follow at once: the row of the cursor serializes them, and a batch that
/// another replica has applied is dropped. A peer that is down is asked again with growing pauses.
struct FeedFollower: Service {
    struct Settings: Sendable {
        /// How long the peer is to wait for changes, in seconds.
        var wait = 20
        var limit: PageLimit = 200
        var backOff = BackOff(first: .milliseconds(250), longest: .seconds(10))

        init() {}
    }

    typealias Fetch = @Sendable (ReadChanges.Query) async throws -> ChangeBatch
    typealias Apply = @Sendable ([Change], PostgresTransaction) async throws -> Void

    private let peer: ServiceName
    private let name: String
    private let database: PostgresClient
    private let settings: Settings
    private let logger: Logger
    private let fetch: Fetch
    private let apply: Apply

    /// - Parameters:
    ///   - name: distinguishes followers of the same peer for different purposes; each has a cursor of its own.
    ///   - fetch: reads the peer's feed.
    ///   - apply: applies a batch, which is never empty. It runs again after a serialization failure, and when the peer
    ///     sends the batch again after an error.
    init(
        peer: ServiceName, name: String, database: PostgresClient, settings: Settings = Settings(), logger: Logger,
        fetch: @escaping Fetch, apply: @escaping Apply
    ) {
        self.peer = peer
        self.name = name
        self.database = database
        self.settings = settings
        var logger = logger
        logger[metadataKey: "feed"] = "\(peer.rawValue)/\(name)"
        self.logger = logger
        self.fetch = fetch
        self.apply = apply
    }

    /// Follows a peer through its client.
    init(
        following client: ServiceClient, name: String, database: PostgresClient, settings: Settings = Settings(),
        logger: Logger, apply: @escaping Apply
    ) {
        let patience = Duration.seconds(settings.wait + 5)
        self.init(
            peer: client.name, name: name, database: database, settings: settings, logger: logger,
            fetch: { try await client.send(ReadChanges.request(query: $0), timeout: patience) }, apply: apply)
    }

    /// Runs until the task is cancelled or a graceful shutdown begins. A wait for the peer then ends at once; a batch
    /// that is being applied is completed.
    func run() async throws {
        var failures = 0
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            do {
                _ = try await step()
                failures = 0
            } catch {
                guard !Task.isCancelled && !Task.isShuttingDownGracefully else { return }
                failures += 1
                // Logged only now and then: the peer's own health reports the rest.
                if failures == 1 || failures % 10 == 0 {
                    logger.warning(
                        "the feed of a peer cannot be followed",
                        metadata: ["reason": "\(error.loggable)", "failures": "\(failures)"])
                }
                let pause = settings.backOff.delay(after: failures)
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
            }
        }
    }

    /// Reads and applies one batch.
    ///
    /// - Returns: how many changes this call applied.
    func step() async throws -> Int {
        let cursor = try await storedCursor()
        let query = ReadChanges.Query(after: cursor, wait: settings.wait, limit: settings.limit)
        let fetch = fetch
        let batch = try await cancelWhenGracefulShutdown { try await fetch(query) }
        guard let last = batch.items.last, let next = batch.next else { return 0 }
        guard try await applied(batch.items, after: cursor, next: next) else { return 0 }
        Counter(label: "feed_changes_applied_total", dimensions: dimensions).increment(by: batch.items.count)
        let lag = Timestamp.now.microseconds - last.at.microseconds
        Gauge(label: "feed_lag_seconds", dimensions: dimensions).record(Double(max(0, lag)) / 1e6)
        return batch.items.count
    }

    private var dimensions: [(String, String)] { [("peer", peer.rawValue), ("name", name)] }

    /// The stored cursor; its row is created on first use.
    private func storedCursor() async throws -> Cursor? {
        if let row = try await database.first(
            "select cursor from feed_cursor where peer = \(peer.rawValue) and name = \(name)")
        {
            return try Self.cursor(row)
        }
        try await database.execute(
            "insert into feed_cursor (peer, name) values (\(peer.rawValue), \(name)) on conflict do nothing")
        return nil
    }

    /// Applies a batch and moves the cursor, unless another replica has done so.
    private func applied(_ changes: [Change], after cursor: Cursor?, next: Cursor) async throws -> Bool {
        try await database.transaction { transaction in
            let row = try await transaction.first(
                "select cursor from feed_cursor where peer = \(peer.rawValue) and name = \(name) for update")
            guard let row, try Self.cursor(row) == cursor else { return false }
            try await apply(changes, transaction)
            try await transaction.execute(
                """
                update feed_cursor set cursor = \(next.text), applied_at = now()
                where peer = \(peer.rawValue) and name = \(name)
                """)
            return true
        }
    }

    private static func cursor(_ row: Row) throws -> Cursor? {
        try row.optional("cursor", as: String.self).map { try Cursor(validating: $0) }
    }
}
