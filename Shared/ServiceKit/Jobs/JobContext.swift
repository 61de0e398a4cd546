package import Logging
package import Postgres
import Synchronization

/// What a handler knows about its job, besides the payload.
package struct JobContext: Sendable {
    package var id: Int64 { job.id }
    /// 1 for the first.
    package var attempt: Int { job.attempt }
    /// Whether this is the last attempt.
    let isLastAttempt: Bool
    /// Adds kind, number and attempt to each line.
    package let logger: Logger

    let job: ClaimedJob
    let lease: Duration
    let store: JobStore
    let ending = Ending()

    /// Whether the handler has ended the job itself.
    final class Ending: Sendable {
        let wasAsked = Atomic<Bool>(false)
    }

    /// Renews the lease now, and checks that it is still ours. While a handler runs, the lease is renewed automatically
    /// as well.
    ///
    /// - Throws: ``LeaseLost``; `PostgresError`.
    package func heartbeat() async throws {
        guard try await store.renew(job, lease: lease, on: store.database) else { throw LeaseLost() }
    }

    /// Makes a transaction commit only if the lease is still ours, and keeps it until then. Call it first in the
    /// transaction that has the job's effect; it renews the lease.
    ///
    /// - Throws: ``LeaseLost``, which rolls the transaction back; `PostgresError`.
    package func fence(in transaction: PostgresTransaction) async throws {
        guard try await store.renew(job, lease: lease, on: transaction) else { throw LeaseLost() }
    }

    /// Finishes the job in the transaction that has its effect: both are committed or neither is, so the effect happens
    /// once even if the process is killed in between. Without it, a job whose process dies after the effect runs again.
    ///
    /// - Throws: ``LeaseLost``, which rolls the transaction back; `PostgresError`.
    package func finish(in transaction: PostgresTransaction) async throws {
        guard try await store.finish(job, on: transaction) else { throw LeaseLost() }
        ending.wasAsked.store(true, ordering: .relaxed)
    }
}
