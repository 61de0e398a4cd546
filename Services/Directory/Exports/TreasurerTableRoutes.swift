import ClubProtocol
import ServiceKit

/// `/v1/members.csv`, `/v1/memberships.csv`, `/v1/contributions.csv`, `/v1/payments.csv`, `/v1/credit-entries.csv`,
/// `/v1/receipts.csv`
struct TreasurerTableRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.routes.export(ExportMembers.self, headers: ExportRoutes.file("members.csv")) { call, output in
            var query = call.query.filter
            // One day for all pages, even if midnight passes meanwhile.
            query.asOf = query.asOf ?? .today
            try await TableFormat(isForExcel: call.query.excel == true).write(
                .members(query, for: call.principal), where: MemberStore.selection(query, for: call.principal).all,
                from: database,
                to: output)
        }
        builder.routes.export(ExportMemberships.self, headers: ExportRoutes.file("memberships.csv")) { call, output in
            try await TableFormat(isForExcel: call.query.excel == true).write(
                .memberships, where: MembershipStore.selection(call.query.filter, for: call.principal).all,
                from: database, to: output)
        }
        builder.routes.export(ExportContributions.self, headers: ExportRoutes.file("contributions.csv")) {
            call, output in
            try await TableFormat(isForExcel: call.query.excel == true).write(
                .contributions, where: ContributionStore.selection(call.query.filter, for: call.principal).all,
                from: database, to: output)
        }
        builder.routes.export(ExportPayments.self, headers: ExportRoutes.file("payments.csv")) { call, output in
            try await TableFormat(isForExcel: call.query.excel == true).write(
                .payments, where: PaymentStore.selection(call.query.filter, for: call.principal), from: database,
                to: output)
        }
        builder.routes.export(
            ExportCreditEntries.self, headers: ExportRoutes.file("credit-entries.csv")
        ) { call, output in
            try await TableFormat(isForExcel: call.query.excel == true).write(
                .creditEntries, where: CreditStore.selection(call.query.filter, for: call.principal), from: database,
                to: output)
        }
        builder.routes.export(ExportReceipts.self, headers: ExportRoutes.file("receipts.csv")) { call, output in
            try await TableFormat(isForExcel: call.query.excel == true).write(
                .receipts, where: ReceiptStore.selection(call.query.filter, for: call.principal).all, from: database,
                to: output)
        }
    }
}
