import ClubProtocol
import Postgres
import ServiceKit

extension Delivery.State: PostgresEncodable, PostgresDecodable {}

/// The SQL of deliveries; ``OutgoingMailStore`` has the SQL of handing them over.
enum DeliveryStore {
    /// One reader of an edition, as the directory lists them.
    struct Reader: Sendable {
        var email: EmailAddress
        var name: String
        /// The person or expert whose address it is, if the directory says so.
        var subject: DataSubject?
        /// When the reader consented to mail at this address; nil where the address is newer than the consent, which
        /// then lifts no suppression.
        var agreedAt: Timestamp?

        init(_ member: AudienceMember) {
            email = member.email
            name = member.name
            agreedAt = member.agreedAt
            subject =
                switch member.entity {
                case .ambassador: member.person.map { DataSubject($0) }
                case .expert: DataSubject(entity: .expert, id: .init(member.id.uuid))
                }
        }
    }

    /// Adds a delivery for each address that has none in this issue yet. A suppressed address gets a delivery in state
    /// `suppressed`, one whose reader does not want this issue in state `skipped`, an erased one gets none.
    ///
    /// - Parameters:
    ///   - lanes: by domain.
    ///   - deadline: how long after now each must have been accepted, in seconds.
    ///   - rule: a condition that they must fulfil, of ``AudienceRule``.
    static func add(
        _ readers: [Reader], issue: Issue.ID, audience: Edition.Audience, lanes: [String: String], deadline: Int,
        where rule: SQL = "true", in transaction: PostgresTransaction
    ) async throws {
        try await ErasedReaders.lockShared(in: transaction)
        try await lift(readers, in: transaction)
        try await transaction.execute(
            """
            with reader as materialized (
                select * from unnest(
                    \(readers.map { _ in Delivery.ID() })::uuid[], \(readers.map(\.email))::text[],
                    \(readers.map(\.name))::text[], \(readers.map { $0.subject?.entity.rawValue })::text[],
                    \(readers.map { $0.subject?.id.text })::uuid[]) as reader (id, email, name, entity, subject)
                where \(AudienceRule.isKnown) and \(rule)
            ), \(ReaderWishes.tables(of: "reader", issue, audience)), added as (
                insert into delivery (id, issue, audience, email, name, reader_entity, reader, kinds)
                select reader.id, \(issue), \(audience), reader.email, nullif(reader.name, ''), reader.entity,
                    reader.subject, wish.kinds
                from reader left join wish on wish.email = lower(reader.email)
                on conflict (issue, lower(email)) do nothing
                returning id, email
            )
            insert into outgoing_mail (id, issue, audience, lane, priority, state, deadline, reply)
            select added.id, \(issue), \(audience), coalesce(known.lane, \(LaneName.other)), 3,
                case
                    when is_suppressed then 'suppressed'
                    when wish.skipped is not null then 'skipped'
                    else 'pending'
                end,
                now() + make_interval(secs => \(deadline)), case when not is_suppressed then wish.skipped end
            from added
                left join wish on wish.email = lower(added.email)
                cross join lateral (
                    select \(SuppressionStore.holds("added.email", for: "'flashInfo'")) as is_suppressed) as held
                left join unnest(\(Array(lanes.keys)), \(Array(lanes.values))) as known (domain, lane)
                    on known.domain = lower(split_part(added.email, '@', 2))
            """)
    }

    /// Removes the suppression or erasure of addresses whose readers have consented since: the latest statement counts.
    private static func lift(_ readers: [Reader], in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            delete from erased_address using (
                select lower(email) as email, max(agreed_at) as at
                from unnest(
                    \(readers.map(\.email))::text[], \(readers.map(\.agreedAt))::timestamptz[],
                    \(readers.map { $0.subject?.id })::uuid[]) as reader (email, agreed_at, subject)
                where not exists (select from erased_reader where erased_reader.id = reader.subject)
                group by lower(email)
            ) as answer
            where hash = address_hash(answer.email) and created_at < answer.at
            """)
        try await SuppressionStore.lift(
            readers.map { .init(email: $0.email, purpose: .flashInfo, agreedAt: $0.agreedAt, subject: $0.subject) },
            in: transaction)
    }

    /// Those that have not begun; a sender that holds one finds that it may not begin.
    static func cancelPending(of issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update outgoing_mail set state = 'cancelled', sender = null, updated_at = now()
            where issue = \(issue) and state = 'pending'
            """)
    }

    /// The cancelled issues with deliveries that wait: those that were being sent when it was cancelled, and were not
    /// accepted.
    static func cancelledIssues(on executor: any PostgresExecutor) async throws -> [Issue.ID] {
        try await executor.query(
            """
            select id from issue
            where state = 'cancelled' and updated_at > now() - interval '7 days' and exists (
                select from delivery_count kept where kept.issue = issue.id and kept.state = 'pending'
                group by kept.issue having sum(count) > 0)
            """
        ).map { try $0["id"] }
    }

    /// The issues of which no delivery is open, and no reader is still being listed.
    static func finishedIssues(on executor: any PostgresExecutor) async throws -> [Issue.ID] {
        try await executor.query(
            """
            select id from issue
            where state = 'sending' and frozen_at is not null and not exists (
                select from edition where edition.issue = issue.id and not resolved
            ) and not exists (
                select from delivery_count kept
                where kept.issue = issue.id and kept.state in ('pending', 'sending')
                group by kept.issue having sum(count) > 0)
            """
        ).map { try $0["id"] }
    }

    /// Whether an issue is being sent and no delivery of it is open.
    static func isFinished(_ issue: Issue.ID, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.query(
            """
            select state = 'sending' and frozen_at is not null and not exists (
                select from edition where edition.issue = issue.id and not resolved
            ) and not exists (
                select from outgoing_mail where issue = issue.id and state in ('pending', 'sending')) as finished
            from issue where id = \(issue)
            """
        ).first?["finished"] ?? false
    }

    static func list(
        _ issue: Issue.ID, _ query: ListDeliveries.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["delivery.issue = \(issue)"]
        if let state = query.state { rules.append("state = \(state)") }
        if let audience = query.audience { rules.append("delivery.audience = \(audience)") }
        if let key = page.after?.first { rules.append("email > \(key)") }
        return try await executor.query(
            """
            select \(columns)
            from (
                \(mails) where \(rules.all) order by email limit \(page.limit + 1)
            ) as mail \(reports)
            order by email
            """)
    }

    static func get(_ id: Delivery.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query(
            """
            select \(columns), \(MailTries.all(of: "mail.id")) as tries
            from (\(mails) where delivery.id = \(id)) as mail \(reports)
            """)
    }

    private static let mails: SQL = """
        select id, delivery.issue, delivery.audience, email, name, state, attempt, kinds, content_version, lane, deadline, reply, updated_at
        from delivery join outgoing_mail using (id)
        """

    /// What came back about each of these mails: a few at a time, as it is looked up for each.
    private static let reports: SQL = """
        cross join lateral (
            select max(reported_at) filter (where kind = 'bounce') as bounced_at,
                max(reported_at) filter (where kind = 'complaint') as complained_at,
                max(reported_at) filter (where kind = 'departure') as left_at
            from mail_report report where report.mail = mail.id and was_accepted
        ) as report
        """

    private static let columns: SQL = """
        id, issue, audience, email, name, state, attempt as attempts, kinds,
        case when state in ('sending', 'sent', 'uncertain') then coalesce(content_version, 1) end as "contentVersion",
        lane, deadline, reply,
        bounced_at as "bouncedAt", complained_at as "complainedAt", left_at as "leftAt", updated_at as "updatedAt"
        """

    /// Whether the issue exists.
    static func hasIssue(_ id: Issue.ID, on executor: any PostgresExecutor) async throws -> Bool {
        try await !executor.query("select from issue where id = \(id)").isEmpty
    }
}
