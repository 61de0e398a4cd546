import Logging
import Metrics
import ServiceLifecycle

/// Seals the audit trail as it grows. Runs in each replica; the database lets one of them work at a time.
struct AuditSealer: Service {
    private let trail: AuditTrail
    private let interval: Duration
    private let noting: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - interval: between two passes.
    ///   - noting: how often the head is logged: the log is outside the database, so the logged head serves as proof.
    init(
        trail: AuditTrail, interval: Duration = .milliseconds(500), noting: Duration = .seconds(600), logger: Logger
    ) {
        self.trail = trail
        self.interval = interval
        self.noting = noting
        self.logger = logger
    }

    /// Runs until the task is cancelled or a graceful shutdown begins; what is unsealed then is sealed after the next
    /// start.
    func run() async throws {
        let pause = interval
        var failures = 0
        var noted = ContinuousClock.now
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            do {
                let sealed = try await trail.seal()
                failures = 0
                if sealed > 0 { Counter(label: "audit_sealed_total").increment(by: sealed) }
                if ContinuousClock.now - noted >= noting {
                    noted = .now
                    let head = try await trail.head()
                    logger.info("audit head", metadata: ["seq": "\(head.seq)", "hash": "\(head.hash)"])
                }
                if sealed >= 5_000 { continue }
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                if failures == 1 || failures % 60 == 0 {
                    logger.warning(
                        "the audit trail cannot be sealed", metadata: ["reason": "\(error.loggable)"])
                }
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
        }
    }
}
