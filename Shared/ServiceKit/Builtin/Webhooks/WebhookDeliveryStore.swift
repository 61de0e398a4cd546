import ClubProtocol
import FoundationEssentials
import Postgres

extension WebhookDelivery.State: PostgresEncodable, PostgresDecodable {}
extension WebhookAttempt.Failure: PostgresEncodable, PostgresDecodable {}

/// A delivery that we have claimed, until its lease expires by the database's clock.
struct ClaimedDelivery: Sendable {
    let id: WebhookDelivery.ID
    let token: UUID
    let entity: EntityName
    let subject: String
    let action: String
    let version: Int?
    let happenedAt: Timestamp
    /// Since it was last requested; 1 for the first.
    let attempt: Int
    /// In total; 1 for the first.
    let totalAttempts: Int

    var type: String { "\(entity.rawValue).\(action)" }
}

/// How an attempt ended.
struct WebhookOutcome: Sendable {
    enum Result: Hashable, Sendable {
        case delivered
        /// To be retried, if there is an attempt left.
        case failed(WebhookAttempt.Failure)
        /// 410: the receiver wants no more messages.
        case gone
    }

    var result: Result
    var duration: Duration
    var status: Int?
    var responseBytes: Int?
    /// The pause that the receiver asked for, within bounds.
    var retryAfter: Duration?
}

/// The statements for the transitions of deliveries. Each one for a delivery that is being sent names its lease: if
/// another worker has the delivery by now, it changes no row.
struct WebhookDeliveryStore: Sendable {
    let database: PostgresClient
    let settings: WebhookSettings

    // MARK: Sending

    /// Claims what is due for an active webhook: pending deliveries, and those being sent whose lease has expired. One
    /// whose last attempt ended without a result is exhausted.
    func claim(_ webhook: Webhook.ID) async throws -> [ClaimedDelivery] {
        let token = UUID()
        let maximum: SQL = "\(settings.maximumAttempts)::integer"
        let rows = try await database.write(
            """
            with taken as (
                select id from webhook_delivery
                where webhook = \(webhook) and state in ('pending', 'sending') and due_at <= now()
                    and exists (
                        select from webhook
                        where webhook.id = \(webhook) and webhook.state = 'active'
                            and (resume_at is null or resume_at <= now()))
                order by due_at, number limit \(settings.concurrency)
                for update skip locked
            ), moved as (
                update webhook_delivery set
                    state = case when attempt < \(maximum) then 'sending' else 'exhausted' end,
                    total_attempts = case when attempt < \(maximum) then total_attempts + 1 else total_attempts end,
                    lease_token = case when attempt < \(maximum) then \(token) end,
                    finished_at = case when attempt < \(maximum) then null else now() end,
                    due_at = now() + make_interval(secs => \(settings.lease.seconds)),
                    attempt = least(attempt + 1, \(maximum))
                from taken where webhook_delivery.id = taken.id
                returning webhook_delivery.*
            ), logged as (
                insert into webhook_attempt (delivery, number)
                select id, total_attempts from moved where state = 'sending'
            )
            select id, entity, subject, action, revision, happened_at, attempt, total_attempts
            from moved where state = 'sending' order by number
            """)
        return try rows.map { row in
            ClaimedDelivery(
                id: try row["id"], token: token, entity: try row["entity"], subject: try row["subject"],
                action: try row["action"], version: try row.optional("revision"), happenedAt: try row["happened_at"],
                attempt: try row["attempt"], totalAttempts: try row["total_attempts"])
        }
    }

    /// The result of recording an attempt.
    struct Recorded: Sendable {
        /// Nil when another worker has the delivery by now.
        var state: WebhookDelivery.State?
        /// Whether the webhook has failed without interruption for as long as it may.
        var isHopeless: Bool
    }

    /// Records how an attempt ended: from sending to delivered, pending or exhausted.
    func record(
        _ outcome: WebhookOutcome, of delivery: ClaimedDelivery, for webhook: Webhook.ID
    ) async throws -> Recorded {
        var next = WebhookDelivery.State.delivered
        var failure: WebhookAttempt.Failure?
        switch outcome.result {
        case .delivered: break
        case .failed(let why):
            failure = why
            next = delivery.attempt < settings.maximumAttempts ? .pending : .exhausted
        case .gone:
            failure = .status
            next = .exhausted
        }
        let delay = max(settings.delay(after: delivery.attempt), outcome.retryAfter ?? .zero)
        let standing: SQL =
            failure == nil
            ? """
            update webhook set failing_since = null, resume_at = null
            where id = \(webhook) and (failing_since is not null or resume_at is not null)
            """
            : """
            update webhook set failing_since = coalesce(failing_since, now()),
                resume_at = coalesce(now() + make_interval(secs => \(outcome.retryAfter?.seconds)), resume_at)
            where id = \(webhook) and (failing_since is null or \(outcome.retryAfter != nil))
            """
        let row = try await database.write(
            """
            with moved as (
                update webhook_delivery set state = \(next), lease_token = null,
                    due_at = now() + make_interval(secs => \(delay.seconds)),
                    finished_at = case when \(next == .pending) then null else now() end
                where \(held(delivery))
                returning state
            ), logged as (
                update webhook_attempt set milliseconds = \(outcome.duration.milliseconds), status = \(outcome.status),
                    response_bytes = \(outcome.responseBytes), failure = \(failure)
                where delivery = \(delivery.id) and number = \(delivery.totalAttempts)
            ), standing as (\(standing))
            select (select state from moved) as state, exists (
                select from webhook
                where id = \(webhook) and state = 'active'
                    and failing_since <= now() - make_interval(secs => \(settings.failureLimit.seconds))
            ) as hopeless
            """
        ).first
        let isHopeless: Bool = try row?["hopeless"] ?? false
        return Recorded(state: try row?.optional("state"), isHopeless: failure != nil && isHopeless)
    }

    /// From sending back to pending, at once and without counting: for an attempt that we interrupted ourselves. The
    /// receiver may have received it.
    func release(_ delivery: ClaimedDelivery) async throws {
        try await database.execute(
            """
            with moved as (
                update webhook_delivery set state = 'pending', lease_token = null, due_at = now(), attempt = attempt - 1
                where \(held(delivery))
            )
            update webhook_attempt set failure = \(WebhookAttempt.Failure.interrupted)
            where delivery = \(delivery.id) and number = \(delivery.totalAttempts)
            """)
    }

    /// The fencing condition.
    private func held(_ delivery: ClaimedDelivery) -> SQL {
        "id = \(delivery.id) and state = 'sending' and lease_token = \(delivery.token)"
    }

    /// When the next message is due; nil if none is waiting, or the webhook is not active.
    func nextDue(_ webhook: Webhook.ID, in transaction: PostgresTransaction) async throws -> Timestamp? {
        try await transaction.first(
            """
            select greatest(first.due_at, webhook.resume_at, now()) as due
            from webhook cross join lateral (
                select due_at from webhook_delivery
                where webhook_delivery.webhook = webhook.id and state in ('pending', 'sending')
                order by due_at, number limit 1) as first
            where webhook.id = \(webhook) and webhook.state = 'active'
            """)?["due"]
    }

    // MARK: Creating

    /// Creates at most one delivery for each change and each active webhook that subscribes to it.
    ///
    /// - Returns: the webhooks that got some, and how many deliveries there are in total.
    func fanOut(
        _ changes: [Change], in transaction: PostgresTransaction
    ) async throws -> (webhooks: [Webhook.ID], count: Int) {
        // A worker that ends its job for one of these webhooks checks for new deliveries with the webhook locked:
        // either it sees ours, or we see that the job has ended.
        try await transaction.execute("select from webhook where state = 'active' order by id for share")
        let positions = try changes.map { try FeedPosition($0.cursor) }
        let rows = try await transaction.query(
            """
            with added as (
                insert into webhook_delivery (
                    webhook, change_xid, change_id, entity, subject, action, revision, happened_at)
                select webhook.id, change.xid::xid8, change.id, change.entity, change.subject, change.action,
                    change.revision, change.at
                from unnest(
                    \(positions.map { String($0.transaction) }), \(positions.map(\.id)), \(changes.map(\.entity.rawValue)),
                    \(changes.map(\.id)), \(changes.map(\.action.rawValue)), \(changes.map(\.version))::integer[],
                    \(changes.map(\.at))
                ) with ordinality as change (xid, id, entity, subject, action, revision, at, place)
                join webhook on webhook.state = 'active' and change.xid::xid8 >= webhook.starts
                    and (webhook.events = '{}' or webhook.events && array[
                        change.entity || '.' || change.action, change.entity || '.*', '*.' || change.action])
                -- Who is told, and whether, is no business of those who are told.
                where change.entity <> 'webhook'
                order by change.place, webhook.place
                on conflict on constraint webhook_delivery_once do nothing
                returning webhook
            )
            select webhook, count(*) as added from added group by webhook order by webhook
            """)
        return (try rows.map { try $0["webhook"] }, try rows.reduce(0) { try $0 + $1["added", as: Int.self] })
    }

    /// A message that an operator requested, to test a webhook.
    func addTest(_ webhook: Webhook.ID, in transaction: PostgresTransaction) async throws -> WebhookDelivery.ID {
        let id = WebhookDelivery.ID()
        try await transaction.execute(
            """
            insert into webhook_delivery (id, webhook, entity, subject, action)
            values (\(id), \(webhook), 'webhook', \(webhook.text), 'test')
            """)
        return id
    }

    /// From delivered or exhausted to pending, with all its attempts again.
    ///
    /// - Throws: 404; 409 while its attempts have not ended.
    func replay(_ id: WebhookDelivery.ID, in transaction: PostgresTransaction) async throws {
        // One that is being sent is not waited for: the worker that records its outcome may be waiting for the webhook,
        // which we have locked.
        let moved = try await transaction.execute(
            "update webhook_delivery set \(Self.pendingAgain) where id = \(id) and state in ('delivered', 'exhausted')")
        guard moved == 0 else { return }
        let row = try await transaction.first("select state from webhook_delivery where id = \(id)")
        guard let state = try row?["state", as: WebhookDelivery.State.self] else { throw Problem(.notFound) }
        throw Problem(.transitionNotAllowed, "It is \(state.rawValue): it has not ended yet.")
    }

    /// The same for all exhausted deliveries that were created at or after a time.
    func replay(_ webhook: Webhook.ID, since: Timestamp, in transaction: PostgresTransaction) async throws -> Int {
        try await transaction.execute(
            """
            update webhook_delivery set \(Self.pendingAgain)
            where webhook = \(webhook) and state = 'exhausted' and created_at >= \(since)
            """)
    }

    private static let pendingAgain: SQL = "state = 'pending', attempt = 0, due_at = now(), finished_at = null"

    /// Deleted webhooks with deliveries left. Skips from one to the next by the index: the log is long, and they are
    /// few.
    private func orphaned() async throws -> [Webhook.ID] {
        try await database.query(
            """
            with recursive logged as (
                (select webhook from webhook_delivery order by webhook limit 1)
                union all
                select (
                    select next.webhook from webhook_delivery as next
                    where next.webhook > logged.webhook order by next.webhook limit 1)
                from logged where logged.webhook is not null)
            select webhook from logged
            where webhook is not null and not exists (select from webhook as kept where kept.id = logged.webhook)
            """
        ).map { try $0["webhook"] }
    }

    /// Removes deliveries older than thirty days, and those of deleted webhooks.
    func purge(betweenPieces: () async throws -> Void = {}) async throws {
        var rules: [SQL] = ["created_at < now() - interval '30 days'"]
        for gone in try await orphaned() { rules.append("webhook = \(gone)") }
        for rule in rules {
            // In batches, so that no statement takes long and none locks many rows.
            while try await database.execute(
                """
                delete from webhook_delivery
                where id = any(array(select id from webhook_delivery where \(rule) limit 1000))
                """)
                > 0
            {
                try await betweenPieces()
            }
        }
        try await database.execute("delete from webhook_secret where valid_until <= now()")
    }
}
