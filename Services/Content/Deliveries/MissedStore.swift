import ClubProtocol
import Postgres
import ServiceKit

extension MissedDelivery.Reason: PostgresEncodable, PostgresDecodable {}

/// The SQL of those who have not got an issue.
enum MissedStore {
    /// In one word, by state and by the class of the last reply.
    static let reason: SQL = """
        case mail.state
            when 'pending' then 'waiting' when 'sending' then 'waiting' when 'uncertain' then 'uncertain'
            when 'suppressed' then 'suppressed' when 'cancelled' then 'cancelled'
            when 'skipped' then 'skipped' when 'bounced' then 'bounced'
            else case
                when mail.deadline <= mail.updated_at then 'expired'
                when mail.class in ('addressGone', 'noSuchHost', 'refusedSender') then mail.class
                else 'refused' end
        end
        """

    private static let missed: SQL = "mail.issue is not null and mail.state <> 'sent'"

    /// The mails of an issue that were not received, as rows `mail`: those without `sent`, and those that came back
    /// after they had been accepted, whose state is said to be `bounced`.
    ///
    /// - Parameter only: if it is one of these reasons, the others are left out.
    static func source(_ issue: Issue.ID, only reason: MissedDelivery.Reason?) -> SQL {
        let open: SQL = """
            select id, issue, audience, state, class, attempt, deadline, reply, updated_at from outgoing_mail mail
            where mail.issue = \(issue) and \(missed)
            """
        let returned: SQL = """
            select mail.id, mail.issue, mail.audience, 'bounced' as state, report.class, mail.attempt, mail.deadline,
                coalesce(report.diagnostic, mail.reply) as reply, report.reported_at as updated_at
            from mail_report report join outgoing_mail mail on mail.id = report.mail
            where report.kind = 'bounce' and report.is_hard and report.was_accepted and mail.issue = \(issue)
                and mail.state = 'sent'
            """
        return switch reason {
        case nil: "(\(open) union all \(returned)) as mail"
        case .bounced: "(\(returned)) as mail"
        default: "(\(open)) as mail"
        }
    }

    /// Those that a filter selects of ``source(_:only:)``.
    static func selection(_ filter: ListMissed.Filter) -> SQL {
        let rules: [SQL] = filter.reason.map { ["\(Self.reason) = \($0)"] } ?? []
        return rules.all
    }

    static func list(
        _ issue: Issue.ID, _ query: ListMissed.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = [selection(query.filter)]
        if let key = page.after?.first { rules.append("mail.id > \(key)::uuid") }
        return try await executor.query(
            """
            select mail.id, delivery.audience, email, name, \(reason) as reason, attempt as attempts, reply,
                mail.updated_at as "updatedAt"
            from (
                select * from \(source(issue, only: query.reason)) where \(rules.all)
                order by id limit \(page.limit + 1)
            ) as mail join delivery using (id)
            order by mail.id
            """)
    }

    /// How many there are for each of these reasons. Addresses that are still suppressed do not count.
    static func count(
        _ issue: Issue.ID, _ reasons: [MissedDelivery.Reason], in transaction: PostgresTransaction
    ) async throws -> [ResendIssue.Response.Count] {
        try await transaction.query(
            """
            select \(reason) as reason, count(*)::integer as count from outgoing_mail mail
            where issue = \(issue) and \(missed) and \(reason) = any(\(reasons)) and not \(isSuppressed)
            group by 1 order by 1
            """
        ).map { .init(reason: try $0["reason"], count: try $0["count"]) }
    }

    /// Makes them pending again, with a new deadline.
    ///
    /// - Parameter deadline: in seconds from now.
    static func resend(
        _ issue: Issue.ID, _ reasons: [MissedDelivery.Reason], deadline: Int, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            update outgoing_mail mail set state = 'pending', attempt = 0, class = null, reply = null, due_at = now(),
                deadline = now() + make_interval(secs => \(deadline)), updated_at = now()
            where issue = \(issue) and \(missed) and state not in ('pending', 'sending')
                and \(reason) = any(\(reasons)) and not \(isSuppressed)
            """)
    }

    private static let isSuppressed: SQL = """
        exists (
            select from delivery
            where delivery.id = mail.id and \(SuppressionStore.holds("delivery.email", for: "'flashInfo'")))
        """
}
