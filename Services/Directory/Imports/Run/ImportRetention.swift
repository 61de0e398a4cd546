import ClubProtocol
import Postgres
import ServiceKit

/// The outcome of each row is useful only while someone may ask about it; a file of a million rows has a million
/// outcomes. The import itself is kept, with its counts.
struct ImportRetention: Sendable {
    let backend: Backend

    private struct Forgotten: Encodable, Sendable {
        var rows: Int
    }

    private static let code: Line = "importRows"

    /// Per transaction.
    private static var atOnce: Int { 20_000 }

    private static func due(_ months: Int) -> SQL {
        """
        select id, updated_at as since from import
        where rows > 0 and rows_forgotten_at is null
            and updated_at < now() - make_interval(months => \(months)::integer)
        """
    }

    var task: RetentionTask {
        RetentionTask(
            Self.code, "What became of each row of a file: forgotten, but for the counts.", due: Self.due
        ) { months, job in
            let imports = try await backend.database.query("select id from (\(Self.due(months))) as due order by since")
            var count = 0
            for row in imports where try await forget(try row["id"], months, job) { count += 1 }
            return count
        }
    }

    /// Deletes in batches, so that no transaction is long.
    ///
    /// - Returns: whether it was still due. An import that was sent again is not.
    private func forget(_ id: Import.ID, _ months: Int, _ job: JobContext) async throws -> Bool {
        var rows = 0
        while true {
            try await job.heartbeat()
            let soFar = rows
            let (isDue, deleted) = try await backend.database.transaction { transaction in
                try await job.fence(in: transaction)
                let due = try await transaction.first(
                    "select id from import where id in (select id from (\(Self.due(months))) as due) and id = \(id) for update"
                )
                guard due != nil else { return (false, 0) }
                let deleted = try await transaction.execute(
                    """
                    delete from import_row where import = \(id) and number <= (
                        select max(number) from (
                            select number from import_row where import = \(id) order by number limit \(Self.atOnce)
                        ) as first)
                    """)
                guard deleted < Self.atOnce else { return (true, deleted) }
                // Of a file that was never sent completely.
                try await transaction.execute("delete from import_held where import = \(id)")
                try await transaction.execute(
                    "update import set rows_forgotten_at = now(), version = version + 1 where id = \(id)")
                try await transaction.record(
                    .changed, .retentionRule, Self.code, values: Forgotten(rows: soFar + deleted),
                    by: .service(backend.name))
                return (true, deleted)
            }
            guard isDue else { return false }
            rows += deleted
            if deleted < Self.atOnce { return true }
        }
    }
}
