import ClubProtocol
import Postgres
import ServiceKit

/// The payments on contributions.
enum PaymentStore {
    private static let columns: SQL = """
        id, contribution, \(SQL.money("amount")) as amount,
        \(SQL.money("credited")) as credited, paid_on as "paidOn", means, reference, created_at as "createdAt"
        """

    /// A trigger adds it to the amount paid on the contribution; anything beyond what is owed goes to the
    /// organization's credit.
    ///
    /// - Throws: 404; 409 for a contribution that is cancelled; 422; `PostgresError` of constraint
    ///   `contribution_paid_check` if more would be returned than was paid, or more taken from credit than is owed, of
    ///   `credit_balance_check` if more would be taken than the balance.
    ///
    /// - Parameter line: the bank line that it comes from, already booked.
    static func create(
        _ id: Payment.ID, _ contribution: Contribution.ID, _ body: CreatePayment.Body, from line: BankLine.ID? = nil,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        let most = Int(Int32.max)
        guard body.amount.amount != 0, (-most...most).contains(body.amount.amount) else {
            throw Problem.invalid("/amount/amount", "must be between 1 and 2147483647 cents, or as much below 0")
        }
        try DayMeaning.payment.check(body.paidOn, at: "/paidOn")
        let row = try await transaction.first(
            "select cancelled_on is not null as cancelled from contribution where id = \(contribution) for update")
        guard let row else { throw Problem(.notFound) }
        guard try !row["cancelled", as: Bool.self] else { throw Problem(.contributionCancelled) }
        return try await transaction.query(
            """
            insert into payment (id, contribution, amount, paid_on, means, reference, bank_line)
            values (
                \(id), \(contribution), \(body.amount.amount)::bigint::integer, \(body.paidOn), \(body.means),
                \(body.reference), \(line))
            returning \(columns)
            """)
    }

    /// The condition of an export; for `payment` joined with its `contribution`.
    static func selection(_ query: ExportPayments.Filter, for principal: Principal) -> SQL {
        var rules = SQL.recordsOfOrganizations(visibleTo: principal)
        if let contribution = query.contribution { rules.append("payment.contribution = \(contribution)") }
        if let organization = query.organization { rules.append("contribution.organization = \(organization)") }
        if let year = query.year { rules.append("contribution.year = \(year)") }
        if let means = query.means { rules.append("payment.means = \(means)") }
        if let day = query.paidFrom { rules.append("payment.paid_on >= \(day)::date") }
        if let day = query.paidUntil { rules.append("payment.paid_on <= \(day)::date") }
        return rules.all
    }

    static func list(
        of contribution: Contribution.ID, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["contribution = \(contribution)"]
        if let after = try page.position(of: Payment.self) { rules.append("id > \(after.id)") }
        return try await executor.query(
            "select \(columns) from payment where \(rules.all) order by id limit \(page.limit + 1)")
    }
}
