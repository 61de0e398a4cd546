import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/duplicates`, `/v1/duplicate-scans`
struct DuplicateRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.routes.read(ListDuplicates.self, list)
        builder.routes.write(DismissDuplicate.self, dismiss)
        builder.routes.write(ReopenDuplicate.self, reopen)
        builder.routes.write(ScanDuplicates.self, scan)
        builder.routes.read(GetDuplicateScan.self, getScan)
        builder.job(DuplicateScanJob.kind) { [scans] payload, context in try await scans.run(payload.scan, context) }
        builder.schedule("scan-duplicates", .daily(at: "03:20")) { [scans] context in
            try await database.transaction { transaction in
                _ = try await scans.request(whole: false, in: transaction)
                try await context.finish(in: transaction)
            }
        }
    }

    private var scans: DuplicateScanJob { DuplicateScanJob(backend: backend) }

    @Sendable func list(_ call: Call<ListDuplicates>) async throws -> RouteResponse<Page<Duplicate>> {
        try .page(
            try await DuplicateStore.list(call.query, call.page, on: backend.database), call.page, key: "score", "id")
    }

    @Sendable func dismiss(
        _ call: Call<DismissDuplicate>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Duplicate> {
        let rows = try await DuplicateStore.transition(call.path, to: .dismissed, in: transaction)
        try await transaction.record(
            .changed, .duplicate, call.path, version: try rows.first?["version"], by: call.principal)
        return try .row(rows)
    }

    @Sendable func reopen(
        _ call: Call<ReopenDuplicate>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Duplicate> {
        let rows = try await DuplicateStore.reopen(call.path, in: transaction)
        try await transaction.record(
            .changed, .duplicate, call.path, version: try rows.first?["version"], by: call.principal)
        return try .row(rows)
    }

    @Sendable func scan(
        _ call: Call<ScanDuplicates>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<DuplicateScan> {
        try .row(try await scans.request(whole: call.body.whole ?? false, in: transaction))
    }

    @Sendable func getScan(_ call: Call<GetDuplicateScan>) async throws -> RouteResponse<DuplicateScan> {
        try .row(try await DuplicateScanJob.get(call.path, on: backend.database))
    }
}
