import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/bank-lines`
struct BankLineRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListBankLines.self, list)
        builder.routes.read(GetBankLine.self, get)
        builder.routes.write(BookBankLine.self, book)
        builder.routes.write(DismissBankLine.self, dismiss)
        builder.routes.write(ReopenBankLine.self, reopen)
        builder.routes.constraint("bank_line_open_check", Problem(.transitionNotAllowed))
        builder.routes.constraint("bank_line_alike_check", Problem(.bankLineAlike))
        builder.routes.constraint("bank_booking_pkey", Problem(.transitionNotAllowed))
    }

    @Sendable func list(_ call: Call<ListBankLines>) async throws -> RouteResponse<Page<BankLine>> {
        let found = try await BankLineStore.list(call.query, call.page, on: backend.database)
        var lines = Array(found.prefix(call.page.limit))
        try await BankProposals.add(to: &lines, on: backend.database)
        let next =
            try found.count > lines.count
            ? lines.last.map { try call.page.next(after: $0.bookedOn.text, $0.id.text) } : nil
        return .value(Page(items: lines, next: next))
    }

    @Sendable func get(_ call: Call<GetBankLine>) async throws -> RouteResponse<BankLine> {
        var lines = [try await BankLineStore.get(call.path, on: backend.database)]
        try await BankProposals.add(to: &lines, on: backend.database)
        return .value(lines[0], version: lines[0].version)
    }

    @Sendable func book(
        _ call: Call<BookBankLine>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<BankLine> {
        let id = call.path
        try await createBooking(of: id, call.body, by: call.principal, in: transaction)
        let line = try await BankLineStore.get(id, on: transaction)
        try await transaction.record(
            .changed, .bankLine, id, version: line.version, values: call.body, by: call.principal)
        return .value(line, version: line.version)
    }

    @Sendable func dismiss(
        _ call: Call<DismissBankLine>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<BankLine> {
        try await transition(
            call.path, to: .dismissed, because: call.body.reason, by: call.principal, in: transaction)
    }

    @Sendable func reopen(
        _ call: Call<ReopenBankLine>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<BankLine> {
        try await transition(call.path, to: .open, because: nil, by: call.principal, in: transaction)
    }

    private func transition(
        _ id: BankLine.ID, to state: BankLine.State, because reason: Line?, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> RouteResponse<BankLine> {
        try await BankLineStore.transition(id, to: state, because: reason, in: transaction)
        let line = try await BankLineStore.get(id, on: transaction)
        try await transaction.record(
            .changed, .bankLine, id, version: line.version, values: ["reason": reason?.text], by: principal)
        return .value(line, version: line.version)
    }

    private func createBooking(
        of id: BankLine.ID, _ body: BookBankLine.Body, by principal: Principal, in transaction: PostgresTransaction
    ) async throws {
        guard body.means != .credit else { throw Problem.invalid("/means", "is not a means of payment") }
        try await BankLineStore.book(id, isAnother: body.another == true, in: transaction)
        let line = try await BankLineStore.get(id, on: transaction)
        switch (body.contribution, body.contributions, body.refund) {
        case (let contribution?, nil, nil):
            try await pay(
                [.init(contribution: contribution, amount: line.amount)], with: line, body, by: principal,
                in: transaction)
        case (nil, let parts?, nil):
            try Self.check(parts, of: line)
            try await pay(parts, with: line, body, by: principal, in: transaction)
        case (nil, nil, let organization?):
            try await refund(organization, with: line, body, by: principal, in: transaction)
        default: throw Problem.invalid("", "must have one of contribution, contributions and refund")
        }
    }

    /// - Throws: 422 naming what is not allowed.
    private static func check(_ parts: [BookBankLine.Body.Part], of line: BankLine) throws {
        guard Set(parts.map(\.contribution)).count == parts.count else {
            throw Problem.invalid("/contributions", "has a contribution twice")
        }
        for (index, part) in parts.enumerated() {
            let isSame = part.amount.amount.signum() == line.amount.amount.signum()
            guard isSame, abs(part.amount.amount) <= abs(line.amount.amount) else {
                throw Problem.invalid("/contributions/\(index)/amount/amount", "is not a part of the line's amount")
            }
        }
        guard parts.reduce(0, { $0 + $1.amount.amount }) == line.amount.amount else {
            throw Problem.invalid("/contributions", "does not add up to the line's amount")
        }
    }

    private func pay(
        _ parts: [BookBankLine.Body.Part], with line: BankLine, _ body: BookBankLine.Body, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        // In a fixed order: concurrent bookings on the same contributions wait instead of deadlocking.
        for part in parts.sorted(by: { $0.contribution.text.utf8.lexicographicallyPrecedes($1.contribution.text.utf8) })
        {
            let payment = CreatePayment.Body(
                amount: part.amount, paidOn: line.bookedOn, means: body.means ?? .transfer, reference: line.reference)
            do {
                _ = try await PaymentStore.create(
                    Payment.ID(), part.contribution, payment, from: line.id, in: transaction)
            } catch let problem as Problem where problem.type == .notFound {
                let place = parts.firstIndex(of: part) ?? 0
                throw Problem.invalid(
                    body.contribution != nil ? "/contribution" : "/contributions/\(place)/contribution",
                    "unknown contribution")
            }
            try await ReceiptIssuer(backend: backend).issue(for: part.contribution, by: principal, in: transaction)
            try await transaction.record(.changed, .contribution, part.contribution, values: payment, by: principal)
        }
    }

    private func refund(
        _ organization: Organization.ID, with line: BankLine, _ body: BookBankLine.Body, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        guard try await CreditStore.isVisible(organization, to: principal, on: transaction) else {
            throw Problem.invalid("/refund", "unknown organization")
        }
        let id = CreditEntry.ID()
        let refund = RefundCredit.Body(
            amount: Money(cents: -line.amount.amount), paidOn: line.bookedOn, means: body.means ?? .transfer,
            reference: line.reference)
        _ = try await CreditStore.refund(id, organization, refund, from: line.id, in: transaction)
        try await transaction.record(.created, .creditEntry, id, values: refund, by: principal)
    }
}
