import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of organizations' credit. The database maintains the balance, and that it is never below zero.
enum CreditStore {
    private static let columns: SQL = """
        id, organization, \(SQL.money("amount")) as amount, kind, payment,
        (select contribution from payment where payment.id = credit_entry.payment) as contribution, day, means, reference,
        created_at as "createdAt"
        """

    /// In cents.
    static func balance(of organization: Organization.ID, on executor: any PostgresExecutor) async throws -> Int {
        let row = try await executor.first("select balance from credit where organization = \(organization)")
        return try row?["balance"] ?? 0
    }

    /// Whether the organization exists and the caller may see it.
    static func isVisible(
        _ organization: Organization.ID, to principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Bool {
        guard principal.role != .representative || principal.organization == organization else { return false }
        return try await executor.first("select from organization where id = \(organization)") != nil
    }

    /// The condition of an export.
    static func selection(_ query: ExportCreditEntries.Filter, for principal: Principal) -> SQL {
        var rules = SQL.recordsOfOrganizations(visibleTo: principal)
        if let organization = query.organization { rules.append("credit_entry.organization = \(organization)") }
        if let kind = query.kind { rules.append("credit_entry.kind = \(kind.rawValue)") }
        if let day = query.from { rules.append("credit_entry.day >= \(day)::date") }
        if let day = query.until { rules.append("credit_entry.day <= \(day)::date") }
        return rules.all
    }

    static func list(
        of organization: Organization.ID, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["organization = \(organization)"]
        if let number = try page.place(of: 1, { Int($0[0]) }) { rules.append("number < \(number)") }
        return try await executor.query(
            """
            select \(columns), number::text as "_number" from credit_entry
            where \(rules.all) order by number desc limit \(page.limit + 1)
            """)
    }

    /// - Throws: `PostgresError` of constraint `credit_balance_check` for more than the balance.
    static func refund(
        _ id: CreditEntry.ID, _ organization: Organization.ID, _ body: RefundCredit.Body, from line: BankLine.ID? = nil,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await transaction.query(
            """
            insert into credit_entry (id, organization, amount, kind, day, means, reference, bank_line)
            values (
                \(id), \(organization), \(-body.amount.amount)::bigint::integer, 'paidBack', \(body.paidOn), \(body.means),
                \(body.reference), \(line))
            returning \(columns)
            """)
    }

    // MARK: Carrying over

    /// A contribution that credit was used for.
    struct Carried: Decodable {
        var contribution: Contribution.ID
        /// In cents.
        var amount: Int
        var version: Int
        var isPaid: Bool
    }

    /// How much credit a call of these would use, in cents.
    static func available(
        for candidates: [ContributionStore.Candidate], in transaction: PostgresTransaction
    ) async throws -> Int {
        let row = try await transaction.first(
            """
            select coalesce(sum(least(amount, balance)), 0)::bigint as amount
            from unnest(\(candidates.map(\.organization)), \(candidates.map(\.amount))) as called (organization, amount)
            join credit using (organization)
            """)
        return try row?["amount"] ?? 0
    }

    /// Uses credit for contributions that have just been called, at most one per organization.
    static func carryOver(
        to contributions: [Contribution.ID], in transaction: PostgresTransaction
    ) async throws -> [Carried] {
        // In a fixed order, before amounts are computed: a concurrent refund is already done, or waits.
        let held = try await transaction.query(
            """
            select organization from credit
            where balance > 0
                and organization in (select organization from contribution where id = any(\(contributions)))
            order by organization for update
            """)
        guard !held.isEmpty else { return [] }
        try await transaction.execute(
            """
            insert into payment (id, contribution, amount, paid_on, means)
            select called.payment, contribution.id, least(contribution.amount - contribution.paid, balance), directory.today(),
                'credit'
            from unnest(\(contributions), \(contributions.map { _ in Payment.ID() })) as called (contribution, payment)
            join contribution on contribution.id = called.contribution
            join credit on credit.organization = contribution.organization
            where balance > 0
            """)
        return try await transaction.query(
            """
            select contribution.id as contribution, contribution.paid as amount, version,
                contribution.paid = contribution.amount as "isPaid"
            from contribution where id = any(\(contributions)) and paid > 0 order by number
            """
        ).decode(Carried.self)
    }
}
