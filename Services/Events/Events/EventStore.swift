import ClubProtocol
import Postgres
import ServiceKit

extension Event.Kind: PostgresEncodable, PostgresDecodable {}
extension Event.State: PostgresEncodable, PostgresDecodable {}

/// The SQL of events; columns are named after the keys of `Event` and `EventSummary`.
enum EventStore {
    static func create(_ body: CreateEvent.Body, in transaction: PostgresTransaction) async throws -> Event.ID {
        let id = Event.ID()
        try await transaction.execute(
            """
            insert into event (
                id, title, kind, starts_at, ends_at, venue, theme, description, registration_opens_at,
                registration_closes_at)
            values (
                \(id), \(body.title), \(body.kind), \(body.startsAt), \(body.endsAt), \(body.venue), \(body.theme),
                \(body.description), \(body.registrationOpensAt), \(body.registrationClosesAt))
            """)
        return id
    }

    /// An event with its sessions, as a caller with this role may see it; no row for a draft that the caller may not
    /// see.
    static func get(_ id: Event.ID, for role: Role, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query(
            """
            select event.id, title, kind, state, starts_at as "startsAt", ends_at as "endsAt", venue, theme,
                description, registration_opens_at as "registrationOpensAt",
                registration_closes_at as "registrationClosesAt", version, created_at as "createdAt",
                updated_at as "updatedAt",
                (
                    select coalesce(json_agg(json_build_object(
                        'id', session.id, 'event', session.event, 'title', session.title, 'kind', session.kind,
                        'startsAt', rfc3339(session.starts_at), 'endsAt', rfc3339(session.ends_at),
                        'capacity', session.capacity, 'confirmed', session.confirmed,
                        'waitlisted', session.waitlisted, 'version', session.version,
                        'createdAt', rfc3339(session.created_at), 'updatedAt', rfc3339(session.updated_at)
                    ) order by session.starts_at, session.id), '[]')
                    from session where session.event = event.id
                ) as sessions
            from event where event.id = \(id) and \(visible(to: role))
            """)
    }

    static func list(
        _ query: ListEvents.Query, _ page: PageRequest, for role: Role, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = [visible(to: role)]
        if let kind = query.kind { rules.append("kind = \(kind)") }
        if let state = query.state { rules.append("state = \(state)") }
        if let time = query.endsAfter { rules.append("ends_at > \(time)") }
        if let after = try page.position(of: Event.self) {
            rules.append("(starts_at, event.id) < (\(after.key)::timestamptz, \(after.id))")
        }
        return try await executor.query(
            """
            select event.id, title, kind, state, starts_at as "startsAt", ends_at as "endsAt", venue, theme,
                registration_opens_at as "registrationOpensAt", registration_closes_at as "registrationClosesAt",
                seats.capacity, seats.confirmed, seats.waitlisted, version, created_at as "createdAt",
                updated_at as "updatedAt"
            from event, lateral (
                select coalesce(sum(capacity), 0) as capacity, coalesce(sum(confirmed), 0) as confirmed,
                    coalesce(sum(waitlisted), 0) as waitlisted
                from session where session.event = event.id
            ) seats
            where \(rules.all)
            order by starts_at desc, event.id desc
            limit \(page.limit + 1)
            """)
    }

    /// The state that a change of an event starts from; the row is locked until the transaction ends.
    struct Current: Decodable {
        var title: Line
        var state: Event.State
        var startsAt: Timestamp
        var endsAt: Timestamp
        var venue: Line
        var theme: Line?
        var description: Prose?
        var registrationOpensAt: Timestamp?
        var registrationClosesAt: Timestamp?
        var version: Int
        /// The start of the first session and the end of the last; absent without sessions.
        var firstStart: Timestamp?
        var lastEnd: Timestamp?
    }

    static func lock(_ id: Event.ID, in transaction: PostgresTransaction) async throws -> Current? {
        try await transaction.query(
            """
            select title, state, starts_at as "startsAt", ends_at as "endsAt", venue, theme, description,
                registration_opens_at as "registrationOpensAt", registration_closes_at as "registrationClosesAt",
                version,
                (select min(starts_at) from session where session.event = event.id) as "firstStart",
                (select max(ends_at) from session where session.event = event.id) as "lastEnd"
            from event where id = \(id) for update
            """
        ).first?.decode(Current.self)
    }

    static func change(_ id: Event.ID, to event: Current, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update event set title = \(event.title), starts_at = \(event.startsAt), ends_at = \(event.endsAt),
                venue = \(event.venue), theme = \(event.theme), description = \(event.description),
                registration_opens_at = \(event.registrationOpensAt),
                registration_closes_at = \(event.registrationClosesAt),
                version = version + 1, updated_at = now()
            where id = \(id)
            """)
    }

    /// Changes the state once all registrations in progress are done: each holds a session lock while it reads the
    /// state of its event.
    static func transition(_ id: Event.ID, to state: Event.State, in transaction: PostgresTransaction) async throws {
        try await transaction.execute("select id from session where event = \(id) order by id for update")
        try await transaction.execute(
            "update event set state = \(state), version = version + 1, updated_at = now() where id = \(id)")
    }

    /// Only callers who oversee events see drafts.
    static func visible(to role: Role) -> SQL {
        Event.overseers.contains(role) ? "true" : "event.state <> 'draft'"
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object(
            'title', title, 'kind', kind, 'state', state, 'startsAt', rfc3339(starts_at), 'endsAt', rfc3339(ends_at),
            'venue', venue, 'version', version) as data
        from event where id = any(\(ids))
        """
    }
}
