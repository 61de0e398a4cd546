import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/organizations/{organization}/credit`, `…/credit-refunds`
struct CreditRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let (database, journal) = (backend.database, backend.journal)
        builder.routes.read(GetCredit.self) { call in
            let organization = call.path
            guard try await CreditStore.isVisible(organization, to: call.principal, on: database) else {
                throw try await MergedRecords.notFoundOrMerged(
                    of: organization, .organization, for: call.principal, on: database)
            }
            let balance = try await CreditStore.balance(of: organization, on: database)
            let rows = try await CreditStore.list(of: organization, call.page, on: database)
            let items = try rows.prefix(call.page.limit).map { try $0.decode(CreditEntry.self) }
            let isMore = rows.count > call.page.limit
            return .value(
                OrganizationCredit(
                    organization: organization, balance: Money(cents: balance), items: items,
                    next: isMore
                        ? try rows.prefix(call.page.limit).last.map { try call.page.next(after: $0["_number"]) } : nil))
        }
        builder.routes.write(RefundCredit.self) { call, transaction in
            let (id, organization, body) = (CreditEntry.ID(), call.path, call.body)
            try Self.check(body)
            guard try await CreditStore.isVisible(organization, to: call.principal, on: transaction) else {
                throw try await MergedRecords.notFoundOrMerged(
                    of: organization, .organization, for: call.principal, on: transaction)
            }
            let rows = try await CreditStore.refund(id, organization, body, in: transaction)
            try await journal.record(.created, .creditEntry, id, values: body, by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.constraint("credit_balance_check", Problem(.creditExceeded))
        builder.routes.constraint("credit_entry_returned_check", Problem(.creditExceeded))
    }

    /// - Throws: 422 naming what is not allowed.
    private static func check(_ body: RefundCredit.Body) throws {
        let most = Int(Int32.max)
        guard body.amount.amount != 0, (-most...most).contains(body.amount.amount) else {
            throw Problem.invalid("/amount/amount", "must be between 1 and 2147483647 cents, or as much below 0")
        }
        guard body.means != .credit else { throw Problem.invalid("/means", "is not a means of refund") }
        try DayMeaning.payment.check(body.paidOn, at: "/paidOn")
    }

    private struct CarriedOver: Encodable, Sendable {
        var carriedOver: Int
    }

    /// Uses credit for contributions that have just been called, at most one per organization; those that are fully
    /// paid by it get their receipts.
    ///
    /// - Returns: the amount, in cents.
    static func carryOver(
        to contributions: [Contribution.ID], by principal: Principal, _ backend: Backend,
        in transaction: PostgresTransaction
    ) async throws -> Int {
        let carried = try await CreditStore.carryOver(to: contributions, in: transaction)
        try await backend.journal.record(
            carried.map {
                .init(
                    .changed, .contribution, $0.contribution, version: $0.version,
                    values: CarriedOver(carriedOver: $0.amount))
            }, by: principal, in: transaction)
        for paid in carried where paid.isPaid {
            try await ReceiptRoutes.issue(for: paid.contribution, by: principal, backend, in: transaction)
        }
        return carried.reduce(0) { $0 + $1.amount }
    }
}
