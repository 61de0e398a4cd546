import ClubProtocol
import Postgres
import ServiceKit

/// What the content service owes people: it erases them, tells them what it holds about them, and keeps nothing too
/// long.
struct ContentRights {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.personalData(backend, erase: erase, tell: tell)
        builder.retention(
            backend,
            [
                mails(
                    "deliveries", "Recipients of an issue: forgotten, but counted.",
                    """
                    select delivery.id, issue.updated_at as since from issue join delivery on delivery.issue = issue.id
                    where issue.state in ('sent', 'cancelled')
                    """, since: "issue.updated_at"),
                mails(
                    "letters", "Letters about the reader's own affairs: forgotten.",
                    """
                    select id, updated_at as since from outgoing_mail
                    where issue is null and state not in ('pending', 'sending')
                    """, since: "updated_at"),
                RetentionTask(
                    "inboundMessages", "What came back by mail: forgotten; what is not understood is kept.",
                    on: backend,
                    due: { Self.inboundDue($0) },
                    statement: { months, atMost in
                        """
                        delete from inbound_message
                        where id = any(array(
                            select id from (\(Self.inboundDue(months))) as due order by since limit \(atMost)))
                        returning id
                        """
                    }),
                rows(
                    "readerPreferences", "What readers want at addresses that get no Flash info any more: forgotten.",
                    of: "reader_preference", since: "updated_at",
                    // With an offset, deliveries are looked up by the index for what is old, and not read whole.
                    if: """
                        not exists (
                            select from delivery where lower(delivery.email) = reader_preference.email offset 0)
                        """),
                rows(
                    "consentReturns", "Readers who came back to what they had left: forgotten, but in the ledger.",
                    of: "consent_return", since: "returned_at"),
            ])
    }

    private static func inboundDue(_ months: Int) -> SQL {
        """
        select id, received_at as since from inbound_message
        where state = 'read' and received_at < now() - make_interval(months => \(months)::integer)
        """
    }

    /// Deletes every mail to the reader, and the mails that name no reader and went to an address while it was theirs.
    /// If they asked to be erased, the hashes of the addresses remain; an erasure of a mistake or after retention must
    /// not stop mail to the address's next owner.
    ///
    /// - Returns: when the addresses were the reader's, as far as mails show.
    @Sendable func erase(
        _ notice: ErasureNotice, in transaction: PostgresTransaction
    ) async throws -> [AddressPeriod] {
        try await ErasedReaders.lockExclusive(in: transaction)
        let readers = notice.everyone
        let periods = try await OwnMails.periods(of: readers, notice.periods, on: transaction)
        let own = OwnMails(readers: readers, periods: periods)
        // An address that now belongs to someone else stays theirs.
        let given = Set(notice.periods.map(\.email)).subtracting(notice.emails)
        let addresses = Set(periods.map(\.email)).union(notice.emails).subtracting(given)
        try await ErasedReaders.add(
            readers, at: notice.reason == .request ? addresses.map { $0.text.asciiLowercased }.sorted() : [],
            in: transaction)
        // What came back about their mails, and what they wrote, before the mails are gone.
        let messages: [InboundMessage.ID] = try await transaction.query(
            "delete from inbound_message where \(own.inboundMessages) returning id"
        ).map { try $0["id"] }
        try await transaction.execute(
            "delete from outgoing_mail where id in (select id from delivery where \(own.deliveries))")
        let letters: [Letter.ID] = try await transaction.query(
            "delete from outgoing_mail where id in (select id from letter where \(own.letters)) returning id"
        ).map { try $0["id"] }
        let suppressions: [Suppression.ID] = try await transaction.query(
            "delete from suppression where \(own.ownSuppressions) returning id"
        ).map { try $0["id"] }
        try await transaction.record(
            letters.map { .init(.erased, .letter, $0) } + suppressions.map { .init(.erased, .suppression, $0) }
                + messages.map { .init(.erased, .inboundMessage, $0) },
            by: .service(.content))
        try await transaction.record(
            .erased, .readerPreference,
            each: transaction.query("delete from reader_preference where \(own.ownPreferences) returning id"),
            by: .service(.content))
        try await transaction.record(
            .erased, .consentReturn,
            each: transaction.query("delete from consent_return where \(own.ownReturns) returning id"),
            by: .service(.content))
        return periods
    }

    @Sendable private func tell(_ subject: ReadPersonalData.Body) async throws -> PersonalData {
        let periods = try await OwnMails.periods(of: subject.everyone, subject.periods, on: backend.database)
        let own = OwnMails(readers: subject.everyone, periods: periods)
        // Having been mailed is not the person's own activity, so it does not prolong retention here.
        return try PersonalData(
            of: .content,
            await backend.database.first(
                """
                select null::timestamptz as last, jsonb_build_object(
                    'deliveries', (
                        select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'issue', issue.id, 'title', issue.title, 'audience', delivery.audience, 'email', email,
                            'name', name,
                            'kinds', kinds, 'state', mail.state, 'tries', \(Self.tries(of: "delivery.id")), 'reports', (
                                select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                                    'kind', kind, 'diagnostic', diagnostic, 'reportedAt', reported_at)) order by kind)
                                from mail_report report where report.mail = mail.id),
                            'updatedAt', mail.updated_at)) order by delivery.id), '[]')
                        from delivery join outgoing_mail mail using (id) join issue on issue.id = delivery.issue
                        where \(own.deliveries)),
                    'letters', (
                        select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'purpose', purpose, 'email', email, 'name', name, 'subject', subject,
                            'paragraphs', paragraphs, 'attachments', (
                                select jsonb_agg(file_name order by position) from letter_attachment file
                                where file.letter = letter.id),
                            'state', state, 'tries', \(Self.tries(of: "letter.id")),
                            'updatedAt', updated_at)) order by letter.id), '[]')
                        from letter join outgoing_mail using (id) where \(own.letters)),
                    'inboundMessages', (
                        select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'kind', kind, 'writer', writer, 'subject', subject, 'receivedAt', received_at))
                            order by id), '[]')
                        from inbound_message where \(own.inboundMessages)),
                    'suppressions', (
                        select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'email', email, 'reason', reason, 'purpose', purpose, 'createdAt', created_at))), '[]')
                        from suppression where \(own.suppressions)),
                    'preferences', (
                        select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                            'email', email, 'kinds', kinds, 'rhythm', rhythm, 'pausedUntil', paused_until,
                            'updatedAt', updated_at))), '[]')
                        from reader_preference where \(own.preferences)),
                    'returns', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'email', email, 'purpose', purpose, 'leftAt', left_at, 'returnedAt', returned_at)), '[]')
                        from consent_return where \(own.returns))) as data
                """))
    }

    /// What servers said of the address when a mail was not accepted.
    private static func tries(of mail: SQL) -> SQL {
        """
        (select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'at', try.at, 'outcome', try.state, 'reply', try.reply)) order by try.id)
            from mail_attempt try where try.mail = \(mail))
        """
    }

    /// A retention rule for mails: those that ended long ago are deleted.
    ///
    /// - Parameter ended: selects `id` and `since` of all that have ended.
    private func mails(_ code: Line, _ what: String, _ ended: SQL, since: SQL) -> RetentionTask {
        @Sendable func due(_ months: Int) -> SQL {
            "\(ended) and \(since) < now() - make_interval(months => \(months)::integer)"
        }
        return RetentionTask(
            code, what, on: backend, due: { due($0) },
            statement: { months, atMost in
                """
                delete from outgoing_mail
                where id = any(array(select id from (\(due(months))) as due order by since limit \(atMost)))
                returning id
                """
            })
    }

    /// A retention rule for the rows of a table: old ones are deleted.
    private func rows(
        _ code: Line, _ what: String, of table: SQL, since: SQL, if rule: SQL = "true"
    ) -> RetentionTask {
        @Sendable func due(_ months: Int) -> SQL {
            """
            select id, \(since) as since from \(table)
            where \(since) < now() - make_interval(months => \(months)::integer) and \(rule)
            """
        }
        return RetentionTask(
            code, what, on: backend, due: { due($0) },
            statement: { months, atMost in
                """
                delete from \(table)
                where id = any(array(select id from (\(due(months))) as due order by since limit \(atMost)))
                returning id
                """
            })
    }
}
