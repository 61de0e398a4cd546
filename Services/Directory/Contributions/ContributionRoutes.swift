import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/contribution-calls`, `/v1/contributions`
struct ContributionRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CallContributions.self, callContributions)
        builder.routes.read(ListContributions.self, list)
        builder.routes.read(GetContribution.self, get)
        builder.routes.write(CancelContribution.self, cancel)
        builder.routes.write(CreatePayment.self, pay)
        builder.routes.read(ListPayments.self, listPayments)
        builder.snapshot(.contribution, ContributionStore.snapshot)
        builder.routes.constraint("contribution_paid_check", Problem(.contributionOverpaid))
        builder.routes.constraint("contribution_cancelled_check", Problem(.contributionPaid))
    }

    @Sendable func callContributions(
        _ call: Call<CallContributions>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<ContributionCall> {
        .value(try await callContributions(call.body, by: call.principal, in: transaction))
    }

    @Sendable func list(_ call: Call<ListContributions>) async throws -> RouteResponse<Page<Contribution>> {
        try .page(
            try await ContributionStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "year", "id")
    }

    @Sendable func get(_ call: Call<GetContribution>) async throws -> RouteResponse<Contribution> {
        try .row(try await ContributionStore.get(call.path, for: call.principal, on: backend.database))
    }

    @Sendable func cancel(
        _ call: Call<CancelContribution>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Contribution> {
        let id = call.path
        let rows = try await ContributionStore.cancel(id, because: call.body.reason, in: transaction)
        try await transaction.record(
            .changed, .contribution, id, version: try rows.first?["version"], values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func pay(
        _ call: Call<CreatePayment>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Payment> {
        let id = Payment.ID()
        let contribution = call.path
        let rows = try await PaymentStore.create(id, contribution, call.body, in: transaction)
        try await ReceiptIssuer(backend: backend).issue(for: contribution, by: call.principal, in: transaction)
        try await transaction.record(.changed, .contribution, contribution, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func listPayments(_ call: Call<ListPayments>) async throws -> RouteResponse<Page<Payment>> {
        let contribution = call.path
        let found = try await ContributionStore.get(contribution, for: call.principal, on: backend.database).first
        guard found != nil else { throw Problem(.notFound) }
        return try .page(
            try await PaymentStore.list(of: contribution, call.page, on: backend.database), call.page, key: "id", "id")
    }

    private func callContributions(
        _ body: CallContributions.Body, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> ContributionCall {
        let lastYear = Day.today.year + 10
        guard (2000...lastYear).contains(body.year) else {
            throw Problem.invalid("/year", "must be from 2000 to \(lastYear)")
        }
        let dueOn = body.dueOn ?? Day.today.adding(days: 30)
        try DayMeaning.due.check(dueOn, at: "/dueOn")
        guard body.dryRun != true else {
            let last = try await ContributionStore.last(body.year, in: transaction)
            let candidates = try await ContributionStore.candidates(body.year, in: transaction)
            let carried = try await CreditStore.available(for: candidates, in: transaction)
            return outcome(body.year, candidates, carried: carried, after: last)
        }
        let last = try await ContributionStore.lock(body.year, in: transaction)
        let (called, ids) = try await transaction.retryingAfterMerge { transaction in
            let candidates = try await ContributionStore.candidates(body.year, in: transaction)
            let ids = candidates.map { _ in Contribution.ID() }
            try await ContributionStore.insert(
                candidates, ids: ids, year: body.year, dueOn: dueOn, after: last, in: transaction)
            return (candidates, ids)
        }
        try await transaction.record(
            ids.map { .init(.created, .contribution, $0, version: 1, values: body) }, by: principal)
        let carried = try await CreditCarryOver(backend: backend).apply(to: ids, by: principal, in: transaction)
        return outcome(body.year, called, carried: carried, after: last)
    }

    private func outcome(
        _ year: Int, _ called: [ContributionStore.Candidate], carried: Int, after last: Int
    ) -> ContributionCall {
        ContributionCall(
            year: year, called: called.count, amount: Money(cents: called.reduce(0) { $0 + $1.amount }),
            total: last + called.count, carriedOver: Money(cents: carried))
    }
}
