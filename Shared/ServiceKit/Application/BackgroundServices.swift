import Logging
import ServiceLifecycle

/// Everything that runs on its own: jobs, schedules, followers, the audit sealer. Starts when the schema is ready, so
/// that a service started before its migrations waits instead of failing.
struct BackgroundServices: Service {
    let services: [any Service]
    let health: Health
    let logger: Logger

    func run() async throws {
        guard await schemaIsReady() else { return }
        // All are told to stop at once, and awaited together.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services {
                group.addTask { try await service.run() }
            }
            try await group.waitForAll()
        }
    }

    /// False when the service ends before the schema is ready.
    private func schemaIsReady() async -> Bool {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if await health.isSchemaReady() { return true }
                try? await Task.sleep(for: .milliseconds(250))
            }
            return false
        }
    }
}

/// The last in the service group, and so the first to learn of the shutdown: readiness fails, and load balancers have
/// time to notice before the API stops accepting.
struct Draining: Service {
    let duration: Duration
    let begin: @Sendable () -> Void

    func run() async throws {
        try? await gracefulShutdown()
        begin()
        try? await Task.sleep(for: duration)
    }
}
