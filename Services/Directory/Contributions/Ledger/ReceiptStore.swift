import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of receipts. The content of a receipt never changes; what has become of the money since is stated
/// separately.
enum ReceiptStore {
    /// The content of a receipt.
    struct Shown: Decodable {
        var id: Receipt.ID
        var contribution: Contribution.ID
        var year: Int
        var number: Int
        var issuedOn: Day
        var paidOn: Day
        /// In cents.
        var amount: Int
        var addressee: Addressee
        var contributionYear: Int
        var contributionNumber: Int
        /// The means of payment, as far as known.
        var means: [Payment.Means]
        /// In cents: the part of the amount returned since; nil while all is paid.
        var returned: Int?
        /// The numbers of the receipt that it replaces, and of the one that replaces it.
        var replaces: String?
        var replacedBy: String?
    }

    private static let addressee = Addressee.column(
        name: "organization_name", siren: "receipt.siren", siret: "receipt.siret", street: "receipt.street",
        postalCode: "receipt.postal_code", commune: "receipt.commune")

    private static let columns: SQL = """
        receipt.id, receipt.contribution, receipt.year, receipt.number, issued_on as "issuedOn", paid_on as "paidOn", receipt.amount,
        \(addressee), contribution_year as "contributionYear", contribution_number as "contributionNumber",
        receipt.means,
        nullif(contribution.amount - contribution.paid, 0) as returned, \(replaces) as replaces, \(replacedBy) as "replacedBy"
        """

    /// Whether no other one replaces it; for `receipt`. One look-up per row: for `not exists` the planner may read all
    /// receipts.
    static let isLatest: SQL = "(select next.id from receipt as next where next.replaces = receipt.id) is null"

    private static let replaces: SQL = """
        (select previous.year || '-' || previous.number from receipt as previous where previous.id = receipt.replaces)
        """

    /// The number of the one that replaces it, as printed there.
    static let replacedBy: SQL = """
        (select next.year || '-' || next.number from receipt as next where next.replaces = receipt.id)
        """

    static let joined: SQL = "receipt join contribution on contribution.id = receipt.contribution"

    /// Issues the receipt of a contribution that is fully paid and has none, or whose last one was followed by a return
    /// of money: that one is replaced. Booking the payment has locked the contribution's row, so only one transaction
    /// checks this at a time; the counter's row is locked until commit or rollback.
    ///
    /// - Returns: nil if there is nothing to issue.
    static func issue(
        for contribution: Contribution.ID, in transaction: PostgresTransaction
    ) async throws -> Receipt.ID? {
        try await transaction.first(
            """
            with complete as (
                select contribution.id, contribution.amount, contribution.year, contribution.number, organization.name,
                    previous.id as previous, payments.last,
                    coalesce(organization.siren, left(organization.siret, 9)) as siren, organization.siret, organization.street,
                    organization.postal_code, organization.commune, payments.paid_on, array(
                    select means from payment
                    where payment.contribution = contribution.id and means is not null
                    group by means having sum(payment.amount) > 0 order by min(payment.paid_on), means) as means
                from contribution join organization on organization.id = contribution.organization
                left join receipt as previous on previous.contribution = contribution.id
                    and not exists (select from receipt as next where next.replaces = previous.id)
                cross join lateral (
                    select max(paid_on) filter (where payment.amount > 0) as paid_on, max(payment.number) as last,
                        max(payment.number) filter (where payment.amount < 0) as returned
                    from payment where payment.contribution = contribution.id) as payments
                where contribution.id = \(contribution) and paid = contribution.amount
                    and (previous.id is null or payments.returned > previous.last_payment)
            ), numbered as (
                insert into receipt_counter as counter (year, last)
                select extract(year from directory.today())::integer, 1 from complete
                on conflict (year) do update set last = counter.last + 1
                returning year, last
            )
            insert into receipt (
                id, contribution, year, number, issued_on, paid_on, amount, organization_name, siren, siret, street,
                postal_code, commune, contribution_year, contribution_number, means, replaces, last_payment)
            select \(Receipt.ID()), complete.id, numbered.year, numbered.last, directory.today(), complete.paid_on,
                complete.amount, complete.name, complete.siren, complete.siret, complete.street, complete.postal_code,
                complete.commune, complete.year, complete.number, complete.means, complete.previous, complete.last
            from complete, numbered
            returning id
            """)?["id"]
    }

    /// The latest receipt of a contribution that the caller may see.
    static func get(
        of contribution: Contribution.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Shown? {
        let rules = ["contribution.id = \(contribution)", isLatest] + SQL.recordsOfOrganizations(visibleTo: principal)
        return try await executor.first(
            "select \(columns) from \(joined) where \(rules.all)")?.decode(Shown.self)
    }

    static func get(_ id: Receipt.ID, on executor: any PostgresExecutor) async throws -> Shown? {
        try await executor.first("select \(columns) from \(joined) where receipt.id = \(id)")?.decode(Shown.self)
    }

    /// The condition of the list across all its pages, and of its export.
    static func selection(_ query: ListReceipts.Filter, for principal: Principal) -> [SQL] {
        var rules = SQL.recordsOfOrganizations(visibleTo: principal)
        if let organization = query.organization { rules.append("contribution.organization = \(organization)") }
        if let year = query.year { rules.append("receipt.year = \(year)") }
        return rules
    }

    static func list(
        _ query: ListReceipts.Query, _ page: PageRequest, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = selection(query.filter, for: principal)
        if let last = try page.place(of: 2, { (year: $0[0], number: $0[1]) }) {
            rules.append(
                "(receipt.year, receipt.number) < (\(last.year)::text::integer, \(last.number)::text::integer)")
        }
        return try await executor.query(
            """
            select receipt.id, receipt.contribution, contribution.organization, organization_name as name, receipt.year,
                receipt.number, issued_on as "issuedOn", paid_on as "paidOn",
                \(SQL.money("receipt.amount")) as amount, receipt.means,
                case when contribution.paid < contribution.amount and \(isLatest) then
                    \(SQL.money("contribution.amount - contribution.paid")) end as returned,
                \(replacedBy) as "replacedBy"
            from \(joined)
            where \(rules.all)
            order by receipt.year desc, receipt.number desc limit \(page.limit + 1)
            """)
    }

    /// The recipient of a receipt; nil if no address is known.
    static func recipient(of id: Receipt.ID, on executor: any PostgresExecutor) async throws -> Recipient? {
        try await Recipient.first(
            """
            select \(Recipient.column)
            from receipt join contribution on contribution.id = receipt.contribution
            \(Recipient.join(.organization, "contribution.organization", role: .accounting))
            where receipt.id = \(id)
            """, on: executor)
    }
}
