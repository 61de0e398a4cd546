import ClubProtocol
import Postgres
import ServiceKit

/// The tables of the treasurer and the secretary. Imports do not accept them.
extension ExportTable {
    /// The members on the day of a query, and their credit then, for callers who may see credit.
    static func members(_ query: ListMembers.Filter, for principal: Principal) -> ExportTable {
        let credit: SQL =
            GetCredit.operation.access.allows(principal.role)
            ? """
            (select coalesce(sum(entry.amount), 0) from credit_entry as entry
            where entry.organization = organization.id and entry.day <= \(query.asOf ?? .today)::date)
            """ : "null::bigint"
        return ExportTable(
            columns: [
                .init("organization", "organization.id::text"), .init("name", "organization.name"),
                .init("kind", "organization.kind"), .init("siret", "organization.siret"),
                .init("status", "standing.status"), .init("tier", "standing.tier"),
                .init("since", day(MemberStore.since)), .amount("owed", "(standing.owed ->> 'amount')::bigint"),
                .init("membership", "standing.membership::text"), .amount("credit", credit),
            ],
            source: MemberStore.source(query), order: .name(of: "organization"))
    }

    static let memberships = ExportTable(
        columns: [
            .init("id", "membership.id::text"), .init("organization", "membership.organization::text"),
            .init("name", name(of: "membership.organization")), .init("tier", "tier"),
            .init("from", day("from_day")), .init("until", day("until_day")),
        ],
        source: "membership",
        order: .init(first: ("membership.from_day", "date"), second: ("membership.id", "uuid"), isDescending: true))

    static let contributions = ExportTable(
        columns: [
            .init("id", "contribution.id::text"), .init("year", "year::text"), .init("number", "number::text"),
            .init("organization", "contribution.organization::text"),
            .init("name", name(of: "contribution.organization")), .init("state", ContributionStore.state),
            .amount("amount", "amount"), .amount("paid", "paid"),
            .amount("owed", "case when cancelled_on is null then amount - paid else 0 end"),
            .init("calledOn", day("called_on")), .init("dueOn", day("due_on")),
            .init("cancelledOn", day("cancelled_on")), .init("cancellationReason", "cancellation_reason"),
            .init("receipt", ContributionStore.receipt), .init("membership", "membership::text"),
            .init("complements", "complements::text"),
        ],
        source: "contribution",
        order: .init(first: ("contribution.year", "integer"), second: ("contribution.id", "uuid"), isDescending: true))

    /// The payment journal. Returned money is below zero.
    static let payments = ExportTable(
        columns: [
            .init("id", "payment.id::text"), .init("paidOn", day("payment.paid_on")),
            .amount("amount", "payment.amount"), .init("means", "payment.means"),
            .init("reference", "payment.reference"), .init("contribution", "payment.contribution::text"),
            .init("year", "contribution.year::text"), .init("number", "contribution.number::text"),
            .init("organization", "contribution.organization::text"),
            .init("name", name(of: "contribution.organization")),
            .init("bookedOn", day("(payment.created_at at time zone 'Europe/Paris')")),
            .amount("credited", "payment.credited"),
        ],
        source: "payment join contribution on contribution.id = payment.contribution",
        order: .init(first: ("payment.paid_on", "date"), second: ("payment.id", "uuid"), isDescending: true))

    /// Credit added and used; used credit is below zero.
    static let creditEntries = ExportTable(
        columns: [
            .init("id", "credit_entry.id::text"), .init("day", day("credit_entry.day")),
            .amount("amount", "credit_entry.amount"), .init("kind", "credit_entry.kind"),
            .init("means", "credit_entry.means"), .init("reference", "credit_entry.reference"),
            .init("organization", "credit_entry.organization::text"),
            .init("name", name(of: "credit_entry.organization")),
            .init("contribution", "payment.contribution::text"),
            .init("bookedOn", day("(credit_entry.created_at at time zone 'Europe/Paris')")),
        ],
        source: "credit_entry left join payment on payment.id = credit_entry.payment",
        order: .init(first: ("credit_entry.day", "date"), second: ("credit_entry.id", "uuid"), isDescending: true))

    /// The content of receipts, and what has been returned since.
    static let receipts = ExportTable(
        columns: [
            .init("id", "receipt.id::text"), .init("number", "receipt.year || '-' || receipt.number"),
            .init("organization", "contribution.organization::text"), .init("name", "receipt.organization_name"),
            .init("siret", "receipt.siret"), .init("issuedOn", day("receipt.issued_on")),
            .init("paidOn", day("receipt.paid_on")), .amount("amount", "receipt.amount"),
            .init("means", "array_to_string(receipt.means, ', ')"),
            .amount(
                "returned", "case when \(ReceiptStore.isLatest) then contribution.amount - contribution.paid else 0 end"
            ),
            .init("contribution", "contribution.id::text"), .init("replacedBy", ReceiptStore.replacedBy),
        ],
        source: ReceiptStore.joined,
        order: .init(first: ("receipt.year", "integer"), second: ("receipt.number", "integer"), isDescending: true))

    private static func day(_ column: SQL) -> SQL { "to_char(\(column), 'YYYY-MM-DD')" }

    private static func name(of organization: SQL) -> SQL {
        "(select o.name from organization o where o.id = \(organization))"
    }
}
