import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// Sends letters: each enqueues a job that hands over all letters that are due. A letter that must wait enqueues
/// another job.
struct LetterSender: Sendable {
    static let send = JobKind<Empty>(
        "letter.send", maximumAttempts: 200, lease: .seconds(15), timeLimit: .seconds(3600))

    let backend: Backend
    let transport: any MailTransport
    let renderer: LetterRenderer

    func mount(on builder: inout ServiceBuilder) {
        builder.job(Self.send, concurrency: 2) { _, job in try await send(job) }
    }

    private func send(_ job: JobContext) async throws {
        let queue = LetterStore.queue
        // Other senders may be running: only those whose leases have expired are lost.
        let lost = try await queue.settleLost(
            "due_at < now()", again: transport.repeatsHarmlessly, on: backend.database)
        if lost > 0 { job.logger.warning("letters of a lost sender", metadata: ["count": "\(lost)"]) }
        try await MailSender(database: backend.database, transport: transport, queue: queue).run(
            LetterStore.Claimed.self, LetterStore.claimed, job
        ) { letter in renderer.message(letter, from: transport.sender) }
        try await backend.database.transaction { transaction in
            try await job.finish(in: transaction)
            let left = try await queue.left(on: transaction)
            guard left.open > 0 else { return }
            // Rounded up to ten seconds: one job for all letters that wait about as long, and never one that is already
            // running.
            let due = (Timestamp.now.microseconds / 1_000_000 + Int64(max(1, left.wait))) / 10 * 10 + 10
            try await backend.jobs.enqueue(
                Self.send, Empty(), unique: "\(due)", at: Timestamp(microseconds: due * 1_000_000), in: transaction)
        }
    }
}
