import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of calls for contributions, as members read them, and of the stored files of calls and receipts.
enum ContributionDocumentStore {
    enum Kind: String {
        case call, cancelledCall, receipt
    }

    /// A stored file: one for each call, and one for each version of a receipt.
    struct File {
        var kind: Kind
        var contribution: Contribution.ID
        var receipt: Receipt.ID?
        var notice: String?
    }

    /// The content of a call.
    struct Call: Decodable {
        var contribution: Contribution.ID
        var year: Int
        var number: Int
        /// Whether it is for the price difference after a change of tier within the year.
        var isComplement: Bool
        /// In cents.
        var amount: Int
        /// In cents: the part paid from the organization's credit when it was called.
        var carriedOver: Int
        /// In cents, to date.
        var paid: Int
        var calledOn: Day
        var dueOn: Day
        var addressee: Addressee
        /// The day from which it is no longer owed.
        var cancelledOn: Day?
    }

    /// At the organization's billing address, or else at its seat.
    private static let addressee = Addressee.column(
        name: "organization.name", siren: "coalesce(siren, left(siret, 9))", siret: "siret",
        street: "case when billing is null then organization.street else billing ->> 'street' end",
        postalCode: "case when billing is null then organization.postal_code else billing ->> 'postalCode' end",
        commune: "case when billing is null then organization.commune else billing ->> 'commune' end")

    private static let calls: SQL = """
        select contribution.id as contribution, year, number, complements is not null as "isComplement", amount, paid, (
                select coalesce(sum(payment.amount), 0)::integer from payment
                where payment.contribution = contribution.id and payment.means = 'credit'
                    and payment.created_at = contribution.created_at) as "carriedOver",
            called_on as "calledOn", due_on as "dueOn",
            \(addressee), cancelled_on as "cancelledOn"
        from contribution join organization on organization.id = contribution.organization
        left join lateral (
            select value as billing from jsonb_array_elements(organization.addresses)
            where value ->> 'use' = 'billing' limit 1) as address on true
        """

    static func call(_ id: Contribution.ID, on executor: any PostgresExecutor) async throws -> Call? {
        try await executor.first("\(calls) where contribution.id = \(id)")?.decode(Call.self)
    }

    static func call(
        _ id: Contribution.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Call? {
        let rules = ["contribution.id = \(id)"] + SQL.recordsOfOrganizations(visibleTo: principal)
        return try await executor.first("\(calls) where \(rules.all)")?.decode(Call.self)
    }

    // MARK: Files

    static func kept(_ file: File, on executor: any PostgresExecutor) async throws -> [UInt8]? {
        try await executor.first(
            """
            select pdf from contribution_document
            where contribution = \(file.contribution) and kind = \(file.kind.rawValue)
                and receipt is not distinct from \(file.receipt) and notice is not distinct from \(file.notice)
            """)?["pdf"]
    }

    /// Stores a file; a file that is stored already is kept.
    static func keep(_ pdf: [UInt8], as file: File, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            insert into contribution_document (contribution, kind, receipt, notice, pdf)
            values (\(file.contribution), \(file.kind.rawValue), \(file.receipt), \(file.notice), \(pdf))
            on conflict do nothing
            """)
    }
}
