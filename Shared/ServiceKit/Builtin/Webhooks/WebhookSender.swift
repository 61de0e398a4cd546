import ClubProtocol
import Logging
import Metrics
import NIOHTTP1
import Postgres
import ServiceLifecycle

/// Sends what is due for one webhook: the work of one job.
///
/// Each webhook has at most one job at a time, and each job a slot of its own, so a slow receiver delays only itself. A
/// message is sent once, unless the process dies between sending it and recording that; then it is sent again, with the
/// same `webhook-id`.
struct WebhookSender: Sendable {
    struct Payload: Codable, Sendable {
        var webhook: Webhook.ID
    }

    /// It never dies: its failures are the database's or ours, and deliveries count their own attempts.
    static let kind = JobKind<Payload>("webhook.send", maximumAttempts: Int(Int32.max))

    let service: ServiceName
    let webhooks: WebhookStore
    let deliveries: WebhookDeliveryStore
    let settings: WebhookSettings
    let resolver: WebhookResolver
    let snapshots: [EntityName: ChangeSnapshot]
    let logger: Logger

    private var database: PostgresClient { deliveries.database }

    // MARK: The job

    /// Enqueues the job of a webhook, at once even if one is waiting for its time. The caller has the webhook locked.
    func wake(_ webhook: Webhook.ID, at time: Timestamp? = nil, in transaction: PostgresTransaction) async throws {
        let queue = JobQueue(database: database)
        _ = try await queue.withdraw(Self.kind, unique: webhook.text, in: transaction)
        try await queue.enqueue(
            Self.kind, Payload(webhook: webhook), unique: webhook.text, at: time, in: transaction)
    }

    /// Sends what is due, and enqueues the next job if there will be more.
    func work(_ webhook: Webhook.ID, _ job: JobContext) async throws {
        try await sendDue(webhook)
        try await database.transaction { transaction in
            // Creating deliveries locks the webhook too, so none is created while we check.
            let isThere = try await transaction.first("select from webhook where id = \(webhook) for update") != nil
            try await job.finish(in: transaction)
            guard isThere, let next = try await deliveries.nextDue(webhook, in: transaction) else { return }
            try await wake(webhook, at: next, in: transaction)
        }
    }

    /// Sends round after round, until nothing is due, the service stops, or it is another job's turn.
    func sendDue(_ webhook: Webhook.ID) async throws {
        let connections = WebhookConnections(settings: settings, resolver: resolver)
        do {
            for _ in 0..<settings.rounds {
                guard !Task.isCancelled, !Task.isShuttingDownGracefully,
                    let target = try await webhooks.target(webhook)
                else { break }
                let claimed = try await deliveries.claim(webhook)
                guard !claimed.isEmpty else { break }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for delivery in claimed {
                        group.addTask { try await send(delivery, to: target, of: webhook, over: connections) }
                    }
                    try await group.waitForAll()
                }
            }
        } catch {
            await connections.shutdown()
            throw error
        }
        await connections.shutdown()
    }

    // MARK: One message

    private func send(
        _ delivery: ClaimedDelivery, to target: WebhookStore.Target, of webhook: Webhook.ID,
        over connections: WebhookConnections
    ) async throws {
        let outcome: WebhookOutcome
        do {
            outcome = try await attempt(delivery, to: target, over: connections)
        } catch is CancellationError {
            // The task is cancelled; the release must be recorded all the same.
            try await Task { try await deliveries.release(delivery) }.value
            throw CancellationError()
        }
        let recorded = try await Task { try await deliveries.record(outcome, of: delivery, for: webhook) }.value
        count(outcome, recorded)
        if case .gone = outcome.result {
            try await disable(webhook, .gone)
        } else if recorded.isHopeless {
            try await disable(webhook, .failing)
        }
    }

    private func attempt(
        _ delivery: ClaimedDelivery, to target: WebhookStore.Target, over connections: WebhookConnections
    ) async throws -> WebhookOutcome {
        guard !target.secrets.isEmpty else { return WebhookOutcome(result: .failed(.secret), duration: .zero) }
        let body = try await body(of: delivery, target.payload)
        let timestamp = Timestamp.now.microseconds / 1_000_000
        let signatures = target.secrets.map { $0.signature(id: delivery.id.text, timestamp: timestamp, body: body) }
        return try await connections.post(
            body,
            headers: [
                "Content-Type": "application/json", "User-Agent": "club-webhooks/1 (\(service.rawValue))",
                "webhook-id": delivery.id.text, "webhook-timestamp": "\(timestamp)",
                "webhook-signature": signatures.joined(separator: " "),
            ], to: target.url)
    }

    /// A thin body is the same for each attempt. A state is read at the moment of sending: none is ever stored, and an
    /// erased record has none.
    private func body(of delivery: ClaimedDelivery, _ payload: Webhook.Payload) async throws -> [UInt8] {
        var state: JSONValue?
        if payload == .state, let snapshot = snapshots[delivery.entity] {
            let row = try await database.first(snapshot.query(ChangedIDs(texts: [delivery.subject])))
            state = try row.map { row in
                let text: String = try row["data"]
                return try LenientJSON.decode(JSONValue.self, from: Array(text.utf8))
            }
        }
        return try WireJSON.encode(
            WebhookMessage(
                type: delivery.type, timestamp: delivery.happenedAt,
                data: .init(
                    id: delivery.subject, entity: delivery.entity, action: delivery.action, version: delivery.version,
                    service: service, state: state)))
    }

    private func disable(_ webhook: Webhook.ID, _ reason: Webhook.DisabledReason) async throws {
        let isDisabled = try await database.transaction { transaction in
            guard let version = try await webhooks.disable(webhook, reason, in: transaction) else { return false }
            try await transaction.record(.changed, .webhook, webhook, version: version, by: .service(service))
            return true
        }
        if isDisabled {
            logger.warning(
                "a webhook was disabled", metadata: ["webhook": "\(webhook)", "reason": "\(reason.rawValue)"])
        }
    }

    private func count(_ outcome: WebhookOutcome, _ recorded: WebhookDeliveryStore.Recorded) {
        let label =
            switch (recorded.state, outcome.result) {
            case (nil, _): "lost"
            case (_, .gone): "gone"
            case (.pending, _): "retried"
            case (let state?, _): state.rawValue
            }
        Counter(label: "webhook_attempts_total", dimensions: [("outcome", label)]).increment()
        Timer(label: "webhook_attempt_duration_seconds", dimensions: [("outcome", label)])
            .recordNanoseconds(Int64(outcome.duration.seconds * 1e9))
    }
}
