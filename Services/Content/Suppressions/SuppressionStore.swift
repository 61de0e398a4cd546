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

    /// - Parameter purpose: what the reader left; nil for a reason that concerns all mail.
    @discardableResult
    static func add(
        _ email: EmailAddress, _ reason: Suppression.Reason, for purpose: Suppression.Purpose? = nil,
        by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let rows = try await transaction.query(
            """
            insert into suppression (id, email, reason, purpose, unsubscribed_at)
            values (
                \(Suppression.ID()), lower(\(email)), \(reason), \(purpose), case when \(purpose != nil) then now() end)
            on conflict on constraint suppression_once do update
                set unsubscribed_at = coalesce(excluded.unsubscribed_at, suppression.unsubscribed_at)
            returning \(columns)
            """)
        if let suppression = try rows.first?.decode(Suppression.self) {
            try await transaction.record(.created, .suppression, suppression.id, values: suppression, by: principal)
        }
        return rows
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

    static func list(_ page: PageRequest, on executor: any PostgresExecutor) async throws -> Rows {
        let position = try page.position(of: Suppression.self)
        let rules: [SQL] = position.map { ["(email, id) > (\($0.key), \($0.id)::uuid)"] } ?? []
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
