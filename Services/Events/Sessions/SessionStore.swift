import ClubProtocol
import Postgres
import ServiceKit

extension Session.Kind: PostgresEncodable, PostgresDecodable {}

/// The SQL of sessions; columns are named after the keys of `Session`.
enum SessionStore {
    private static let columns: SQL = """
        session.id, session.event, session.title, session.kind, session.starts_at as "startsAt",
        session.ends_at as "endsAt", session.capacity, session.confirmed, session.waitlisted, session.version,
        session.created_at as "createdAt", session.updated_at as "updatedAt"
        """

    static func add(
        _ body: AddSession.Body, startsAt: Timestamp, endsAt: Timestamp, to event: Event.ID,
        in transaction: PostgresTransaction
    ) async throws -> Session.ID {
        let id = Session.ID()
        try await transaction.execute(
            """
            insert into session (id, event, title, kind, starts_at, ends_at, capacity)
            values (
                \(id), \(event), \(body.title), \(body.kind), \(startsAt), \(endsAt), \(body.capacity))
            """)
        return id
    }

    static func get(_ id: Session.ID, for role: Role, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query(
            """
            select \(columns)
            from session join event on event.id = session.event
            where session.id = \(id) and \(EventStore.visible(to: role))
            """)
    }

    static func list(
        of event: Event.ID, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["session.event = \(event)"]
        if let after = try page.position(of: Session.self) {
            rules.append("(session.starts_at, session.id) > (\(after.key)::timestamptz, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns) from session where \(rules.all)
            order by session.starts_at, session.id
            limit \(page.limit + 1)
            """)
    }

    /// Whether the event exists and a caller with this role may see it.
    static func hasEvent(_ id: Event.ID, for role: Role, on executor: any PostgresExecutor) async throws -> Bool {
        try await !executor.query(
            "select from event where event.id = \(id) and \(EventStore.visible(to: role))"
        ).isEmpty
    }

    static func event(of id: Session.ID, on executor: any PostgresExecutor) async throws -> Event.ID? {
        try await executor.query("select event from session where id = \(id)").first?["event"]
    }

    /// The state that a change of a session starts from; the row is locked until the transaction ends.
    struct Current: Decodable {
        var title: Line
        var startsAt: Timestamp
        var endsAt: Timestamp
        var capacity: Int
        var confirmed: Int
        var version: Int

        /// Applies a merge patch: fields absent from the patch are unchanged.
        ///
        /// - Throws: 409 if there are fewer seats than are confirmed.
        mutating func apply(_ patch: ChangeSession.Body) throws(Problem) {
            if let title = patch.title { self.title = title }
            if let startsAt = patch.startsAt { self.startsAt = startsAt }
            if let endsAt = patch.endsAt { self.endsAt = endsAt }
            guard let capacity = patch.capacity else { return }
            guard capacity >= confirmed else {
                throw Problem(.capacityBelowConfirmed, "\(confirmed) seats are confirmed.")
            }
            self.capacity = capacity
        }
    }

    static func lock(_ id: Session.ID, in transaction: PostgresTransaction) async throws -> Current? {
        try await transaction.query(
            """
            select title, starts_at as "startsAt", ends_at as "endsAt", capacity, confirmed, version
            from session where id = \(id) for update
            """
        ).first?.decode(Current.self)
    }

    static func change(_ id: Session.ID, to session: Current, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update session set title = \(session.title), starts_at = \(session.startsAt),
                ends_at = \(session.endsAt), capacity = \(session.capacity), version = version + 1, updated_at = now()
            where id = \(id)
            """)
    }
}
