import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/duplicates`, `/v1/duplicate-scans`
struct DuplicateRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let (database, journal) = (backend.database, backend.journal)
        let scans = DuplicateScanJob(backend: backend)
        builder.routes.read(ListDuplicates.self) { call in
            try .page(
                try await DuplicateStore.list(call.query, call.page, on: database), call.page, key: "score", "id")
        }
        builder.routes.write(DismissDuplicate.self) { call, transaction in
            let rows = try await DuplicateStore.move(call.path, to: .dismissed, in: transaction)
            try await journal.record(
                .changed, .duplicate, call.path, version: try rows.first?["version"], by: call.principal,
                in: transaction)
            return try .row(rows)
        }
        builder.routes.write(ReopenDuplicate.self) { call, transaction in
            let rows = try await DuplicateStore.reopen(call.path, in: transaction)
            try await journal.record(
                .changed, .duplicate, call.path, version: try rows.first?["version"], by: call.principal,
                in: transaction)
            return try .row(rows)
        }
        builder.routes.write(ScanDuplicates.self) { call, transaction in
            try .row(try await scans.request(whole: call.body.whole ?? false, in: transaction))
        }
        builder.routes.read(GetDuplicateScan.self) { call in
            try .row(try await DuplicateScanJob.get(call.path, on: database))
        }
        builder.job(DuplicateScanJob.kind) { payload, context in try await scans.run(payload.scan, context) }
        builder.schedule("scan-duplicates", .daily(at: "03:20")) { context in
            try await database.transaction { transaction in
                _ = try await scans.request(whole: false, in: transaction)
                try await context.finish(in: transaction)
            }
        }
    }
}
