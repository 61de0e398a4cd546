import NIOCore
import NIOPosix
import Synchronization

/// The TLS plans of a client's hosts, each used for many connections: making one reads files and takes milliseconds,
/// and a client opens all of its connections at once when the database is back.
final class TLSPlanCache: Sendable {
    /// Certificates that were renewed are used after this.
    private static let lifetime = TimeAmount.seconds(10)

    private struct Entry {
        let plan: Task<TLSPlan, any Error>
        let until: NIODeadline
    }

    /// By the host's name or address as the URL has it.
    private let entries = Mutex<[String?: Entry]>([:])

    /// The plan for a host, made on another thread if there is no recent one.
    func plan(_ parameters: SessionParameters, hostName: String?) async throws(PostgresError) -> TLSPlan {
        let plan = entries.withLock { entries in
            if let known = entries[hostName], .now() < known.until { return known.plan }
            let plan = Task {
                try await NIOThreadPool.singleton.runIfActive { try TLSPlan(parameters, hostName: hostName) }
            }
            entries[hostName] = Entry(plan: plan, until: .now() + Self.lifetime)
            return plan
        }
        do {
            return try await plan.value
        } catch {
            // The files may be complete next time.
            entries.withLock { $0[hostName] = nil }
            throw error as? PostgresError ?? .noSession("the process is ending")
        }
    }
}
