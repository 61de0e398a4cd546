import ClubProtocol
import Postgres
import ServiceKit

/// What the content service does about people: erases them, tells what it knows of them, and keeps nothing too long.
struct ContentRights {
    let backend: Backend

    func mount(on parts: inout ServiceParts) throws {
        let backend = backend
        parts.personalData(
            backend,
            erase: { notice, transaction in try await erase(notice, backend.journal, in: transaction) },
            tell: { subject in try await tell(subject, on: backend.database) })
        try parts.retention(backend, [deliveries])
    }

    /// Takes away every mail to the reader, by identifier and by address, and leaves hashes of the addresses.
    ///
    /// - Returns: the addresses.
    func erase(
        _ notice: ErasureNotice, _ journal: Journal, in transaction: PostgresTransaction
    ) async throws -> [String] {
        try await ErasedAddresses.close(in: transaction)
        // An address that somebody else is mailed at, too, stays theirs.
        var addresses: [String] = try await transaction.query(
            """
            select distinct lower(email) as email from delivery as own
            where reader = \(notice.subject) and reader_entity = \(notice.entity.rawValue) and not exists (
                select from delivery as other
                where lower(other.email) = lower(own.email) and other.reader <> own.reader)
            """
        ).map { try $0["email"] }
        if let email = notice.email { addresses.append(email.text.lowercased()) }
        try await ErasedAddresses.add(addresses, in: transaction)
        try await transaction.execute(
            """
            delete from delivery
            where (reader = \(notice.subject) and reader_entity = \(notice.entity.rawValue))
                or lower(email) = any(\(addresses))
            """)
        let suppressions: [Suppression.ID] = try await transaction.query(
            "delete from suppression where email = any(\(addresses)) returning id"
        ).map { try $0["id"] }
        try await journal.record(
            suppressions.map { .init(.erased, "suppression", $0) }, by: .service(.content), in: transaction)
        return addresses
    }

    private func tell(_ subject: ReadPersonalData.Body, on database: PostgresClient) async throws -> PersonalData {
        // That somebody was mailed is nothing that they did: it keeps nobody here.
        try PersonalData(
            of: .content,
            await database.first(
                """
                select null::timestamptz as last, jsonb_build_object(
                    'deliveries', (
                        select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'issue', issue.id, 'title', issue.title, 'audience', audience, 'email', email, 'name', name,
                            'state', delivery.state, 'updatedAt', delivery.updated_at)) order by delivery.id), '[]')
                        from delivery join issue on issue.id = delivery.issue
                        where (reader = \(subject.id) and reader_entity = \(subject.entity.rawValue))
                            or lower(email) = lower(\(subject.email))),
                    'suppressions', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'email', email, 'reason', reason, 'createdAt', created_at)), '[]')
                        from suppression where email = lower(\(subject.email)))) as data
                """))
    }

    private var deliveries: RetentionTask {
        RetentionTask(
            "deliveries", "Who was sent an issue: forgotten, but counted.", on: backend,
            due: { months in
                """
                select id, updated_at as since from delivery
                where state not in ('pending', 'sending') and updated_at < now() - make_interval(months => \(months)::integer)
                """
            },
            statement: { months, atMost in
                """
                delete from delivery where id in (
                    select id from delivery
                    where state not in ('pending', 'sending')
                        and updated_at < now() - make_interval(months => \(months)::integer)
                    order by updated_at limit \(atMost))
                returning id
                """
            })
    }
}
