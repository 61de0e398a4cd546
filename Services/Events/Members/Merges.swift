import ClubProtocol
import Postgres
import ServiceKit

/// Follows the merges of the directory.
enum Merges {
    /// Applies what a change says about a merge. Its state is that at the time of reading: a merge that has been undone
    /// since is never applied.
    static func apply(_ change: Change, _ transaction: PostgresTransaction) async throws {
        guard change.entity == .merge, let id = try? Merge.ID(validating: change.id) else { return }
        guard let merge = try change.data?.decoded(as: MergeNotice.self) else {
            // The directory has forgotten the merge, as it does after an erasure.
            try await transaction.execute(MergeStore.forget(id))
            return
        }
        let isFollowed = try await MergeStore.isFollowed(id, in: transaction)
        switch (merge.state, merge.kind) {
        case (.done, .person) where !isFollowed: try await follow(merge, transaction)
        case (.done, .organization) where !isFollowed:
            try await record(changed: try await transaction.query(MergeStore.moveOrganization(merge)), transaction)
        case (.undone, _) where isFollowed: try await undo(id, transaction)
        default: break
        }
    }

    private static func follow(_ merge: MergeNotice, _ transaction: PostgresTransaction) async throws {
        let results = try await transaction.batch([
            MergeStore.lockSessions(merge), MergeStore.setAside(merge), MergeStore.move(merge),
        ])
        let removed = results[1]
        try await Journal().record(
            try removed.map { .init(.deleted, .registration, try $0["id", as: Registration.ID.self]) },
            by: .service(.events), in: transaction)
        try await record(changed: results[2], transaction)
        for row in removed where try row["seated"] {
            let promoted = try await transaction.query(SeatStore.promote(in: try row["session"]))
            try await record(changed: promoted, transaction)
        }
    }

    private static func undo(_ merge: Merge.ID, _ transaction: PostgresTransaction) async throws {
        let results = try await transaction.batch([
            MergeStore.lockSessions(of: merge), MergeStore.moveBack(merge), MergeStore.bringBack(merge),
            MergeStore.forget(merge),
        ])
        try await record(changed: results[1], transaction)
        try await Journal().record(
            try results[2].map {
                .init(.created, .registration, try $0["id", as: Registration.ID.self], version: try $0["version"])
            }, by: .service(.events), in: transaction)
    }

    private static func record(changed rows: Rows, _ transaction: PostgresTransaction) async throws {
        try await Journal().record(
            try SeatStore.journalEntries(of: rows), by: .service(.events), in: transaction)
    }
}
