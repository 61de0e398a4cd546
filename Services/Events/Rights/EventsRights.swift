import ClubProtocol
import Postgres
import ServiceKit

/// What the events service owes people: it erases them, tells them what it holds about them, and keeps nothing too
/// long.
struct EventsRights {
    let backend: Backend
    let people: PeopleMirror

    func mount(on builder: inout ServiceBuilder) {
        builder.personalData(backend, erase: erase, tell: tell)
        builder.retention(backend, [registrations])
    }

    /// Gives up seats at coming events, to the first person on the waitlist, and anonymizes the remaining
    /// registrations.
    ///
    /// - Returns: nothing: an address in the copy is one that the directory knows, including whose it was and when.
    @Sendable func erase(
        _ notice: ErasureNotice, in transaction: PostgresTransaction
    ) async throws -> [AddressPeriod] {
        guard notice.entity == .person else { return [] }
        // The registrations that merges had set aside.
        var forgotten: [Registration.ID] = try await people.erase(notice.everyone, in: transaction).map { try $0["id"] }
        var entries: [Journal.Entry] = []
        for person in notice.everyone {
            entries += try await Self.giveUpSeats(of: person, in: transaction)
            let own: [Registration.ID] = try await transaction.query(Self.forget("registration.person = \(person)")).map
            {
                try $0["id"]
            }
            entries += own.map { .init(.changed, .registration, $0) }
            forgotten += own
        }
        // Their audit entries name the person who registered and contain a note.
        try await AuditTrail.forget(.registration, forgotten, in: transaction)
        try await transaction.record(entries, by: .service(.events))
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
            let promoted = try await transaction.query(SeatStore.promote(in: session))
            for rows in [cancelled, promoted] { entries += try Journal.Entry.each(.changed, .registration, rows) }
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

    @Sendable private func tell(_ subject: ReadPersonalData.Body) async throws -> PersonalData {
        try PersonalData(
            of: .events,
            await backend.database.first(
                """
                select (
                        select max(greatest(registration.updated_at, event.ends_at))
                        from registration join event on event.id = registration.event
                        where person = any(\(subject.everyone))) as last,
                    jsonb_strip_nulls(jsonb_build_object(
                        'members', \(PeopleMirror.described(subject.everyone)),
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
            "registrations", "Registrations for past events: forgotten, but counted.", on: backend,
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
