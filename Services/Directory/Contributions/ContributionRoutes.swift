import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/contribution-calls`, `/v1/contributions`
struct ContributionRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let (database, journal) = (backend.database, backend.journal)
        builder.routes.write(CallContributions.self) { call, transaction in
            .value(try await self.call(call.body, by: call.principal, in: transaction))
        }
        builder.routes.read(ListContributions.self) { call in
            try .page(
                try await ContributionStore.list(call.query, call.page, for: call.principal, on: database),
                call.page, key: "year", "id")
        }
        builder.routes.read(GetContribution.self) { call in
            try .row(try await ContributionStore.get(call.path, for: call.principal, on: database))
        }
        builder.routes.write(CancelContribution.self) { call, transaction in
            let id = call.path
            let rows = try await ContributionStore.cancel(id, because: call.body.reason, in: transaction)
            try await journal.record(
                .changed, .contribution, id, version: try rows.first?["version"], values: call.body,
                by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.write(CreatePayment.self) { call, transaction in
            let id = Payment.ID()
            let contribution = call.path
            let rows = try await PaymentStore.create(id, contribution, call.body, in: transaction)
            try await ReceiptRoutes.issue(for: contribution, by: call.principal, backend, in: transaction)
            try await journal.record(
                .changed, .contribution, contribution, values: call.body, by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.read(ListPayments.self) { call in
            let contribution = call.path
            guard try await ContributionStore.get(contribution, for: call.principal, on: database).first != nil else {
                throw Problem(.notFound)
            }
            return try .page(
                try await PaymentStore.list(of: contribution, call.page, on: database), call.page, key: "id", "id")
        }
        builder.snapshot(.contribution, ContributionStore.snapshot)
        builder.routes.constraint("contribution_paid_check", Problem(.contributionOverpaid))
        builder.routes.constraint("contribution_cancelled_check", Problem(.contributionPaid))
    }

    private func call(
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
        try await backend.journal.record(
            ids.map { .init(.created, .contribution, $0, version: 1, values: body) }, by: principal, in: transaction)
        let carried = try await CreditRoutes.carryOver(to: ids, by: principal, backend, in: transaction)
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
