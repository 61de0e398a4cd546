import ClubProtocol
import Postgres
import ServiceKit

/// Follows the merges of the directory's people.
enum Merges {
    /// Applies what a change says about a merge, or about a person whose merges must be forgotten. Its state is that at
    /// the time of reading: a merge that has been undone since is never applied.
    static func apply(_ change: Change, _ transaction: PostgresTransaction) async throws {
        if change.entity == .person, change.action == .erased, let id = try? Person.ID(validating: change.id) {
            try await transaction.execute(MergeStore.forget([id]))
        }
        guard change.entity == .merge, let id = try? Merge.ID(validating: change.id) else { return }
        guard let merge = try change.data?.decoded(as: MergeNotice.self) else {
            // The directory has forgotten the merge, as it does after an erasure.
            try await transaction.execute(MergeStore.forget(id))
            return
        }
        guard merge.kind == .person else { return }
        let isFollowed = try await MergeStore.isFollowed(id, in: transaction)
        switch merge.state {
        case .done where !isFollowed: try await follow(merge, transaction)
        case .undone where isFollowed: try await undo(merge, transaction)
        default: break
        }
    }

    private static func follow(_ merge: MergeNotice, _ transaction: PostgresTransaction) async throws {
        let results = try await transaction.batch([
            MergeStore.lockMeetings(of: [merge.survivor, merge.merged]), MergeStore.setAside(merge),
            MergeStore.move(merge),
        ])
        try await record(.deleted, results[1], transaction)
        try await record(.changed, results[2], transaction)
    }

    private static func undo(_ merge: MergeNotice, _ transaction: PostgresTransaction) async throws {
        let results = try await transaction.batch([
            MergeStore.lockMeetings(of: [merge.survivor, merge.merged]), MergeStore.moveBack(merge.id),
            MergeStore.bringBack(merge.id), MergeStore.forget(merge.id),
        ])
        try await record(.changed, results[1], transaction)
        try await record(.created, results[2], transaction)
    }

    private static func record(
        _ action: Change.Action, _ rows: Rows, _ transaction: PostgresTransaction
    ) async throws {
        try await Journal().record(
            try rows.map { row in
                .init(
                    action, .invitation, try row["id", as: Invitation.ID.self],
                    version: action == .deleted ? nil : try row["version"])
            }, by: .service(.lobbying), in: transaction)
    }
}
