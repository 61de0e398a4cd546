import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/imports/suppressions`.
struct SuppressionImportRoutes {
    /// Rows in a statement.
    private static let chunk = 2000

    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.upload(ImportSuppressions.self, take)
    }

    /// Rolls a dry run back.
    private struct Undone: Error {
        var report: SuppressionImportReport
    }

    @Sendable func take(
        _ call: Call<ImportSuppressions>, _ body: UploadBody
    ) async throws -> RouteResponse<SuppressionImportReport> {
        // No transaction waits for the network while holding locks.
        let file = try await SuppressionFile.taking(body, standard: call.query.reason ?? .unsubscribed)
        let mode = call.query.mode ?? .dryRun
        do {
            return .value(
                try await backend.database.transaction { transaction in
                    let report = try await write(file, mode, by: call.principal, in: transaction)
                    if mode == .dryRun { throw Undone(report: report) }
                    return report
                })
        } catch let undone as Undone {
            return .value(undone.report)
        }
    }

    private func write(
        _ file: SuppressionFile, _ mode: Import.Mode, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> SuppressionImportReport {
        var file = file
        var (created, updated) = (0, 0)
        var rest = file.rows[...]
        while !rest.isEmpty {
            let rows = rest.prefix(Self.chunk)
            rest = rest.dropFirst(Self.chunk)
            let erased = try await ErasedReaders.among(rows.map(\.suppression.email), in: transaction)
            for row in rows where erased.contains(row.suppression.email) {
                file.reject(
                    row.number, nil,
                    "the person with this address was erased; it is never mailed or recorded again")
            }
            let written = try await SuppressionStore.add(
                rows.map(\.suppression).filter { !erased.contains($0.email) }, by: principal, in: transaction)
            for row in written where try row["_isChanged"] {
                if try row["_isNew"] { created += 1 } else { updated += 1 }
            }
        }
        return SuppressionImportReport(
            mode: mode, rows: file.count, created: created, updated: updated,
            skipped: file.count - created - updated - file.rejected, rejected: file.rejected,
            errors: file.errors.sorted { $0.row < $1.row }, unknownColumns: file.unknownColumns)
    }
}
