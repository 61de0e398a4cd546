import ClubProtocol
import Postgres
import ServiceKit

extension ClubProtocol.Issue.State: PostgresEncodable, PostgresDecodable {}
extension IssueItem.Kind: PostgresEncodable, PostgresDecodable {}
extension Edition.Audience: PostgresEncodable, PostgresDecodable {}

/// The SQL of issues, their items and editions; columns are named after the keys of `Issue`.
enum IssueStore {
    /// An issue with its items in order and its editions with their counts.
    private static let whole: SQL = """
        select issue.id, number, title, introduction, state, version, created_at as "createdAt",
            updated_at as "updatedAt", sent_at as "sentAt", scheduled_for as "scheduledFor", frozen_at as "frozenAt",
            hold_reason as "holdReason", content_version as "contentVersion", erratum_of as "erratumOf",
            (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                    'id', item.id, 'kind', item.kind, 'title', item.title, 'text', item.text, 'link', item.link,
                    'resource', item.resource, 'audiences', item.audiences)) order by item.position), '[]')
                from issue_item item where item.issue = issue.id) as items,
            (select coalesce(jsonb_agg(jsonb_build_object(
                    'audience', edition.audience, 'resolved', edition.resolved,
                    'counts', jsonb_build_object(
                        'pending', coalesce(counted.pending, 0), 'sending', coalesce(counted.sending, 0),
                        'sent', coalesce(counted.sent, 0), 'failed', coalesce(counted.failed, 0),
                        'uncertain', coalesce(counted.uncertain, 0),
                        'suppressed', coalesce(counted.suppressed, 0),
                        'cancelled', coalesce(counted.cancelled, 0),
                        'skipped', coalesce(counted.skipped, 0))) order by edition.audience), '[]')
                from edition left join (
                    select audience,
                        sum(count) filter (where kept.state = 'pending') as pending,
                        sum(count) filter (where kept.state = 'sending') as sending,
                        sum(count) filter (where kept.state = 'sent') as sent,
                        sum(count) filter (where kept.state = 'failed') as failed,
                        sum(count) filter (where kept.state = 'uncertain') as uncertain,
                        sum(count) filter (where kept.state = 'suppressed') as suppressed,
                        sum(count) filter (where kept.state = 'cancelled') as cancelled,
                        sum(count) filter (where kept.state = 'skipped') as skipped
                    from delivery_count kept where kept.issue = issue.id group by audience
                ) counted on counted.audience = edition.audience
                where edition.issue = issue.id) as editions
        from issue
        """

    /// Numbers are assigned under a lock, so that they have no gaps.
    static func create(_ body: CreateIssue.Body, in transaction: PostgresTransaction) async throws -> Issue.ID {
        let id = Issue.ID()
        try await transaction.execute(
            "select pg_advisory_xact_lock(hashtextextended(current_schema() || ' issue.number', 0))")
        try await transaction.execute(
            """
            insert into issue (id, number, title, introduction)
            select \(id), coalesce(max(number), 0) + 1, \(body.title), \(body.introduction) from issue
            """)
        return id
    }

    static func get(_ id: Issue.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("\(whole) where issue.id = \(id)")
    }

    static func list(
        _ query: ListIssues.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let state = query.state { rules.append("state = \(state)") }
        if let key = page.after?.first { rules.append("number < \(key)::integer") }
        return try await executor.query(
            """
            select id, number, title, state, version, created_at as "createdAt", updated_at as "updatedAt",
                sent_at as "sentAt"
            from issue where \(rules.all)
            order by number desc limit \(page.limit + 1)
            """)
    }

    /// The state of an issue, locked until the transaction ends; nil when it is not found.
    static func lock(_ id: Issue.ID, in transaction: PostgresTransaction) async throws -> Issue.State? {
        try await transaction.query("select state from issue where id = \(id) for update").first?["state"]
    }

    static func addItem(
        _ body: AddIssueItem.Body, to issue: Issue.ID, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let audiences = (body.audiences ?? Edition.Audience.allCases).map(\.rawValue)
        return try await transaction.query(
            """
            with touched as (
                update issue set version = version + 1, updated_at = now() where id = \(issue)
            )
            insert into issue_item (id, issue, position, kind, title, text, link, resource, audiences)
            select \(IssueItem.ID()), \(issue), coalesce(max(position), 0) + 1, \(body.kind), \(body.title),
                \(body.text), \(body.link), \(body.resource), \(audiences)
            from issue_item where issue = \(issue)
            returning id, kind, title, text, link, resource, audiences
            """)
    }

    /// Whether the resource may be shown now: after its embargo, before its expiry; nil when it is not found.
    static func mayPublish(_ resource: Resource.ID, in transaction: PostgresTransaction) async throws -> Bool? {
        try await transaction.query(
            """
            select coalesce(embargo_until <= now(), true) and coalesce(expires_at > now(), true) as open
            from resource where id = \(resource)
            """
        ).first?["open"]
    }

    /// - Parameter reason: why the service itself pauses it, or did not begin to send it.
    static func transition(
        _ issue: Issue.ID, to state: Issue.State, at time: Timestamp? = nil, because reason: String? = nil,
        in executor: any PostgresExecutor
    ) async throws {
        try await executor.execute(
            """
            update issue set state = \(state), version = version + 1, updated_at = now(),
                scheduled_for = coalesce(\(time), scheduled_for), hold_reason = left(\(reason), 500),
                sent_at = case when \(state == .sent) then now() end
            where id = \(issue)
            """)
    }

    /// What ended of an issue since it was last checked.
    struct Ended: Decodable {
        var id: Issue.ID
        var ended: Int
        var hard: Int
    }

    /// The issues being sent of which so many mails have ended since they were last checked.
    static func unchecked(atLeast window: Int, on executor: any PostgresExecutor) async throws -> [Ended] {
        try await executor.query(
            """
            select id, (ended - checked_ended)::integer as ended, (hard - checked_hard)::integer as hard
            from issue cross join lateral (
                select coalesce(sum(count), 0) as ended from delivery_count kept
                where kept.issue = issue.id and kept.state in ('sent', 'failed')
            ) as kept cross join lateral (
                select (
                    select count(*) from outgoing_mail
                    where issue = issue.id and state = 'failed' and class in ('addressGone', 'noSuchHost')
                ) + (
                    select coalesce(sum(count), 0) from delivery_report_count came
                    where came.issue = issue.id and came.kind = 'hardBounce'
                ) as hard
            ) as failed
            where state = 'sending' and frozen_at is not null and ended - checked_ended >= \(window)
            """
        ).decode(Ended.self)
    }

    static func markChecked(_ issue: Ended, on executor: any PostgresExecutor) async throws {
        try await executor.execute(
            """
            update issue set checked_ended = checked_ended + \(issue.ended), checked_hard = checked_hard + \(issue.hard)
            where id = \(issue.id)
            """)
    }

    /// What a provider's readers said of an issue that is being sent.
    struct Complaints: Decodable {
        var id: Issue.ID
        var lane: String
        var complaints: Int
        var sent: Int
    }

    /// Where too many of those who got an issue complained, and twice as many as when it was last paused for them.
    ///
    /// - Parameters:
    ///   - least: fewer do not count.
    ///   - share: of the mails that the provider took.
    static func complainedOf(
        atLeast least: Int, share: Double, on executor: any PostgresExecutor
    ) async throws -> [Complaints] {
        try await executor.query(
            """
            select id, lane, complaints::integer, sent::integer
            from issue cross join lateral (
                select lane, sum(count) as complaints, sum(paused_at) as paused_at from delivery_report_count came
                where came.issue = issue.id and came.kind = 'complaint' group by lane
            ) as came cross join lateral (
                select coalesce(sum(count), 0) as sent from delivery_count kept
                where kept.issue = issue.id and kept.lane = came.lane and kept.state = 'sent'
            ) as taken
            where state = 'sending' and frozen_at is not null and complaints >= greatest(\(least), 2 * paused_at)
                and complaints > sent * \(share)
            """
        ).decode(Complaints.self)
    }

    static func markComplaints(of issue: Issue.ID, on executor: any PostgresExecutor) async throws {
        try await executor.execute(
            "update delivery_report_count set paused_at = count where issue = \(issue) and kind = 'complaint'")
    }

    /// How many issues wait for the staff, because the service itself holds them.
    static func held(on executor: any PostgresExecutor) async throws -> Int {
        try await executor.first(
            """
            select count(*)::integer as held from issue
            where state in ('paused', 'draft') and hold_reason is not null
            """
        )?["held"] ?? 0
    }

    /// Whether its time has come; locks it until the transaction ends.
    static func isDue(_ issue: Issue.ID, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.query(
            "select state = 'scheduled' and scheduled_for <= now() as due from issue where id = \(issue) for update"
        ).first?["due"] ?? false
    }

    /// Its deliveries are complete: senders may take them.
    static func markFrozen(_ issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            "update issue set frozen_at = now(), version = version + 1, updated_at = now() where id = \(issue)")
    }

    static func openEditions(of issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            insert into edition (issue, audience)
            select \(issue), audience from unnest(\(Edition.Audience.allCases.map(\.rawValue))) as audience
            """)
    }

    /// The directory is to be asked again, for who has joined since: the issue is not sent before that has ended.
    static func reopenEditions(of issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute("update edition set resolved = false where issue = \(issue)")
    }

    static func markResolved(
        _ issue: Issue.ID, _ audience: Edition.Audience, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            "update edition set resolved = true where issue = \(issue) and audience = \(audience)")
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object('number', number, 'title', title, 'state', state) as data
        from issue where id = any(\(ids))
        """
    }
}
