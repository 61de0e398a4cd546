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
            when 'skipped' then 'skipped'
            else case
                when mail.deadline <= mail.updated_at then 'expired'
                when mail.class in ('addressGone', 'noSuchHost', 'refusedSender') then mail.class
                else 'refused' end
        end
        """

    private static let missed: SQL = "mail.issue is not null and mail.state <> 'sent'"

    /// Those of an issue that a filter selects.
    static func selection(_ issue: Issue.ID, _ filter: ListMissed.Filter) -> SQL {
        var rules: [SQL] = ["mail.issue = \(issue)", missed]
        if let reason = filter.reason { rules.append("\(Self.reason) = \(reason)") }
        return rules.all
    }

    static func list(
        _ issue: Issue.ID, _ query: ListMissed.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = [selection(issue, query.filter)]
        if let key = page.after?.first { rules.append("mail.id > \(key)::uuid") }
        return try await executor.query(
            """
            select mail.id, delivery.audience, email, name, \(reason) as reason, attempt as attempts, reply,
                mail.updated_at as "updatedAt"
            from (
                select * from outgoing_mail mail where \(rules.all) order by id limit \(page.limit + 1)
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
