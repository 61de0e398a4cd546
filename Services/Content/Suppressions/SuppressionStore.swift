import ClubProtocol
import Postgres
import ServiceKit

extension Suppression.Reason: PostgresEncodable, PostgresDecodable {}
extension Suppression.Purpose: PostgresEncodable, PostgresDecodable {}

/// The SQL of suppressions: of everything, or of one purpose.
enum SuppressionStore {
    private static let columns: SQL = """
        id, email, reason, purpose, created_at as "createdAt"
        """

    /// Whether an address must not be mailed.
    ///
    /// - Parameter purpose: what the mail is for, as text; null if nobody can leave that.
    static func holds(_ email: SQL, for purpose: SQL) -> SQL {
        """
        exists (
            select from suppression
            where suppression.email = lower(\(email))
                and (suppression.purpose is null or suppression.purpose = \(purpose)))
        """
    }

    /// Which of these addresses must not be mailed for this purpose, in lower case.
    static func suppressed(
        _ emails: [EmailAddress], for purpose: Suppression.Purpose, in transaction: PostgresTransaction
    ) async throws -> Set<String> {
        Set(
            try await transaction.query(
                """
                select lower(wanted.email) as email from unnest(\(emails)::text[]) as wanted (email)
                where \(holds("wanted.email", for: "\(purpose)"))
                """
            ).map { try $0["email"] })
    }

    /// Suppresses an address, or renews what is known of it: see ``add(_:by:in:)``.
    ///
    /// - Parameter purpose: what the reader left; nil for a reason that concerns all mail.
    @discardableResult
    static func add(
        _ email: EmailAddress, _ reason: Suppression.Reason, for purpose: Suppression.Purpose? = nil,
        by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await add([.init(email: email, reason: reason, purpose: purpose)], by: principal, in: transaction)
    }

    /// What is said of an address.
    struct New: Sendable {
        var email: EmailAddress
        var reason: Suppression.Reason
        var purpose: Suppression.Purpose?
        /// Nil: now.
        var at: Timestamp?
    }

    /// Adds suppressions, of which no two are of the same address and purpose. What a reader said is never weakened: of
    /// the reasons for all mail a complaint takes the place of any other, and of two departures the later one counts.
    ///
    /// In the order of the addresses: two transactions with the same ones wait for each other, rather than both for ever.
    /// What says something new is recorded.
    ///
    /// - Returns: each with `_isNew`, and with `_isChanged` if it says something new.
    @discardableResult
    static func add(_ new: [New], by principal: Principal, in transaction: PostgresTransaction) async throws -> Rows {
        let rows = try await transaction.query(
            """
            with said as (
                select id, lower(email) as email, reason, purpose, coalesce(at, now()) as at
                from unnest(
                    \(new.map { _ in Suppression.ID() }), \(new.map(\.email))::text[], \(new.map(\.reason))::text[],
                    \(new.map(\.purpose))::text[], \(new.map(\.at))::timestamptz[]
                ) as said (id, email, reason, purpose, at)
            ), before as materialized (
                select kept.id, kept.reason, kept.unsubscribed_at from suppression kept
                where kept.email in (select email from said)
            ), added as (
                insert into suppression as kept (id, email, reason, purpose, unsubscribed_at, created_at)
                select id, email, reason, purpose, case when purpose is not null then at end, at
                from said order by email, purpose
                on conflict on constraint suppression_once do update
                    set unsubscribed_at = greatest(excluded.unsubscribed_at, kept.unsubscribed_at),
                        reason = case when excluded.reason = 'complaint' then 'complaint' else kept.reason end
                returning kept.*, xmax = 0 as is_new
            )
            select added.id, added.email, added.reason, added.purpose, added.created_at as "createdAt", is_new as "_isNew",
                (before.reason, before.unsubscribed_at) is distinct from (added.reason, added.unsubscribed_at)
                    as "_isChanged"
            from added left join before using (id)
            """)
        try await transaction.record(
            rows.compactMap { row in
                guard try row["_isChanged"] else { return nil }
                let suppression = try row.decode(Suppression.self)
                return .init(
                    try row["_isNew"] ? .created : .changed, .suppression, suppression.id, values: suppression)
            }, by: principal)
        return rows
    }

    static func get(_ id: Suppression.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from suppression where id = \(id)")
    }

    /// The reason of a suppression, locked until the transaction ends; nil when it is not found.
    static func lock(_ id: Suppression.ID, in transaction: PostgresTransaction) async throws -> Suppression.Reason? {
        try await transaction.query("select reason from suppression where id = \(id) for update").first?["reason"]
    }

    static func delete(_ id: Suppression.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute("delete from suppression where id = \(id)")
    }

    /// What a reader agreed to.
    struct Agreement: Sendable {
        var email: EmailAddress
        var purpose: Suppression.Purpose
        /// Nil where the address is newer than the consent, which then lifts nothing.
        var agreedAt: Timestamp?
        var subject: DataSubject?
    }

    /// Removes the suppressions of what readers have agreed to since they left it: the latest statement counts. Bounces,
    /// complaints and suppressions by the staff remain.
    static func lift(_ agreements: [Agreement], in transaction: PostgresTransaction) async throws {
        let agreements = agreements.filter { $0.agreedAt != nil }
        guard !agreements.isEmpty else { return }
        let lifted: [Suppression.ID] = try await transaction.query(
            """
            with answer as (
                select lower(email) as email, purpose, max(agreed_at) as at
                from unnest(
                    \(agreements.map(\.email))::text[], \(agreements.map(\.purpose))::text[],
                    \(agreements.map(\.agreedAt))::timestamptz[], \(agreements.map { $0.subject?.id })::uuid[]
                ) as reader (email, purpose, agreed_at, subject)
                where not exists (select from erased_reader where erased_reader.id = reader.subject)
                group by lower(email), purpose
            )
            delete from suppression using answer
            where suppression.email = answer.email and suppression.purpose = answer.purpose
                and unsubscribed_at < answer.at
            returning suppression.id
            """
        ).map { try $0["id"] }
        try await transaction.record(
            lifted.map { .init(.deleted, .suppression, $0) }, by: .service(.content))
    }

    static func list(
        _ query: ListSuppressions.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let position = try page.position(of: Suppression.self)
        var rules: [SQL] = position.map { ["(email, id) > (\($0.key), \($0.id)::uuid)"] } ?? []
        if let email = query.email { rules.append("email = lower(\(email))") }
        if let reason = query.reason { rules.append("reason = \(reason)") }
        if let purpose = query.purpose { rules.append("purpose = \(purpose)") }
        return try await executor.query(
            """
            select \(columns) from suppression where \(rules.all)
            order by email, id limit \(page.limit + 1)
            """)
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(jsonb_build_object(
            'id', id, 'email', email, 'reason', reason, 'purpose', purpose, 'unsubscribedAt', unsubscribed_at)) as data
        from suppression where id = any(\(ids))
        """
    }
}
