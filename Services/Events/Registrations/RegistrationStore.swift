import ClubProtocol
import Postgres
import ServiceKit

extension Registration.State: PostgresEncodable, PostgresDecodable {}

/// The SQL of registrations; columns are named after the keys of `Registration`. ``SeatStore`` has the rule about locks
/// that every change of a seat keeps.
enum RegistrationStore {
    /// The columns of a row of `registration`.
    ///
    /// - Parameters:
    ///   - personName: the person's name.
    ///   - place: the place on the waitlist; null if the registration is not on it.
    private static func columns(personName: SQL, place: SQL) -> SQL {
        """
        registration.id, event, session, person, \(personName) as "personName", registration.organization, state,
            \(place) as place, choices, note, registration.version, created_at as "createdAt",
            updated_at as "updatedAt"
        """
    }

    /// What is known before the seat is requested; nothing in it decides about the seat.
    struct EventSnapshot: Decodable {
        var state: Event.State
        /// The event's sessions; a session is never removed.
        var sessions: [Session.ID]
    }

    static func setting(of event: Event.ID, on executor: any PostgresExecutor) async throws -> EventSnapshot? {
        try await executor.query(
            """
            select state, array(select id from session where session.event = event.id order by starts_at, id) as sessions
            from event where id = \(event)
            """
        ).first?.decode(EventSnapshot.self)
    }

    /// Takes a seat in the first choice that has one free, or else the last place on the waitlist of the first
    /// choice. Returns no row when the event takes no registrations. While people are on the waitlist, a newcomer
    /// gets no free seat.
    static func take(
        _ id: Registration.ID, event: Event.ID, choices: [Session.ID], person: PersonCopy, note: Prose?
    ) -> SQL {
        let columns = columns(
            personName: "\(person.name)::text", place: "case when state = 'waitlisted' then choice.place end")
        return """
            with choice as (
                select session.id, session.waitlisted + 1 as place,
                    session.confirmed < session.capacity and session.waitlisted = 0 as free
                from unnest(\(choices)) with ordinality as wanted (id, rank) join session on session.id = wanted.id
                order by free desc, rank
                limit 1
            ), added as (
                insert into registration (id, event, session, person, organization, state, choices, note)
                select \(id), event.id, choice.id, \(person.id), \(person.organization),
                    case when choice.free then 'confirmed' else 'waitlisted' end, \(choices), \(note)::text
                from event, choice
                where event.id = \(event) and event.state = 'published'
                    and coalesce(event.registration_opens_at <= now(), true)
                    and coalesce(event.registration_closes_at, event.starts_at) > now()
                    -- Erased since the request came in.
                    and not exists (select from person_copy where person_copy.id = \(person.id) and gone)
                returning *
            )
            select \(columns) from added as registration, choice
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

    /// Gives up a seat or a place on the waitlist; no row when it has already been given up or used.
    static func cancel(_ id: Registration.ID, for principal: Principal) -> SQL {
        """
        update registration set state = 'cancelled', version = version + 1, updated_at = now()
        where id = \(id) and state in ('confirmed', 'waitlisted') and \(visible(to: principal))
        returning id, version
        """
    }

    /// Gives the seat that a cancelled registration frees to the first person on the waitlist.
    static func promote(afterCancelling id: Registration.ID, for principal: Principal) -> SQL {
        SeatStore.promote(in: "(select session from registration where id = \(id) and \(visible(to: principal)))")
    }

    static func state(of id: Registration.ID, for principal: Principal) -> SQL {
        "select state from registration where id = \(id) and \(visible(to: principal))"
    }

    static func get(
        _ id: Registration.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let place: SQL = """
            case when state = 'waitlisted' then (
                select count(*) from registration before
                where before.session = registration.session and before.state = 'waitlisted'
                    and before.line_order <= registration.line_order) end
            """
        return try await executor.query(
            """
            select \(columns(personName: "person_copy.name", place: place))
            from registration left join person_copy on person_copy.id = registration.person
            where registration.id = \(id) and \(visible(to: principal))
            """)
    }

    static func list(
        of event: Event.ID, _ query: ListRegistrations.Query, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["event = \(event)", visible(to: principal)]
        if let session = query.session { rules.append("session = \(session)") }
        if let state = query.state { rules.append("state = \(state)") }
        if let person = query.person { rules.append("person = \(person)") }
        if let key = page.after?.first { rules.append("line_order > \(key)::bigint") }
        return try await executor.query(
            """
            with line as (
                select id, row_number() over (partition by session order by line_order) as place
                from registration where event = \(event) and state = 'waitlisted'
            )
            select \(columns(personName: "person_copy.name", place: "line.place")), line_order as _line
            from registration left join person_copy on person_copy.id = registration.person
                left join line on line.id = registration.id
            where \(rules.all)
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

    /// Deletes what people who are gone wrote about themselves.
    @Sendable static func forgetNotes(of people: [Person.ID], in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update registration set note = null, version = version + 1, updated_at = now()
            where person = any(\(people)) and note is not null
            """)
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
