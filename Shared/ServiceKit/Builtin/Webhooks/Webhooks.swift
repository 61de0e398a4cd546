import ClubProtocol
import Metrics
import Postgres

/// Webhooks in every service that lists `WebhookAPI.endpoints`: the routes, the follower of the service's own feed that
/// creates deliveries, the jobs that send them, the purge and the alert.
struct Webhooks: Sendable {
    /// The name under which the service follows its own feed.
    static let follower = "webhooks"

    private let backend: Backend
    private let webhooks: WebhookStore
    private let deliveries: WebhookDeliveryStore
    private let resolver: WebhookResolver
    private let settings: WebhookSettings

    init(_ backend: Backend, key: KeyFile) {
        self.backend = backend
        settings = backend.configuration.webhooks
        webhooks = WebhookStore(database: backend.database, key: key.derivedKey(for: "webhook-secrets"))
        deliveries = WebhookDeliveryStore(database: backend.database, settings: settings)
        resolver = WebhookResolver(allowsPrivate: settings.allowsPrivate)
    }

    /// Called after the features: their snapshots provide the state in messages.
    func mount(on builder: inout ServiceBuilder) {
        let sender = WebhookSender(
            service: backend.name, webhooks: webhooks, deliveries: deliveries, settings: settings, resolver: resolver,
            snapshots: Dictionary(builder.snapshots.map { ($0.entity, $0) }, uniquingKeysWith: { $1 }),
            logger: backend.logger)
        WebhookRoutes(backend: backend, webhooks: webhooks, deliveries: deliveries, sender: sender, resolver: resolver)
            .mount(on: &builder)
        // As many as there can be webhooks: none waits for the receiver of another.
        builder.job(WebhookSender.kind, concurrency: 32) { payload, job in
            try await sender.work(payload.webhook, job)
        }
        builder.schedule("purge-webhook-deliveries", .every(.seconds(6 * 3600))) { [deliveries] job in
            try await deliveries.purge { try await job.heartbeat() }
        }
        let feed = ChangeFeed(
            database: backend.database, schema: backend.name.rawValue, snapshots: [], logger: backend.logger)
        builder.run(feed)
        builder.run(Self.follower(of: feed, backend, webhooks, deliveries, sender))
        // An operator ends the warning by activating the webhook again, disabling it or removing it.
        builder.watch(
            "webhooks", "disabled", gauge: "webhooks_in_trouble",
            help: "Webhooks that were disabled because their receiver is gone or keeps failing.",
            output: { "\($0) disabled: the receiver is gone, or has failed for five days" },
            count: { [webhooks] in try await webhooks.countTroubled() })
    }

    /// Follows the service's own feed while there is a webhook; idle otherwise.
    static func follower(
        of feed: ChangeFeed, _ backend: Backend, _ webhooks: WebhookStore, _ deliveries: WebhookDeliveryStore,
        _ sender: WebhookSender
    ) -> FeedFollower {
        let idle = sender.settings.idle
        return FeedFollower(
            peer: backend.name, name: follower, database: backend.database, logger: backend.logger,
            fetch: { query in
                guard let first = try await webhooks.firstTransaction() else {
                    try await Task.sleep(for: idle)
                    return ChangeBatch(items: [], next: query.after)
                }
                var query = query
                query.after = try start(query.after, first)
                return try await feed.read(query)
            },
            apply: { changes, transaction in
                let made = try await deliveries.fanOut(changes, in: transaction)
                for webhook in made.webhooks { try await sender.wake(webhook, in: transaction) }
                Counter(label: "webhook_deliveries_made_total").increment(by: made.count)
            })
    }

    /// The cursor, or the start of the first webhook if that is later.
    private static func start(_ cursor: Cursor?, _ first: UInt64) throws -> Cursor? {
        let beginning = FeedPosition(transaction: first == 0 ? 0 : first - 1, id: .max)
        guard let cursor else { return try beginning.cursor }
        return try FeedPosition(cursor).transaction < beginning.transaction ? try beginning.cursor : cursor
    }
}
