import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of corrections and errata.
extension IssueStore {
    private static let correction: SQL = """
        content_version as "contentVersion", item, reason, created_at as "createdAt",
            jsonb_strip_nulls(jsonb_build_object('title', title, 'text', text, 'link', link)) as earlier
        """

    /// Changes an item, and keeps what it said. The issue is locked.
    ///
    /// - Returns: no row if the issue has no such item.
    static func correct(
        _ issue: Issue.ID, _ body: CorrectIssue.Body, in transaction: PostgresTransaction
    ) async throws -> Rows {
        // Every part of the statement sees the item as it was before.
        try await transaction.query(
            """
            with earlier as (
                select id, title, text, link from issue_item where id = \(body.item) and issue = \(issue)
            ), counted as (
                update issue set content_version = content_version + 1, version = version + 1, updated_at = now()
                where id = \(issue) and exists (select from earlier)
                returning content_version
            ), corrected as (
                update issue_item item set title = coalesce(\(body.title), item.title),
                    text = coalesce(\(body.text), item.text),
                    link = case when \(body.link != nil) then \(body.link ?? nil) else item.link end
                from earlier where item.id = earlier.id
            )
            insert into issue_correction (issue, content_version, item, title, text, link, reason)
            select \(issue), content_version, id, title, text, link, \(body.reason) from earlier, counted
            returning \(correction)
            """)
    }

    static func corrections(
        of issue: Issue.ID, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["issue = \(issue)"]
        if let key = page.after?.first { rules.append("content_version > \(key)::integer") }
        return try await executor.query(
            """
            select \(correction) from issue_correction where \(rules.all)
            order by content_version limit \(page.limit + 1)
            """)
    }

    /// Makes a draft an erratum: with the corrected items of an issue, as they are now, in their order.
    static func makeErratum(
        _ erratum: Issue.ID, of issue: Issue, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            "update issue set erratum_of = \(issue.id), erratum_version = \(issue.contentVersion) where id = \(erratum)"
        )
        try await transaction.execute(
            """
            insert into issue_item (id, issue, position, kind, title, text, link, resource, audiences)
            select gen_random_uuid(), \(erratum), row_number() over (order by position), kind, title, text, link, resource,
                audiences
            from issue_item
            where issue = \(issue.id) and id in (select item from issue_correction where issue = \(issue.id))
            """)
    }

    /// The audiences that its items are for.
    static func audiences(of issue: Issue.ID, on executor: any PostgresExecutor) async throws -> [Edition.Audience] {
        try await executor.query("select distinct unnest(audiences) as audience from issue_item where issue = \(issue)")
            .map { try $0["audience"] }
    }
}
