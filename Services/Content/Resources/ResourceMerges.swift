import ClubProtocol
import Postgres
import ServiceKit

/// Follows the merges of the directory's organizations: the resources of a merged organization move to the survivor.
enum ResourceMerges {
    /// Applies a batch of the directory's changes. A merge's state is that at the time of reading.
    @Sendable static func apply(_ changes: [Change], _ transaction: PostgresTransaction) async throws {
        for change in changes where change.entity == .merge {
            guard let merge = try change.data?.decoded(as: MergeNotice.self), merge.kind == .organization else {
                continue
            }
            let isFollowed = try await transaction.first("select from merge where id = \(merge.id) for update") != nil
            switch merge.state {
            case .done where !isFollowed: try await record(transaction.query(follow(merge)), transaction)
            case .undone where isFollowed:
                try await record(transaction.query(undo(merge)), transaction)
                try await transaction.execute("delete from merge where id = \(merge.id)")
            default: break
            }
        }
    }

    private static func follow(_ merge: MergeNotice) -> SQL {
        """
        with moved as (
            update resource set organization = \(merge.survivor), version = version + 1, updated_at = now()
            where organization = \(merge.merged)
            returning id, version
        ), remembered as (
            insert into merge (id, survivor, merged, resources)
            select \(merge.id), \(merge.survivor), \(merge.merged), array(select id from moved)
        )
        select id, version from moved
        """
    }

    private static func undo(_ merge: MergeNotice) -> SQL {
        """
        update resource set organization = merge.merged, version = version + 1, updated_at = now() from merge
        where merge.id = \(merge.id) and resource.id = any(merge.resources) and resource.organization = merge.survivor
        returning resource.id, resource.version
        """
    }

    private static func record(_ rows: Rows, _ transaction: PostgresTransaction) async throws {
        try await Journal().record(
            try rows.map {
                .init(.changed, .resource, try $0["id", as: Resource.ID.self], version: try $0["version"])
            }, by: .service(.content), in: transaction)
    }
}
