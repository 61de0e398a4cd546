import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of drafts: their changes, and what their checks look at.
extension IssueStore {
    /// - Returns: false if the version is no longer the one that the change is based on.
    static func change(
        _ issue: Issue.ID, _ patch: ChangeIssue.Body, basedOn version: Int, in transaction: PostgresTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update issue set title = coalesce(\(patch.title), title),
                introduction = case when \(patch.introduction != nil) then \(patch.introduction ?? nil)
                                    else introduction end,
                version = version + 1, updated_at = now()
            where id = \(issue) and version = \(version)
            """) == 1
    }

    /// Counts a change of an item.
    ///
    /// - Returns: false if the version is no longer the one that the change is based on.
    static func touch(
        _ issue: Issue.ID, basedOn version: Int, in transaction: PostgresTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update issue set version = version + 1, updated_at = now() where id = \(issue) and version = \(version)
            """) == 1
    }

    /// - Returns: false if the issue has no such item.
    static func change(
        _ item: IssueItem.ID, of issue: Issue.ID, _ patch: ChangeIssueItem.Body, in transaction: PostgresTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update issue_item set kind = coalesce(\(patch.kind), kind), title = coalesce(\(patch.title), title),
                text = coalesce(\(patch.text), text),
                link = case when \(patch.link != nil) then \(patch.link ?? nil) else link end,
                resource = case when \(patch.resource != nil) then \(patch.resource ?? nil) else resource end,
                audiences = coalesce(\(patch.audiences?.map(\.rawValue)), audiences)
            where id = \(item) and issue = \(issue)
            """) == 1
    }

    /// - Returns: false if the issue has no such item.
    static func remove(
        _ item: IssueItem.ID, of issue: Issue.ID, in transaction: PostgresTransaction
    ) async throws -> Bool {
        try await transaction.execute("delete from issue_item where id = \(item) and issue = \(issue)") == 1
    }

    // MARK: Checks

    /// When the resource of an item may be shown.
    struct ItemResource: Decodable {
        var id: Resource.ID
        var embargoUntil: Timestamp?
        var expiresAt: Timestamp?
    }

    static func resources(
        of issue: Issue.ID, on executor: any PostgresExecutor
    ) async throws -> [Resource.ID: ItemResource] {
        let resources = try await executor.query(
            """
            select id, embargo_until as "embargoUntil", expires_at as "expiresAt" from resource
            where id in (select resource from issue_item where issue = \(issue))
            """
        ).decode(ItemResource.self)
        return Dictionary(uniqueKeysWithValues: resources.map { ($0.id, $0) })
    }

    /// The number of another issue of the last 90 days with the same title.
    static func number(ofIssueLike issue: Issue, on executor: any PostgresExecutor) async throws -> Int? {
        try await executor.query(
            """
            select number from issue
            where id <> \(issue.id) and lower(title) = lower(\(issue.title)) and state in ('sending', 'paused', 'sent')
                and updated_at > now() - interval '90 days'
            order by number desc limit 1
            """
        ).first?["number"]
    }
}
