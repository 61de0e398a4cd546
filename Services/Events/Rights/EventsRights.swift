import ClubProtocol
import Postgres
import ServiceKit

/// What the events service owes people: it erases them, tells them what it holds about them, and keeps nothing too
/// long.
struct EventsRights {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let backend = backend
        builder.personalData(
            backend,
            erase: { notice, transaction in try await Self.erase(notice, backend.journal, in: transaction) },
            tell: { subject in try await Self.tell(subject, on: backend.database) })
        builder.retention(backend, [registrations])
    }

    /// Gives up seats at coming events, to the first person on the waiting list, and anonymises the remaining
    /// registrations.
    static func erase(
        _ notice: ErasureNotice, _ journal: Journal, in transaction: PostgresTransaction
    ) async throws -> [AddressPeriod] {
        guard notice.entity == .person else { return [] }
        var entries: [Journal.Entry] = []
        var forgotten: [Registration.ID] = []
        for person in notice.everyone {
            try await transaction.execute(
                """
                insert into member (id, version, gone, erased) values (\(person), 0, true, true)
                on conflict (id) do update set name = null, email = null, organization = null, gone = true, erased = true
                """)
            entries += try await giveUpSeats(of: person, in: transaction)
            let own: [Registration.ID] = try await transaction.query(forget("registration.person = \(person)")).map {
                try $0["id"]
            }
            entries += own.map { .init(.changed, .registration, $0) }
            forgotten += own
        }
        // The merges can no longer be undone, and the registrations that they set aside are deleted.
        forgotten += try await transaction.query(
            """
            with gone as (
                delete from merge where survivor = any(\(notice.everyone)) or merged = any(\(notice.everyone))
                returning aside
            )
            select (removed ->> 'id')::uuid as id from gone cross join jsonb_array_elements(aside) as removed
            """
        ).map { try $0["id"] }
        // Their audit entries name the person who registered and contain a note.
        try await AuditTrail.forget(.registration, forgotten, in: transaction)
        try await journal.record(entries, by: .service(.events), in: transaction)
        // An address in the copy is one that the directory knows, including whose it was and when.
        return []
    }

    private static func giveUpSeats(
        of subject: DataSubject.ID, in transaction: PostgresTransaction
    ) async throws -> [Journal.Entry] {
        let sessions: [Session.ID] = try await transaction.query(
            """
            select id from session
            where ends_at > now() and id in (
                select session from registration where person = \(subject) and state in ('confirmed', 'waitlisted'))
            order by id for update
            """
        ).map { try $0["id"] }
        var entries: [Journal.Entry] = []
        for session in sessions {
            let cancelled = try await transaction.query(
                """
                update registration set state = 'cancelled', version = version + 1, updated_at = now()
                where session = \(session) and person = \(subject) and state in ('confirmed', 'waitlisted')
                returning id, version
                """)
            entries += try SeatStore.journalEntries(of: cancelled)
            entries += try SeatStore.journalEntries(
                of: try await transaction.query(SeatStore.promote(in: session)))
        }
        return entries
    }

    /// Anonymises registrations, each under a random identifier of its own.
    private static func forget(_ which: SQL) -> SQL {
        """
        update registration set person = gen_random_uuid(), note = null, forgotten = true, version = version + 1,
            updated_at = now()
        where \(which)
        returning id
        """
    }

    private static func tell(
        _ subject: ReadPersonalData.Body, on database: PostgresClient
    ) async throws -> PersonalData {
        try PersonalData(
            of: .events,
            await database.first(
                """
                select (
                        select max(greatest(registration.updated_at, event.ends_at))
                        from registration join event on event.id = registration.event
                        where person = any(\(subject.everyone))) as last,
                    jsonb_strip_nulls(jsonb_build_object(
                        'members', (
                            select coalesce(jsonb_agg(jsonb_build_object(
                                'name', name, 'email', email, 'organization', organization, 'version', version)
                                order by id), '[]')
                            from member where id = any(\(subject.everyone)) and not gone),
                        'registrations', (
                            select coalesce(jsonb_agg(jsonb_build_object(
                                'id', registration.id, 'event', event.id, 'title', event.title,
                                'startsAt', event.starts_at, 'session', session.title, 'state', registration.state,
                                'note', note, 'createdAt', registration.created_at,
                                'updatedAt', registration.updated_at) order by line_order), '[]')
                            from registration join event on event.id = registration.event
                                join session on session.id = registration.session
                            where person = any(\(subject.everyone))))) as data
                """))
    }

    private var registrations: RetentionTask {
        RetentionTask(
            "registrations", "Who was registered for an event that is over: forgotten, but counted.", on: backend,
            due: { months in
                """
                select registration.id, event.ends_at as since
                from registration join event on event.id = registration.event
                where not forgotten and event.ends_at < now() - make_interval(months => \(months)::integer)
                """
            },
            statement: { months, atMost in
                Self.forget(
                    """
                    registration.id = any(array(
                        select remembered.id from event cross join lateral (
                            select registration.id from registration
                            where registration.event = event.id and not forgotten limit \(atMost)) as remembered
                        where event.ends_at < now() - make_interval(months => \(months)::integer)
                        limit \(atMost)))
                    """)
            })
    }
}
