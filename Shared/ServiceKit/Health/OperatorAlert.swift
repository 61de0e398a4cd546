import ClubProtocol
import Metrics
import ServiceLifecycle
import Synchronization

/// Periodically counts what operators need to attend to, for the health page and the metrics, in each replica.
final class OperatorAlert: Service {
    private let component: String
    private let measurement: String
    private let gauge: String
    private let output: @Sendable (Int) -> String
    private let count: @Sendable () async throws -> Int
    private let last = Mutex(0)
    /// Whether the count was ever above zero: until then there is no series.
    private let isKnown = Atomic(false)

    init(
        _ component: String, _ measurement: String, gauge: String, output: @escaping @Sendable (Int) -> String,
        count: @escaping @Sendable () async throws -> Int
    ) {
        self.component = component
        self.measurement = measurement
        self.gauge = gauge
        self.output = output
        self.count = count
    }

    /// Empty while there is nothing to attend to.
    var warnings: [String: [HealthReport.Check]] {
        let count = last.withLock { $0 }
        guard count > 0 else { return [:] }
        return ["\(component):\(measurement)": [.init(component, type: "component", .warn, output: output(count))]]
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // While the database is unavailable, the previous count is the best there is.
                if let count = try? await self.count() {
                    self.last.withLock { $0 = count }
                    if count > 0 || self.isKnown.load(ordering: .relaxed) { Gauge(label: self.gauge).record(count) }
                    if count > 0 { self.isKnown.store(true, ordering: .relaxed) }
                }
                try? await Task.sleep(for: .seconds(5))
            }
        }
    }
}
