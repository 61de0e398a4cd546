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
        try parts.retention(
            backend,
            [
                mails("deliveries", "Who was sent an issue: forgotten, but counted.", in: "delivery"),
                mails("letters", "Letters about the reader's own affairs: forgotten.", in: "letter"),
            ])
    }

    /// Takes away every mail to the reader, by identifier and by address. Of who asked for it the hashes of the addresses stay: what
    /// was a mistake, or too old, says nothing about who comes with the address later.
    ///
    /// - Returns: the addresses.
    func erase(
        _ notice: ErasureNotice, _ journal: Journal, in transaction: PostgresTransaction
    ) async throws -> [String] {
        try await ErasedReaders.close(in: transaction)
        let readers = notice.everyone
        // An address that somebody else is mailed at, too, stays theirs.
        let known: [String] = try await transaction.query(
            """
            with mail as (
                select lower(email) as email, reader from delivery
                union
                select lower(email), reader from letter)
            select distinct email from mail as own
            where reader = any(\(readers)) and not exists (
                select from mail as other where other.email = own.email and other.reader <> all(\(readers)))
            """
        ).map { try $0["email"] }
        let addresses = Set(known).union(notice.emails.map { $0.text.asciiLowercased }).sorted()
        try await ErasedReaders.add(readers, at: notice.reason == .request ? addresses : [], in: transaction)
        for table in ["delivery", "letter"] as [SQL] {
            try await transaction.execute(
                "delete from \(table) where reader = any(\(readers)) or lower(email) = any(\(addresses))")
        }
        let suppressions: [Suppression.ID] = try await transaction.query(
            "delete from suppression where email = any(\(addresses)) returning id"
        ).map { try $0["id"] }
        try await journal.record(
            suppressions.map { .init(.erased, "suppression", $0) }, by: .service(.content), in: transaction)
        return addresses
    }

    private func tell(_ subject: ReadPersonalData.Body, on database: PostgresClient) async throws -> PersonalData {
        let addresses = subject.emails.map { $0.text.asciiLowercased }
        // That somebody was mailed is nothing that they did: it keeps nobody here.
        return try PersonalData(
            of: .content,
            await database.first(
                """
                select null::timestamptz as last, jsonb_build_object(
                    'deliveries', (
                        select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'issue', issue.id, 'title', issue.title, 'audience', audience, 'email', email, 'name', name,
                            'state', delivery.state, 'updatedAt', delivery.updated_at)) order by delivery.id), '[]')
                        from delivery join issue on issue.id = delivery.issue
                        where reader = any(\(subject.everyone)) or lower(email) = any(\(addresses))),
                    'letters', (
                        select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'purpose', purpose, 'email', email, 'name', name, 'subject', subject,
                            'paragraphs', paragraphs, 'state', state, 'updatedAt', updated_at)) order by id), '[]')
                        from letter
                        where reader = any(\(subject.everyone)) or lower(email) = any(\(addresses))),
                    'suppressions', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'email', email, 'reason', reason, 'createdAt', created_at)), '[]')
                        from suppression where email = any(\(addresses)))) as data
                """))
    }

    /// A rule for one of the tables of mails: those that have ended are deleted in time.
    private func mails(_ code: Line, _ what: String, in table: SQL) -> RetentionTask {
        @Sendable func due(_ months: Int) -> SQL {
            """
            select id, updated_at as since from \(table)
            where state not in ('pending', 'sending') and updated_at < now() - make_interval(months => \(months)::integer)
            """
        }
        return RetentionTask(
            code, what, on: backend, due: { due($0) },
            statement: { months, atMost in
                """
                delete from \(table) where id in (select id from (\(due(months))) as due order by since limit \(atMost))
                returning id
                """
            })
    }
}
