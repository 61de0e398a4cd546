import ClubProtocol
import Postgres
import ServiceKit

extension Delivery.State: PostgresEncodable, PostgresDecodable {}
extension Suppression.Reason: PostgresEncodable, PostgresDecodable {}

/// The SQL of deliveries and suppressions; ``MailQueue`` has the SQL of handing them over.
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

    /// A delivery that a sender has claimed.
    struct Claimed: ClaimedMail {
        var id: MailMessage.ID
        var audience: Edition.Audience
        var email: EmailAddress
        var name: String?
        var attempt: Int
    }

    /// Adds a delivery for each address that has none in this issue yet. A suppressed address gets a delivery in state
    /// `suppressed`, an erased one gets none.
    static func add(
        _ readers: [Reader], issue: Issue.ID, audience: Edition.Audience, in transaction: PostgresTransaction
    ) async throws {
        try await ErasedReaders.lockShared(in: transaction)
        try await lift(readers, in: transaction)
        try await transaction.execute(
            """
            insert into delivery (id, issue, audience, email, name, state, reader_entity, reader)
            select reader.id, \(issue), \(audience), reader.email, nullif(reader.name, ''),
                case when suppression.email is null then 'pending' else 'suppressed' end, reader.entity, reader.subject
            from unnest(
                \(readers.map { _ in Delivery.ID() })::uuid[], \(readers.map(\.email))::text[],
                \(readers.map(\.name))::text[], \(readers.map { $0.subject?.entity.rawValue })::text[],
                \(readers.map { $0.subject?.id.text })::uuid[]) as reader (id, email, name, entity, subject)
            left join suppression on suppression.email = lower(reader.email)
            where not exists (select from erased_address where hash = address_hash(reader.email))
                and not exists (select from erased_reader where erased_reader.id = reader.subject)
            on conflict (issue, lower(email)) do nothing
            """)
    }

    /// Removes the suppression or erasure of addresses whose readers have consented since: the latest statement counts.
    /// Bounces, complaints and suppressions by the staff remain.
    private static func lift(_ readers: [Reader], in transaction: PostgresTransaction) async throws {
        let lifted: [Suppression.ID] = try await transaction.query(
            """
            with answer as (
                select lower(email) as email, max(agreed_at) as at
                from unnest(
                    \(readers.map(\.email))::text[], \(readers.map { $0.agreedAt?.text })::timestamptz[],
                    \(readers.map { $0.subject?.id.text })::uuid[]) as reader (email, agreed_at, subject)
                where not exists (select from erased_reader where erased_reader.id = reader.subject)
                group by lower(email)
            ), returned as (
                delete from erased_address using answer where hash = address_hash(answer.email) and created_at < answer.at
            )
            delete from suppression using answer
            where suppression.email = answer.email and reason = 'unsubscribed' and unsubscribed_at < answer.at
            returning suppression.id
            """
        ).map { try $0["id"] }
        try await transaction.record(
            lifted.map { .init(.deleted, .suppression, $0) }, by: .service(.content))
    }

    /// The deliveries of one edition that wait to be handed over. A suppressed reader gets none, whatever the reason.
    static func queue(of issue: Issue.ID, _ audience: Edition.Audience) -> MailQueue {
        MailQueue(
            table: "delivery", scope: "issue = \(issue) and audience = \(audience)", suppressing: "true")
    }

    static let claimed: SQL = "id, audience, email, name, attempt"

    static func cancelPending(of issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update delivery set state = 'cancelled', lease_token = null, updated_at = now()
            where issue = \(issue) and state = 'pending'
            """)
    }

    /// Whether both editions of an issue are resolved and none of its deliveries is open.
    static func isFinished(_ issue: Issue.ID, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.query(
            """
            select (select bool_and(resolved) from edition where issue = \(issue)) and not exists (
                select from delivery where issue = \(issue) and state in ('pending', 'sending')) as finished
            """
        ).first?["finished"] ?? false
    }

    /// Whether the issue exists.
    static func hasIssue(_ id: Issue.ID, on executor: some PostgresExecutor) async throws -> Bool {
        try await executor.first("select from issue where id = \(id)") != nil
    }

    static func list(
        _ issue: Issue.ID, _ query: ListDeliveries.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["issue = \(issue)"]
        if let state = query.state { rules.append("state = \(state)") }
        if let audience = query.audience { rules.append("audience = \(audience)") }
        if let key = page.after?.first { rules.append("email > \(key)") }
        return try await executor.query(
            """
            select id, issue, audience, email, name, state, attempt as attempts, reply, updated_at as "updatedAt"
            from delivery where \(rules.all)
            order by email limit \(page.limit + 1)
            """)
    }

    /// Whether the issue exists.
    static func hasIssue(_ id: Issue.ID, on executor: any PostgresExecutor) async throws -> Bool {
        try await !executor.query("select from issue where id = \(id)").isEmpty
    }

    // MARK: Suppressions

    private static let suppressionColumns: SQL = """
        id, email, reason, created_at as "createdAt"
        """

    static func suppress(
        _ email: EmailAddress, _ reason: Suppression.Reason, in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await transaction.query(
            """
            insert into suppression (id, email, reason, unsubscribed_at)
            values (
                \(Suppression.ID()), lower(\(email)), \(reason), case when \(reason == .unsubscribed) then now() end)
            on conflict (email) do update
                set unsubscribed_at = coalesce(excluded.unsubscribed_at, suppression.unsubscribed_at)
            returning \(suppressionColumns)
            """)
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(jsonb_build_object(
            'id', id, 'email', email, 'reason', reason, 'unsubscribedAt', unsubscribed_at)) as data
        from suppression where id = any(\(ids))
        """
    }

    static func suppressions(_ page: PageRequest, on executor: any PostgresExecutor) async throws -> Rows {
        let rules: [SQL] = page.after?.first.map { ["email > \($0)"] } ?? []
        return try await executor.query(
            """
            select \(suppressionColumns) from suppression where \(rules.all)
            order by email limit \(page.limit + 1)
            """)
    }
}
