import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

extension RecordKind: PostgresEncodable, PostgresDecodable {
    /// The kind's table.
    var table: SQL {
        switch self {
        case .organization: "organization"
        case .person: "person"
        case .expert: "expert"
        }
    }

    /// Its name as an SQL literal: there are indexes of one kind only.
    var literal: SQL {
        switch self {
        case .organization: "'organization'"
        case .person: "'person'"
        case .expert: "'expert'"
        }
    }

    var path: String {
        switch self {
        case .organization: "organizations"
        case .person: "people"
        case .expert: "experts"
        }
    }
}

/// What became of records that were merged into others.
enum MergedRecords {
    /// The error for a record that is not found: the club's staff and services are told what it was merged into.
    static func notFoundOrMerged(
        of id: some TextValue & PostgresEncodable, _ kind: RecordKind, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Problem {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: break
        case .representative, .ambassador, .expert: return Problem(.notFound)
        }
        guard let survivor = try await survivor(of: id, kind, on: executor) else { return Problem(.notFound) }
        return Problem(
            .merged, "It was merged into \(survivor).",
            headers: [.location: "/v1/\(kind.path)/\(survivor)"])
    }

    /// The record into which another was merged, following further merges to the last; nil if it was not merged.
    static func survivor(
        of id: some TextValue & PostgresEncodable, _ kind: RecordKind, on executor: any PostgresExecutor
    ) async throws -> DirectoryRecord.ID? {
        try await executor.first(
            """
            with recursive heir (id) as (
                select survivor from merge where kind = \(kind) and merged = \(id) and undone_at is null
                union
                select merge.survivor from merge join heir on merge.merged = heir.id where merge.undone_at is null)
            select id from heir
            where not exists (select from merge where merge.merged = heir.id and merge.undone_at is null)
            """)?["id"]
    }
}

extension PostgresTransaction {
    /// A merge that commits between finding organizations and writing about them removes some of them. Then both steps
    /// are repeated: a row that refers to a record waits for the merge that has locked it, so the next attempt sees the
    /// result.
    nonisolated(nonsending) func retryingAfterMerge<T: Sendable>(
        _ body: (PostgresTransaction) async throws -> T
    ) async throws -> T {
        for _ in 1...3 {
            do {
                return try await savepoint(body)
            } catch let error as PostgresError where error.sqlState == SQLState.foreignKeyViolation {}
        }
        return try await savepoint(body)
    }
}
