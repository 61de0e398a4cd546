import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/members.csv`, `/v1/memberships.csv`, `/v1/contributions.csv`, `/v1/payments.csv`, `/v1/credit-entries.csv`,
/// `/v1/receipts.csv`
struct TreasurerTableRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.export(ExportMembers.self, headers: .attachment("members.csv"), exportMembers)
        builder.routes.export(ExportMemberships.self, headers: .attachment("memberships.csv"), exportMemberships)
        builder.routes.export(
            ExportContributions.self, headers: .attachment("contributions.csv"), exportContributions)
        builder.routes.export(ExportPayments.self, headers: .attachment("payments.csv"), exportPayments)
        builder.routes.export(
            ExportCreditEntries.self, headers: .attachment("credit-entries.csv"), exportCreditEntries)
        builder.routes.export(ExportReceipts.self, headers: .attachment("receipts.csv"), exportReceipts)
    }

    @Sendable func exportMembers(_ call: Call<ExportMembers>, _ output: TextWriter) async throws {
        var query = call.query.filter
        // One day for all pages, even if midnight passes meanwhile.
        query.asOf = query.asOf ?? .today
        try await call.query.format.write(
            .members(query, for: call.principal), where: MemberStore.selection(query, for: call.principal).all,
            from: backend.database, to: output)
    }

    @Sendable func exportMemberships(_ call: Call<ExportMemberships>, _ output: TextWriter) async throws {
        try await call.query.format.write(
            .memberships, where: MembershipStore.selection(call.query.filter, for: call.principal).all,
            from: backend.database, to: output)
    }

    @Sendable func exportContributions(_ call: Call<ExportContributions>, _ output: TextWriter) async throws {
        try await call.query.format.write(
            .contributions, where: ContributionStore.selection(call.query.filter, for: call.principal).all,
            from: backend.database, to: output)
    }

    @Sendable func exportPayments(_ call: Call<ExportPayments>, _ output: TextWriter) async throws {
        try await call.query.format.write(
            .payments, where: PaymentStore.selection(call.query.filter, for: call.principal), from: backend.database,
            to: output)
    }

    @Sendable func exportCreditEntries(_ call: Call<ExportCreditEntries>, _ output: TextWriter) async throws {
        try await call.query.format.write(
            .creditEntries, where: CreditStore.selection(call.query.filter, for: call.principal),
            from: backend.database, to: output)
    }

    @Sendable func exportReceipts(_ call: Call<ExportReceipts>, _ output: TextWriter) async throws {
        try await call.query.format.write(
            .receipts, where: ReceiptStore.selection(call.query.filter, for: call.principal).all,
            from: backend.database, to: output)
    }
}
