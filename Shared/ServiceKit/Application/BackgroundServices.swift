import Logging
import ServiceLifecycle

/// Everything that works without being asked: jobs, schedules, followers, the sealer. Begins when the schema is ready, so
/// that a service that is started before its migrations waits instead of failing.
struct BackgroundServices: Service {
    let services: [any Service]
    let health: Health
    let logger: Logger

    func run() async throws {
        guard await schemaIsReady() else { return }
        // All are told to stop at once, and waited for together.
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

/// Stands last in the line of services, and so is the first that hears of the shutdown: ready says no, and whoever sends
/// requests has the time to notice before the API stops to accept.
struct Draining: Service {
    let duration: Duration
    let begin: @Sendable () -> Void

    func run() async throws {
        try? await gracefulShutdown()
        begin()
        try? await Task.sleep(for: duration)
    }
}

/// A value that is known later.
actor OneShot<Value: Sendable> {
    private var result: Result<Value, any Error>?
    private var waiting: [CheckedContinuation<Value, any Error>] = []

    var value: Value {
        get async throws {
            if let result { return try result.get() }
            return try await withCheckedThrowingContinuation { waiting.append($0) }
        }
    }

    /// The first one counts.
    func settle(_ result: Result<Value, any Error>) {
        guard self.result == nil else { return }
        self.result = result
        for continuation in waiting { continuation.resume(with: result) }
        waiting = []
    }
}
