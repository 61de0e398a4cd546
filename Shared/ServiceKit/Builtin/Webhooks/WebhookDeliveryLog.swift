import ClubProtocol
import Postgres

/// The deliveries as operators see them.
struct WebhookDeliveryLog: Sendable {
    private static let columns: SQL = """
        delivery.id, delivery.webhook, delivery.entity || '.' || delivery.action as type, delivery.subject,
        delivery.revision as "subjectVersion", delivery.happened_at as "happenedAt", delivery.state,
        delivery.total_attempts as attempts, case when delivery.state = 'pending' then delivery.due_at end as "dueAt",
        last.status as "lastStatus", last.milliseconds as "lastMilliseconds", last.failure as "lastFailure",
        delivery.created_at as "createdAt", delivery.finished_at as "finishedAt", delivery.number as "_number"
        """

    /// With the last attempt that has ended.
    private static let source: SQL = """
        webhook_delivery as delivery left join lateral (
            select status, milliseconds, failure from webhook_attempt
            where webhook_attempt.delivery = delivery.id and (milliseconds is not null or failure is not null)
            order by number desc limit 1
        ) as last on true
        """

    /// The deliveries of a webhook, the latest first.
    static func list(
        of webhook: Webhook.ID, _ state: WebhookDelivery.State?, _ page: PageRequest,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["delivery.webhook = \(webhook)"]
        if let state { rules.append("delivery.state = \(state)") }
        if let number = try page.place(of: 1, { Int64($0[0]) }) { rules.append("delivery.number < \(number)") }
        return try await executor.query(
            """
            select \(columns) from \(source)
            where \(rules.joined(separator: " and "))
            order by delivery.number desc limit \(page.limit + 1)
            """)
    }

    /// One delivery with its attempts; none if its webhook is gone.
    static func get(_ id: WebhookDelivery.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query(
            """
            select \(columns), coalesce((
                select json_agg(json_strip_nulls(json_build_object(
                    'number', number,
                    'startedAt', to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                    'milliseconds', milliseconds, 'status', status, 'responseBytes', response_bytes,
                    'failure', failure)) order by number)
                from (
                    select * from webhook_attempt where webhook_attempt.delivery = delivery.id
                    order by number desc limit 100) as attempt
            ), '[]') as log
            from \(source)
            where delivery.id = \(id) and exists (select from webhook where webhook.id = delivery.webhook)
            """)
    }
}
