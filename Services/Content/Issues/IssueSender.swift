import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// Sends issues: asks the directory who reads an edition, makes one delivery an address, hands them to the mail server.
///
/// Every step is a job, so that it goes on wherever a process ended, and every delivery is claimed before it is worked
/// on, so that any number of replicas may send.
struct IssueSender: Sendable {
    struct EditionKey: Codable, Sendable {
        var issue: Issue.ID
        var audience: Edition.Audience
    }

    static let resolve = JobKind<EditionKey>("edition.resolve", lease: .seconds(15))
    static let send = JobKind<EditionKey>(
        "edition.send", maximumAttempts: 200, lease: .seconds(15), timeLimit: .seconds(6 * 3600))

    /// How long a claim holds without a word from the sender: longer than any one answer of a mail server is waited for.
    private static let claimSeconds = 30
    private static let claimSize = 20
    private static let readersAtOnce = 500

    let backend: Backend
    let transport: any MailTransport
    let renderer: FlashInfoRenderer

    func mount(on parts: inout ServiceParts) {
        parts.job(Self.resolve, concurrency: 2) { edition, job in try await resolve(edition, job) }
        parts.job(Self.send, concurrency: 2) { edition, job in try await send(edition, job) }
    }

    // MARK: Who reads it

    /// Asks the directory for the readers who agreed to the Flash info. A second run adds only who was missed.
    private func resolve(_ edition: EditionKey, _ job: JobContext) async throws {
        let group: Audience.Group =
            switch edition.audience {
            case .ambassadors: .ambassadors
            case .experts: .experts
            }
        let members = try backend.peers[.directory].stream(
            ResolveAudience.request(body: Audience(audience: group, purpose: .flashInfo)))
        var batch: [DeliveryStore.Reader] = []
        for try await member in members {
            batch.append(.init(member))
            if batch.count == Self.readersAtOnce {
                guard try await add(batch, to: edition, job) else { return }
                batch.removeAll(keepingCapacity: true)
            }
        }
        _ = try await add(batch, to: edition, job, isLast: true)
    }

    /// Adds readers while the issue is going out; false once it has been called off.
    private func add(
        _ readers: [DeliveryStore.Reader], to edition: EditionKey, _ job: JobContext, isLast: Bool = false
    ) async throws -> Bool {
        try await backend.database.transaction { transaction in
            try await job.fence(in: transaction)
            guard try await IssueStore.lock(edition.issue, in: transaction) == .sending else { return false }
            try await DeliveryStore.add(readers, issue: edition.issue, audience: edition.audience, in: transaction)
            if isLast {
                try await IssueStore.markResolved(edition.issue, edition.audience, in: transaction)
                try await enqueueSend(edition, at: nil, in: transaction)
            }
            return true
        }
    }

    private func enqueueSend(
        _ edition: EditionKey, at time: Timestamp?, in transaction: PostgresTransaction
    ) async throws {
        try await backend.jobs.enqueue(Self.send, edition, at: time, in: transaction)
    }

    // MARK: Sending

    private func send(_ edition: EditionKey, _ job: JobContext) async throws {
        let lost = try await DeliveryStore.settleLost(
            of: edition.issue, edition.audience, again: transport.repeatsHarmlessly, on: backend.database)
        if lost > 0 { job.logger.warning("deliveries of a lost sender", metadata: ["count": "\(lost)"]) }
        guard let issue = try await IssueStore.get(edition.issue, on: backend.database).first?.decode(Issue.self),
            issue.state == .sending
        else { return }

        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<transport.sessions {
                group.addTask { try await work(through: edition, of: issue, job) }
            }
            try await group.waitForAll()
        }
        try await backend.database.transaction { transaction in
            try await job.fence(in: transaction)
            guard try await IssueStore.lock(edition.issue, in: transaction) == .sending else { return }
            let left = try await DeliveryStore.left(of: edition.issue, edition.audience, on: transaction)
            if left.open > 0 {
                let wait = Duration.seconds(max(1, left.wait))
                try await enqueueSend(edition, at: .now.advanced(by: wait), in: transaction)
            } else if try await DeliveryStore.isFinished(edition.issue, in: transaction) {
                try await IssueStore.move(edition.issue, to: .sent, in: transaction)
                try await backend.journal.record(
                    .changed, "issue", edition.issue, by: .service(.content), in: transaction)
            }
        }
    }

    /// One session after the other, claim after claim, until nothing is due.
    private func work(through edition: EditionKey, of issue: Issue, _ job: JobContext) async throws {
        let sender = Identifier<IssueSender>()
        while true {
            try await job.heartbeat()
            let claimed = try await DeliveryStore.claim(
                of: edition.issue, edition.audience, by: sender, seconds: Self.claimSeconds, limit: Self.claimSize,
                on: backend.database)
            if claimed.isEmpty { return }
            do {
                try await transport.withSession { session in
                    try await deliver(claimed, of: issue, by: sender, over: session)
                }
            } catch let error as MailUnreachable {
                job.logger.warning("the mail server cannot be reached", metadata: ["reason": "\(error.reason)"])
                try await release(claimed, by: sender, retryAfter: 10)
                return
            }
        }
    }

    private func deliver(
        _ claimed: [DeliveryStore.Claimed], of issue: Issue, by sender: Identifier<IssueSender>,
        over session: any MailSession
    ) async throws {
        for (index, delivery) in claimed.enumerated() {
            guard session.isUsable else {
                try await release(Array(claimed[index...]), by: sender, retryAfter: 0)
                return
            }
            // A new claim for what is still to come, so that a slow server does not let it lapse.
            guard
                try await DeliveryStore.begin(
                    delivery.id, by: sender, seconds: Self.claimSeconds + SMTPTransport.longestAnswer,
                    on: backend.database)
            else { continue }
            let token = backend.links.token(
                purpose: DeliveryRoutes.unsubscribePurpose, subject: delivery.email.text,
                expires: .now.advanced(by: .seconds(400 * 86_400)))
            let message = renderer.message(
                issue, for: delivery, from: transport.sender, unsubscribe: token,
                publicURL: backend.configuration.publicURL)
            switch await session.deliver(message) {
            case .accepted(let reply):
                try await end(delivery, sender, .sent, reply)
            case .refused(let reply):
                try await end(delivery, sender, .failed, reply)
            case .uncertain(let reason):
                try await end(delivery, sender, .uncertain, reason)
            case .postponed(let reply):
                // Five tries over about four hours, as mail servers that greylist expect.
                let waits = [60, 300, 1200, 3600, 9000]
                if delivery.attempts < waits.count {
                    try await end(delivery, sender, .pending, reply, retryAfter: waits[delivery.attempts])
                } else {
                    try await end(delivery, sender, .failed, reply)
                }
            }
        }
    }

    private func end(
        _ delivery: DeliveryStore.Claimed, _ sender: Identifier<IssueSender>, _ state: Delivery.State, _ reply: String,
        retryAfter: Int = 0
    ) async throws {
        try await DeliveryStore.end(
            delivery.id, by: sender, as: state, reply: String(reply.prefix(500)), retryAfter: retryAfter,
            on: backend.database)
    }

    private func release(
        _ claimed: [DeliveryStore.Claimed], by sender: Identifier<IssueSender>, retryAfter: Int
    ) async throws {
        try await DeliveryStore.release(
            claimed.map(\.id), by: sender, retryAfter: retryAfter, on: backend.database)
    }
}
