package import Logging
package import Postgres
import Synchronization

/// What a handler knows of the job it does, besides the payload.
package struct JobContext: Sendable {
    package var id: Int64 { job.id }
    /// 1 for the first.
    package var attempt: Int { job.attempt }
    /// Whether there is no attempt after this one.
    package let isLastAttempt: Bool
    /// Says kind, number and attempt with each line.
    package let logger: Logger

    let job: ClaimedJob
    let lease: Duration
    let store: JobStore
    let ending = Ending()

    /// Whether the handler has ended the job itself.
    final class Ending: Sendable {
        let wasAsked = Atomic<Bool>(false)
    }

    /// Renews the lease now, and finds out whether it is still ours. While a handler runs, the lease is renewed without this.
    ///
    /// - Throws: ``LeaseLost``; `PostgresError`.
    package func heartbeat() async throws {
        guard try await store.renew(job, lease: lease, on: store.database) else { throw LeaseLost() }
    }

    /// Makes a transaction commit only if the job is still ours, and keeps it ours until then. Call it first in the
    /// transaction that has the job's effect; the lease is renewed by it.
    ///
    /// - Throws: ``LeaseLost``, which rolls the transaction back; `PostgresError`.
    package func fence(in transaction: PostgresTransaction) async throws {
        guard try await store.renew(job, lease: lease, on: transaction) else { throw LeaseLost() }
    }

    /// Ends the job in the transaction that has its effect: then neither comes without the other, and the effect comes once
    /// even if the process is killed between. Without it, a job whose process dies after its effect is done again.
    ///
    /// - Throws: ``LeaseLost``, which rolls the transaction back; `PostgresError`.
    package func finish(in transaction: PostgresTransaction) async throws {
        guard try await store.finish(job, on: transaction) else { throw LeaseLost() }
        ending.wasAsked.store(true, ordering: .relaxed)
    }
}
