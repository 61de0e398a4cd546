import ClubProtocol
import NIOCore
import Postgres
import ServiceKit

/// `/v1/imports/experts`
struct ImportRoutes {
    let backend: Backend

    /// Ends a transaction without its effects, and brings the report out of it.
    private struct Undone: Error {
        let report: ExpertImport
    }

    func mount(on parts: inout ServiceParts) {
        let (database, journal) = (backend.database, backend.journal)
        parts.routes.upload(ImportExperts.self) { call, body in
            let mode = call.query.mode ?? .dryRun
            do {
                // The body can be read only once, so the transaction is not tried again.
                let report = try await database.transaction(retries: 0) { transaction in
                    try await ImportStore.lock(in: transaction)
                    try await ConsentStore.say(.import, by: call.principal, in: transaction)
                    var importer = ExpertImporter(
                        mode: mode, topics: try await ImportStore.vocabulary(in: transaction), journal: journal,
                        by: call.principal, in: transaction)
                    var reader = CSVReader()
                    for try await buffer in body {
                        for record in reader.read(buffer.readableBytesView) { try await importer.take(record) }
                    }
                    for record in reader.finish() { try await importer.take(record) }
                    var report = try await importer.finish()
                    let isRefused = report.rejected > 0 && call.query.rejects != .skipRow
                    if mode == .dryRun || isRefused {
                        report.applied = false
                        throw Undone(report: report)
                    }
                    return report
                }
                return .value(report)
            } catch let undone as Undone {
                return .value(undone.report)
            }
        }
    }
}
