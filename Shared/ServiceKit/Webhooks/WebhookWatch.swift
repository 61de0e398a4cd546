import ClubProtocol
import Logging
import Metrics
import Postgres
import ServiceLifecycle
import Synchronization

/// Looks now and then whether a webhook was disabled without an operator's asking, and keeps that for the health page and the metrics,
/// in each replica.
final class WebhookWatch: Service {
    private let store: WebhookStore
    private let interval: Duration
    private let troubled = Mutex(0)

    init(store: WebhookStore, interval: Duration = .seconds(5)) {
        self.store = store
        self.interval = interval
    }

    /// Nothing while all is well. An operator ends it: by making the webhook active again, disabling or removing it.
    var warnings: [String: [HealthReport.Check]] {
        let count = troubled.withLock { $0 }
        guard count > 0 else { return [:] }
        let check = HealthReport.Check(
            "webhooks", type: "component", .warn,
            output: "\(count) disabled: the receiver is gone, or has failed for five days")
        return ["webhooks:disabled": [check]]
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // While the database is away, what was known before is still the best answer.
                if let count = try? await self.store.countTroubled() {
                    self.troubled.withLock { $0 = count }
                    Gauge(label: "webhooks_in_trouble").record(count)
                }
                try? await Task.sleep(for: self.interval)
            }
        }
    }
}
