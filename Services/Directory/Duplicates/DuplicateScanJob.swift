import ClubProtocol
import FoundationEssentials
import Postgres
import ServiceKit

/// Runs the requested scans in order, and one of its own every night.
struct DuplicateScanJob {
    static let kind = JobKind<Payload>("duplicates.scan", maximumAttempts: 5, timeLimit: .seconds(3 * 3600))
    /// A change is visible from its commit but has the time when its transaction began: no transaction takes longer
    /// than this.
    private static let margin = Duration.seconds(600)

    struct Payload: Codable, Sendable {
        var scan: DuplicateScan.ID
    }

    private static let columns: SQL = """
        id, whole, requested_at as "requestedAt", started_at as "startedAt", finished_at as "finishedAt", examined, found,
        dropped
        """

    let backend: Backend

    /// Requests a scan in the caller's transaction.
    func request(whole: Bool, in transaction: PostgresTransaction) async throws -> Rows {
        let id = DuplicateScan.ID()
        let rows = try await transaction.query(
            "insert into duplicate_scan (id, whole) values (\(id), \(whole)) returning \(Self.columns)")
        try await backend.jobs.enqueue(Self.kind, Payload(scan: id), in: transaction)
        return rows
    }

    static func get(_ id: DuplicateScan.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from duplicate_scan where id = \(id)")
    }

    /// From the beginning; an interrupted run is restarted, and finds what it wrote.
    func run(_ id: DuplicateScan.ID, _ context: JobContext) async throws {
        let database = backend.database
        let row = try await database.write(
            """
            with begun as (
                update duplicate_scan set started_at = now(), examined = 0, found = 0, dropped = 0
                where id = \(id) and finished_at is null
                returning id, whole)
            select case when whole then null else (
                select max(started_at) from duplicate_scan where finished_at is not null) end as since
            from begun
            """
        ).first
        guard let row else { return }
        let since = try row.optional("since", as: Timestamp.self)?.advanced(by: .zero - Self.margin)
        for kind in RecordKind.allCases {
            var position = DuplicateScanner.Position(
                at: since ?? Timestamp(microseconds: 0),
                id: .init(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))))
            while true {
                let next = try await database.transaction { [position] transaction in
                    try await context.fence(in: transaction)
                    let progress = try await DuplicateScanner.step(kind, after: position, in: transaction)
                    try await Self.add(progress.examined, progress.found, progress.dropped, to: id, in: transaction)
                    return progress
                }
                guard let at = next.at, let last = next.id else { break }
                position = .init(at: at, id: last)
            }
            try await database.transaction { transaction in
                try await context.fence(in: transaction)
                let swept = try await DuplicateScanner.sweep(kind, in: transaction)
                try await Self.add(0, 0, swept, to: id, in: transaction)
            }
        }
        try await database.transaction { transaction in
            try await transaction.execute("update duplicate_scan set finished_at = now() where id = \(id)")
            try await context.finish(in: transaction)
        }
    }

    private static func add(
        _ examined: Int, _ found: Int, _ dropped: Int, to id: DuplicateScan.ID, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            update duplicate_scan set
                examined = examined + \(examined)::bigint::integer, found = found + \(found)::bigint::integer,
                dropped = dropped + \(dropped)::bigint::integer
            where id = \(id)
            """)
    }
}
