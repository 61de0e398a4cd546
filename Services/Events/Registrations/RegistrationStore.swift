import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of registrations; columns are named after the keys of ``Registration``.
///
/// Seats are given and given up under their session's lock, in one round trip: first the lock, then statements that see
/// what its previous holder committed. The lock is held until the commit, so do everything else before taking it.
/// Several sessions are locked in order of their identifiers.
enum RegistrationStore {
    /// What is known before the seat is requested; nothing in it decides about the seat.
    struct EventSnapshot: Decodable {
        var state: Event.State
        /// The event's sessions; a session is never removed.
        var sessions: [Session.ID]
    }

    static func setting(of event: Event.ID, on executor: some PostgresExecutor) async throws -> EventSnapshot? {
        try await executor.query(
            """
            select state, array(select id from session where session.event = event.id order by starts_at, id) as sessions
            from event where id = \(event)
            """
        ).first?.decode(EventSnapshot.self)
    }

    /// Makes everyone else who wants a seat in one of these sessions wait.
    static func lock(_ sessions: [Session.ID]) -> SQL {
        "select id from session where id = any(\(sessions)) order by id for update"
    }

    /// Takes a seat in the first choice that has one free, or else the last place on the waiting list of the first
    /// choice. Returns no row when the event takes no registrations. While people are on the waiting list, a newcomer
    /// gets no free seat.
    static func take(
        _ id: Registration.ID, event: Event.ID, choices: [Session.ID], member: Member, note: Prose?
    ) -> SQL {
        """
        with choice as (
            select session.id, session.waitlisted + 1 as place,
                session.confirmed < session.capacity and session.waitlisted = 0 as free
            from unnest(\(choices)) with ordinality as wanted (id, rank) join session on session.id = wanted.id
            order by free desc, rank
            limit 1
        ), added as (
            insert into registration (id, event, session, person, organization, state, choices, note)
            select \(id), event.id, choice.id, \(member.id), \(member.organization),
                case when choice.free then 'confirmed' else 'waitlisted' end, \(choices), \(note)::text
            from event, choice
            where event.id = \(event) and event.state = 'published'
                and coalesce(event.registration_opens_at <= now(), true)
                and coalesce(event.registration_closes_at, event.starts_at) > now()
                -- Erased since the request came in.
                and not exists (select from member where member.id = \(member.id) and member.gone)
            returning *
        )
        select added.id, event, session, person, \(member.name)::text as "personName", organization, state,
            case when state = 'waitlisted' then choice.place end as place,
            choices, note, version, created_at as "createdAt", updated_at as "updatedAt"
        from added, choice
        """
    }

    /// Locks the session of a registration; no row when the caller may not see the registration.
    static func lockSession(of id: Registration.ID, for principal: Principal) -> SQL {
        """
        select id from session
        where id = (select session from registration where registration.id = \(id) and \(visible(to: principal)))
        for update
        """
    }

    /// Gives up a seat or a place on the waiting list; no row when it has already been given up or used.
    static func cancel(_ id: Registration.ID, for principal: Principal) -> SQL {
        """
        update registration set state = 'cancelled', version = version + 1, updated_at = now()
        where id = \(id) and state in ('confirmed', 'waitlisted') and \(visible(to: principal))
        returning id, version
        """
    }

    static func promote(afterCancelling id: Registration.ID, for principal: Principal) -> SQL {
        SeatStore.promote(in: "(select session from registration where id = \(id) and \(visible(to: principal)))")
    }

    static func state(of id: Registration.ID, for principal: Principal) -> SQL {
        "select state from registration where id = \(id) and \(visible(to: principal))"
    }

    static func get(
        _ id: Registration.ID, for principal: Principal, on executor: some PostgresExecutor
    ) async throws -> Rows {
        try await executor.query(
            """
            select registration.id, event, session, person, member.name as "personName", registration.organization,
                state, case when state = 'waitlisted' then (
                    select count(*) from registration before
                    where before.session = registration.session and before.state = 'waitlisted'
                        and before.line_order <= registration.line_order
                ) end as place,
                choices, note, registration.version, created_at as "createdAt", updated_at as "updatedAt"
            from registration left join member on member.id = registration.person
            where registration.id = \(id) and \(visible(to: principal))
            """)
    }

    static func list(
        of event: Event.ID, _ query: ListRegistrations.Query, _ page: PageRequest, for principal: Principal,
        on executor: some PostgresExecutor
    ) async throws -> Rows {
        let session: SQL = if let session = query.session { "and session = \(session)" } else { "" }
        let state: SQL = if let state = query.state { "and state = \(state)" } else { "" }
        let person: SQL = if let person = query.person { "and person = \(person)" } else { "" }
        let after: SQL = if let key = page.after?.first { "and registration.line_order > \(key)::bigint" } else { "" }
        return try await executor.query(
            """
            with line as (
                select id, row_number() over (partition by session order by line_order) as place
                from registration where event = \(event) and state = 'waitlisted'
            )
            select registration.id, event, session, person, member.name as "personName", registration.organization,
                state, line.place, choices, note, registration.version, created_at as "createdAt",
                updated_at as "updatedAt", line_order as _line
            from registration left join member on member.id = registration.person
                left join line on line.id = registration.id
            where event = \(event) and \(visible(to: principal)) \(session) \(state) \(person) \(after)
            order by line_order
            limit \(page.limit + 1)
            """)
    }

    /// Which registrations a caller sees: all, their organization's, or their own.
    static func visible(to principal: Principal) -> SQL {
        if Event.overseers.contains(principal.role) { return "true" }
        let own: SQL = "registration.person = \(principal.person)"
        guard principal.role == .representative else { return own }
        return "(\(own) or registration.organization = \(principal.organization))"
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object(
            'event', event, 'session', session, 'person', person, 'state', state, 'version', version) as data
        from registration where id = any(\(ids))
        """
    }
}
