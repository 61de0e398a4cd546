import ClubProtocol
import Logging
import Postgres
import ServiceLifecycle

/// What changed in this service, in commit order: the response to `ReadChanges`.
///
/// A change becomes visible once every transaction that began writing before it has ended. So a reader at a position
/// has seen everything that will ever precede it; sequence numbers alone do not guarantee that, because they are
/// assigned before the commit. Run it as a service, so that notifications wake waiting readers; without it they poll.
struct ChangeFeed: Service {
    struct Settings: Sendable {
        /// How often a waiting reader polls when nothing is notified.
        var poll: Duration = .seconds(1)
        /// How soon a waiting reader polls again when there are changes that may not be shown yet; the pause doubles
        /// each time.
        var hiddenPoll: Duration = .milliseconds(25)

        init() {}
    }

    /// How much of the caller's time is left when a wait ends because of its deadline.
    private static let responseMargin = Duration.milliseconds(200)

    private let database: PostgresClient
    private let channel: String
    private let snapshots: [EntityName: ChangeSnapshot]
    private let settings: Settings
    private let logger: Logger
    private let bell = Broadcast()
    private let draining = Latch()

    /// - Parameters:
    ///   - schema: the service's schema, which names the channel that it is notified on.
    ///   - snapshots: what followers get of each kind of record; of other kinds they learn only that something changed.
    init(
        database: PostgresClient, schema: String, snapshots: [ChangeSnapshot], settings: Settings = Settings(),
        logger: Logger
    ) {
        self.database = database
        channel = schema + "_change"
        self.snapshots = Dictionary(snapshots.map { ($0.entity, $0) }, uniquingKeysWith: { $1 })
        self.settings = settings
        self.logger = logger
    }

    /// Listens until the task is cancelled, or until a graceful shutdown releases the waiting readers.
    func run() async throws {
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

    /// From now on no reader waits; those that do get what there is.
    func drain() {
        draining.open()
        bell.ring()
    }

    /// The changes after a cursor, with the present state of the changed records.
    ///
    /// - Throws: `Problem` (400 for an invalid cursor, 422 for a wait that is not allowed); `PostgresError`.
    func read(_ query: ReadChanges.Query) async throws -> ChangeBatch {
        try LenientJSON.decode(ChangeBatch.self, from: try await json(query, for: nil))
    }

    /// The result of ``read(_:)`` as the JSON of a `ChangeBatch`: the rows' own bytes, never decoded.
    ///
    /// - Parameter request: the request being answered. One that may wait takes a seat in the waiting room from its
    ///   beginning, so that no caller has more of them in progress than it has seats; while it waits, others use its
    ///   place.
    /// - Throws: 429 and 503 when there is no seat, besides what ``read(_:)`` throws.
    func json(_ query: ReadChanges.Query, for request: RoutedRequest?) async throws -> [UInt8] {
        let start = try query.after.map(FeedPosition.init) ?? .beginning
        let wait = query.wait ?? 0
        guard (0...ReadChanges.Query.longestWait).contains(wait) else {
            throw Problem.invalid("wait", "must be between 0 and \(ReadChanges.Query.longestWait)")
        }
        func batch() async throws -> [UInt8] {
            let limit = (query.limit ?? .standard).value
            let rows = try await rows(after: start, limit: limit, until: end(of: wait), for: request)
            return try await write(rows, after: query.after)
        }
        guard wait > 0, let request else { return try await batch() }
        return try await request.seated(batch)
    }

    /// The end of the wait; somewhat before the caller's own deadline, so that the response still arrives in time.
    private func end(of wait: Int) -> ContinuousClock.Instant {
        let end = ContinuousClock.now + .seconds(wait)
        return PostgresDeadline.current.map { min(end, $0 - Self.responseMargin) } ?? end
    }

    private func rows(
        after start: FeedPosition, limit: Int, until end: ContinuousClock.Instant, for request: RoutedRequest?
    ) async throws -> Rows {
        try await bell.listening { rung in
            let rows = try await database.query(start.rows(limit: limit))
            guard mustWait(rows, until: end) else { return rows }
            return try await news(rows, after: start, limit: limit, until: end, rung, for: request)
        }
    }

    private func mustWait(_ rows: Rows, until end: ContinuousClock.Instant) -> Bool {
        rows.isEmpty && .now < end && !draining.isOpen
    }

    /// Waits for changes, and queries each time that there may be some.
    private func news(
        _ none: Rows, after start: FeedPosition, limit: Int, until end: ContinuousClock.Instant, _ rung: Signal,
        for request: RoutedRequest?
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
            if let request {
                await request.outside { await rung.wait(upTo: longest) }
            } else {
                await rung.wait(upTo: longest)
            }
            try Task.checkCancellation()
            if let deadline = PostgresDeadline.current, .now >= deadline - Self.responseMargin { return rows }
            rows = try await database.query(start.rows(limit: limit))
        }
        return rows
    }

    /// Whether there are changes that an older transaction still hides. The end of that transaction is not notified.
    private func hasHiddenRows() async throws -> Bool {
        try await database.first(
            "select exists (select from change where xid >= pg_snapshot_xmin(pg_current_snapshot())) as hidden"
        )?["hidden"] ?? false
    }

    /// Writes `{"items": […], "next": "…"}`.
    private func write(_ rows: Rows, after cursor: Cursor?) async throws -> [UInt8] {
        let states = try await states(of: rows)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 + rows.count * 512)
        bytes.append(contentsOf: #"{"items":["#.utf8)
        for (index, row) in rows.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            rows.writeJSON(row: index, into: &bytes)
            guard let state: String = try states[row["entity"]]?[row["id"]]?["data"] else { continue }
            bytes.removeLast()
            bytes.append(contentsOf: #","data":"#.utf8)
            bytes.append(contentsOf: state.utf8)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
        if let next = try rows.last?["cursor"] ?? cursor?.text {
            bytes.append(contentsOf: #","next":"#.utf8)
            JSONText.writeString(next, into: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The present state of the changed records, by entity and identifier: rows with a column `data`.
    private func states(of rows: Rows) async throws -> [EntityName: [String: Row]] {
        var ids: [EntityName: Set<String>] = [:]
        for row in rows { ids[try row["entity"], default: []].insert(try row["id"]) }
        var states: [EntityName: [String: Row]] = [:]
        for (entity, ids) in ids {
            guard let snapshot = snapshots[entity] else { continue }
            let found = try await database.query(snapshot.query(ChangedIDs(texts: ids.sorted())))
            states[entity] = try Dictionary(uniqueKeysWithValues: found.map { (try $0["id"], $0) })
        }
        return states
    }
}

extension Change.Action: PostgresEncodable, PostgresDecodable {}
extension EntityName: PostgresEncodable, PostgresDecodable {}
