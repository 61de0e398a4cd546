import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of receipts. What stands on one never changes; what has become of the money since is told beside it.
enum ReceiptStore {
    /// What stands on a receipt.
    struct Shown: Decodable {
        var contribution: Contribution.ID
        var year: Int
        var number: Int
        var issuedOn: Day
        var paidOn: Day
        /// In cents.
        var amount: Int
        var organization: String
        var siren: String?
        var siret: String?
        var street: String?
        var postalCode: String?
        var commune: String?
        var contributionYear: Int
        var contributionNumber: Int
        /// By what it was paid, as far as that is known.
        var means: [Payment.Means]
        /// In cents, of the amount, since; nil while all is paid.
        var returned: Int?
    }

    private static let columns: SQL = """
        receipt.contribution, receipt.year, receipt.number, issued_on as "issuedOn", paid_on as "paidOn", receipt.amount,
        organization_name as organization, receipt.siren, receipt.siret, receipt.street,
        receipt.postal_code as "postalCode", receipt.commune, contribution_year as "contributionYear",
        contribution_number as "contributionNumber", receipt.means,
        nullif(contribution.amount - contribution.paid, 0) as returned
        """

    static let joined: SQL = "receipt join contribution on contribution.id = receipt.contribution"

    private static let today: SQL = "(now() at time zone 'Europe/Paris')::date"

    /// Issues the receipt of a contribution that is paid as a whole and has none. Its row is locked by whoever books the
    /// payment, so that this is looked at once at a time; the counter's, until the number is given or given back.
    ///
    /// - Returns: nil when there is nothing to issue.
    static func issue(
        for contribution: Contribution.ID, in transaction: PostgresTransaction
    ) async throws -> Receipt.ID? {
        try await transaction.first(
            """
            with complete as (
                select contribution.id, amount, year, number, organization.name,
                    coalesce(siren, left(siret, 9)) as siren, siret, street, postal_code, commune, (
                    select max(paid_on) from payment where payment.contribution = contribution.id) as paid_on, array(
                    select means from payment
                    where payment.contribution = contribution.id and payment.amount > 0 and means is not null
                    group by means order by min(payment.paid_on), means) as means
                from contribution join organization on organization.id = contribution.organization
                where contribution.id = \(contribution) and paid = amount
                    and not exists (select from receipt where receipt.contribution = contribution.id)
            ), numbered as (
                insert into receipt_counter as counter (year, last)
                select extract(year from \(today))::integer, 1 from complete
                on conflict (year) do update set last = counter.last + 1
                returning year, last
            )
            insert into receipt (
                id, contribution, year, number, issued_on, paid_on, amount, organization_name, siren, siret, street,
                postal_code, commune, contribution_year, contribution_number, means)
            select \(Receipt.ID()), complete.id, numbered.year, numbered.last, \(today), complete.paid_on,
                complete.amount, complete.name, complete.siren, complete.siret, complete.street, complete.postal_code,
                complete.commune, complete.year, complete.number, complete.means
            from complete, numbered
            returning id
            """)?["id"]
    }

    /// The receipt of a contribution that the caller may see.
    static func get(
        of contribution: Contribution.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Shown? {
        let rules = ["contribution.id = \(contribution)"] + ContributionStore.visible(to: principal)
        return try await executor.first(
            "select \(columns) from \(joined) where \(rules.all)")?.decode(Shown.self)
    }

    static func get(_ id: Receipt.ID, on executor: any PostgresExecutor) async throws -> Shown? {
        try await executor.first("select \(columns) from \(joined) where receipt.id = \(id)")?.decode(Shown.self)
    }

    /// What the list shows on all its pages, and its export.
    static func selection(_ query: ListReceipts.Query, for principal: Principal) -> [SQL] {
        var rules = ContributionStore.visible(to: principal)
        if let organization = query.organization { rules.append("contribution.organization = \(organization)") }
        if let year = query.year { rules.append("receipt.year = \(year)") }
        return rules
    }

    static func list(
        _ query: ListReceipts.Query, _ page: PageRequest, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = selection(query, for: principal)
        if let last = try page.place(of: 2, { (year: $0[0], number: $0[1]) }) {
            rules.append(
                "(receipt.year, receipt.number) < (\(last.year)::text::integer, \(last.number)::text::integer)")
        }
        return try await executor.query(
            """
            select receipt.id, receipt.contribution, contribution.organization, organization_name as name, receipt.year,
                receipt.number, issued_on as "issuedOn", paid_on as "paidOn",
                \(ContributionStore.money("receipt.amount")) as amount, receipt.means,
                case when contribution.paid < contribution.amount then
                    \(ContributionStore.money("contribution.amount - contribution.paid")) end as returned
            from \(joined)
            where \(rules.all)
            order by receipt.year desc, receipt.number desc limit \(page.limit + 1)
            """)
    }

    /// Who is mailed a receipt; nil when nobody knows an address.
    static func recipient(of id: Receipt.ID, on executor: any PostgresExecutor) async throws -> Recipient? {
        struct Found: Decodable {
            var recipient: Recipient
        }
        return try await executor.first(
            """
            select \(Recipient.column)
            from receipt join contribution on contribution.id = receipt.contribution
            \(Recipient.join("'organization'", "contribution.organization", role: .accounting))
            where receipt.id = \(id)
            """)?.decode(Found.self).recipient
    }
}
