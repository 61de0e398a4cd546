import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/organizations/{organization}/credit`, `…/credit-refunds`
struct CreditRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(GetCredit.self, get)
        builder.routes.write(RefundCredit.self, refund)
        builder.routes.constraint("credit_balance_check", Problem(.creditExceeded))
        builder.routes.constraint("credit_entry_returned_check", Problem(.creditExceeded))
    }

    @Sendable func get(_ call: Call<GetCredit>) async throws -> RouteResponse<OrganizationCredit> {
        let organization = call.path
        guard try await CreditStore.isVisible(organization, to: call.principal, on: backend.database) else {
            throw try await MergedRecords.notFoundOrMerged(
                of: organization, .organization, for: call.principal, on: backend.database)
        }
        let balance = try await CreditStore.balance(of: organization, on: backend.database)
        let rows = try await CreditStore.list(of: organization, call.page, on: backend.database)
        let items = try rows.prefix(call.page.limit).map { try $0.decode(CreditEntry.self) }
        let isMore = rows.count > call.page.limit
        return .value(
            OrganizationCredit(
                organization: organization, balance: Money(cents: balance), items: items,
                next: isMore
                    ? try rows.prefix(call.page.limit).last.map { try call.page.next(after: $0["_number"]) } : nil))
    }

    @Sendable func refund(
        _ call: Call<RefundCredit>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<CreditEntry> {
        let (id, organization, body) = (CreditEntry.ID(), call.path, call.body)
        try Self.check(body)
        guard try await CreditStore.isVisible(organization, to: call.principal, on: transaction) else {
            throw try await MergedRecords.notFoundOrMerged(
                of: organization, .organization, for: call.principal, on: transaction)
        }
        let rows = try await CreditStore.refund(id, organization, body, in: transaction)
        try await transaction.record(.created, .creditEntry, id, values: body, by: call.principal)
        return try .row(rows)
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
}
