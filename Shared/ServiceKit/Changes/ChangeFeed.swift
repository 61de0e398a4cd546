package import ClubProtocol
package import Logging
package import Postgres
import ServiceLifecycle

/// What changed in this service, in the order of commits: the answer to `ReadChanges`.
///
/// A change is shown once every transaction that began to write before it has ended. So whoever has read up to a place has
/// seen everything that will ever stand before it; numbers alone do not have that, for they are given before the commit.
/// Run it as a service: then notifications wake those who wait. Without it they look now and then.
package struct ChangeFeed: Service {
    package struct Settings: Sendable {
        /// How often somebody who waits looks when nothing is notified.
        package var poll: Duration = .seconds(1)
        /// How soon somebody who waits looks again when there are changes that are not to be shown yet; then half as often each time.
        package var hiddenPoll: Duration = .milliseconds(25)

        package init() {}
    }

    package static let longestWait = 30
    /// What is left of the caller's time when a wait ends for it.
    private static let wayBack = Duration.milliseconds(200)

    private let database: PostgresClient
    private let channel: String
    private let snapshots: [String: ChangeSnapshot]
    private let settings: Settings
    private let logger: Logger
    private let bell = Bell()
    private let draining = Latch()

    /// - Parameters:
    ///   - schema: the service's schema, which names the channel that it is notified on.
    ///   - snapshots: for each kind of thing what followers get; of other kinds they learn that something changed.
    package init(
        database: PostgresClient, schema: String, snapshots: [ChangeSnapshot], settings: Settings = Settings(),
        logger: Logger
    ) {
        self.database = database
        channel = schema + "_change"
        self.snapshots = Dictionary(snapshots.map { ($0.entity, $0) }, uniquingKeysWith: { $1 })
        self.settings = settings
        self.logger = logger
    }

    /// Listens, until the task is cancelled or a graceful shutdown lets those go who wait.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in database.listen(channel) { bell.ring() } }
                await draining.wait()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            drain()
        }
    }

    /// Nobody waits from now on; those who do get what there is.
    package func drain() {
        draining.open()
        bell.ring()
    }

    /// The changes after a cursor, with the present state of what they changed.
    ///
    /// - Throws: `Problem` (400 for a cursor that is none, 422 for a wait that is not allowed); `PostgresError`.
    package func read(_ query: ReadChanges.Query) async throws -> ChangeBatch {
        try await read(query, for: nil)
    }

    /// - Parameter work: the request that is answered; while it waits it has a seat in the waiting room, and others have its place.
    /// - Throws: 429 and 503 when there is no seat, besides what ``read(_:)`` throws.
    func read(_ query: ReadChanges.Query, for work: Work?) async throws -> ChangeBatch {
        let start = try query.after.map(FeedPosition.init) ?? .beginning
        let wait = query.wait ?? 0
        guard (0...Self.longestWait).contains(wait) else {
            throw Problem.invalid("wait", "must be between 0 and \(Self.longestWait)")
        }
        let rows = try await rows(
            after: start, limit: (query.limit ?? .standard).value, until: end(of: wait), for: work)
        guard !rows.isEmpty else { return ChangeBatch(items: [], next: query.after) }
        let items = try await changes(rows)
        return ChangeBatch(items: items, next: items.last?.cursor)
    }

    /// The end of the wait; some time before the caller's own deadline, so that the answer still reaches it.
    private func end(of wait: Int) -> ContinuousClock.Instant {
        let end = ContinuousClock.now + .seconds(wait)
        return PostgresDeadline.current.map { min(end, $0 - Self.wayBack) } ?? end
    }

    private func rows(
        after start: FeedPosition, limit: Int, until end: ContinuousClock.Instant, for work: Work?
    ) async throws -> Rows {
        try await bell.listening { rung in
            let rows = try await database.query(start.rows(limit: limit))
            guard mustWait(rows, until: end) else { return rows }
            guard let work else { return try await news(rows, after: start, limit: limit, until: end, rung, for: nil) }
            return try await work.seated {
                try await news(rows, after: start, limit: limit, until: end, rung, for: work)
            }
        }
    }

    private func mustWait(_ rows: Rows, until end: ContinuousClock.Instant) -> Bool {
        rows.isEmpty && .now < end && !draining.isOpen
    }

    /// Waits for changes, and looks for them each time that there may be some.
    private func news(
        _ none: Rows, after start: FeedPosition, limit: Int, until end: ContinuousClock.Instant, _ rung: Signal,
        for work: Work?
    ) async throws -> Rows {
        var rows = none
        var hiddenPause = settings.hiddenPoll
        while mustWait(rows, until: end) {
            let pause: Duration
            if try await hasHiddenRows() {
                pause = hiddenPause
                hiddenPause = min(hiddenPause * 2, settings.poll)
            } else {
                pause = settings.poll
                hiddenPause = settings.hiddenPoll
            }
            let longest = min(pause, end - .now)
            if let work {
                await work.outside { await rung.wait(upTo: longest) }
            } else {
                await rung.wait(upTo: longest)
            }
            try Task.checkCancellation()
            if let deadline = PostgresDeadline.current, .now >= deadline - Self.wayBack { return rows }
            rows = try await database.query(start.rows(limit: limit))
        }
        return rows
    }

    /// Whether there are changes that an older transaction still hides. Its end is not notified.
    private func hasHiddenRows() async throws -> Bool {
        try await database.first(
            "select exists (select from change where xid >= pg_snapshot_xmin(pg_current_snapshot())) as hidden"
        )?["hidden"] ?? false
    }

    private func changes(_ rows: Rows) async throws -> [Change] {
        var ids: [String: Set<String>] = [:]
        for row in rows { ids[try row["entity"], default: []].insert(try row["subject"]) }
        var states: [String: [String: JSONValue]] = [:]
        for (entity, ids) in ids {
            guard let snapshot = snapshots[entity] else { continue }
            states[entity] = try await present(snapshot, ids)
        }
        return try rows.map { row in
            let entity: String = try row["entity"]
            let id: String = try row["subject"]
            let transaction: String = try row["transaction"]
            let position = FeedPosition(transaction: UInt64(transaction) ?? 0, id: try row["id"])
            return Change(
                cursor: try position.cursor, entity: entity, id: id, action: try row["action"],
                version: try row.optional("version"), at: try row["at"], data: states[entity]?[id])
        }
    }

    private func present(_ snapshot: ChangeSnapshot, _ ids: Set<String>) async throws -> [String: JSONValue] {
        let rows = try await database.query(snapshot.query(ChangedIDs(texts: ids.sorted())))
        var states: [String: JSONValue] = [:]
        for row in rows {
            let text: String = try row["data"]
            states[try row["id"]] = try LenientJSON.decode(JSONValue.self, from: Array(text.utf8))
        }
        return states
    }
}

extension Change.Action: PostgresEncodable, PostgresDecodable {}
