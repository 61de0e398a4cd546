package import ClubProtocol
package import Logging
package import Postgres
import Synchronization

/// Whether the service is live, started and ready.
///
/// - *live* depends on nothing: it fails only if the process cannot respond at all.
/// - *started* is true once the API listens.
/// - *ready* asks the service's own database, within ``limit``: whether it accepts writes over existing connections,
///   and whether its schema is the one we need. A peer that is down and an unconfirmed commit are warnings. During
///   shutdown it fails, so that no more requests are sent here.
package final class Health: Sendable {
    /// The time limit for the database's response.
    package static let limit = Duration.seconds(1)
    /// How long a result may be reused.
    static let cacheTime = Duration.milliseconds(500)
    /// A commit that has waited longer than this is a warning.
    static let commitLimit = Duration.seconds(1)

    private struct State {
        var isListening = false
        var isDraining = false
        var known: (checks: [String: [HealthReport.Check]], until: ContinuousClock.Instant)?
        var isAsking = false
        var waiting: [CheckedContinuation<[String: [HealthReport.Check]], Never>] = []
        var wasReady = false
    }

    private let service: ServiceName
    private let database: PostgresClient
    private let migrator: Migrator
    private let peers: @Sendable () -> [ServiceName: PeerState]
    private let warnings: @Sendable () -> [String: [HealthReport.Check]]
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - migrator: knows the migrations that this code needs.
    ///   - peers: how the peers have been answering.
    ///   - warnings: what else operators are to see; called for each page, so it must return at once.
    package init(
        service: ServiceName, database: PostgresClient, migrator: Migrator, logger: Logger,
        warnings: @escaping @Sendable () -> [String: [HealthReport.Check]] = { [:] },
        peers: @escaping @Sendable () -> [ServiceName: PeerState]
    ) {
        self.service = service
        self.database = database
        self.migrator = migrator
        self.logger = logger
        self.peers = peers
        self.warnings = warnings
    }

    // MARK: States

    func beginListening() { state.withLock { $0.isListening = true } }

    /// From now on readiness fails; this cannot be undone.
    func beginDraining() { state.withLock { $0.isDraining = true } }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// The last result of readiness, for the metrics; false before the first.
    var wasReady: Bool { state.withLock { $0.wasReady && !$0.isDraining } }

    // MARK: Pages

    func live() -> HealthReport {
        HealthReport(service: service, description: "the process answers", checks: [:])
    }

    package func started() -> HealthReport {
        report("the service has started", checks: [:])
    }

    package func ready() async -> HealthReport {
        var checks = isDraining ? [:] : await databaseChecks()
        for (peer, state) in peers() {
            let isDown = state.condition == .down
            checks["peer:\(peer.rawValue)"] = [
                HealthReport.Check(
                    peer.rawValue, type: "component", isDown ? .warn : .pass,
                    output: isDown ? "down since \(state.since.text): \(state.reason ?? "no answer")" : nil)
            ]
        }
        checks.merge(warnings()) { own, _ in own }
        checks["database:commit"] = isDraining ? nil : commitCheck()
        let report = report("the service can do its work", checks: checks)
        noticeChange(report)
        return report
    }

    /// Adds what the service itself knows of its state.
    private func report(_ description: String, checks: [String: [HealthReport.Check]]) -> HealthReport {
        let (isListening, isDraining) = state.withLock { ($0.isListening, $0.isDraining) }
        var checks = checks
        let output = isDraining ? "shutting down" : isListening ? nil : "starting"
        checks["service:state"] = [
            HealthReport.Check(service.rawValue, type: "component", output == nil ? .pass : .fail, output: output)
        ]
        return HealthReport(service: service, description: description, checks: checks)
    }

    private func noticeChange(_ report: HealthReport) {
        let changed = state.withLock { state in
            defer { state.wasReady = report.isServing }
            return state.wasReady != report.isServing
        }
        guard changed else { return }
        if report.isServing {
            logger.notice("ready")
        } else {
            let failed = report.checks.values.joined().filter { $0.status == .fail }.compactMap(\.output)
            logger.warning("not ready", metadata: ["reason": "\(failed.sorted().joined(separator: "; "))"])
        }
    }

    // MARK: The database

    /// Whether every migration that this code needs is applied.
    func isSchemaReady() async -> Bool {
        await databaseChecks().values.joined().allSatisfy { $0.status != .fail }
    }

    /// One query at a time; concurrent callers get the same result.
    private func databaseChecks() async -> [String: [HealthReport.Check]] {
        enum Turn {
            case known([String: [HealthReport.Check]])
            case ask, wait
        }
        let turn: Turn = state.withLock { state in
            if let known = state.known, known.until > .now { return .known(known.checks) }
            if state.isAsking { return .wait }
            state.isAsking = true
            return .ask
        }
        switch turn {
        case .known(let checks): return checks
        case .wait:
            return await withCheckedContinuation { continuation in
                let known: [String: [HealthReport.Check]]? = state.withLock { state in
                    if !state.isAsking, let known = state.known { return known.checks }
                    state.waiting.append(continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        case .ask:
            let checks = await askDatabase()
            let waiting = state.withLock { state in
                // A cancelled task's result must not be reused.
                state.known = (checks, Task.isCancelled ? .now : .now.advanced(by: Self.cacheTime))
                state.isAsking = false
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(returning: checks) }
            return checks
        }
    }

    private func askDatabase() async -> [String: [HealthReport.Check]] {
        let start = ContinuousClock.now
        do {
            let (pending, role) = try await PostgresDeadline.$current.withValue(start.advanced(by: Self.limit)) {
                (try await migrator.pending(on: database), try await database.serverRole())
            }
            return [
                "database:responseTime": [
                    HealthReport.Check(
                        "postgresql", type: "datastore", .pass, milliseconds: Int(start.duration(to: .now).milliseconds)
                    )
                ],
                "database:role": [Self.check(role)],
                "database:schema": [
                    HealthReport.Check(
                        migrator.schema, type: "datastore", pending.isEmpty ? .pass : .fail,
                        output: pending.isEmpty
                            ? nil : "\(pending.count) migrations to apply, the first is \(pending[0])")
                ],
            ]
        } catch {
            let message = (error as? PostgresError)?.message ?? "no answer"
            let reason = message.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return [
                "database:responseTime": [HealthReport.Check("postgresql", type: "datastore", .fail, output: reason)]
            ]
        }
    }

    /// A server that accepts no writes is of no use to us: requests should be sent elsewhere if possible.
    private static func check(_ role: ServerRole) -> HealthReport.Check {
        let output: String? =
            switch role {
            case .primary: nil
            case .standby: "the server is a standby and accepts no writes"
            case .readOnly: "the server is read-only and accepts no writes"
            }
        return HealthReport.Check("postgresql", type: "datastore", output == nil ? .pass : .fail, output: output)
    }

    /// Reads continue while a commit waits, so this is no reason to send requests elsewhere.
    private func commitCheck() -> [HealthReport.Check] {
        let age = database.oldestCommit ?? .zero
        let isLong = age > Self.commitLimit
        let output = "a commit has been waiting for \(age.components.seconds) s: is a synchronous standby gone?"
        return [
            HealthReport.Check("postgresql", type: "datastore", isLong ? .warn : .pass, output: isLong ? output : nil)
        ]
    }
}
