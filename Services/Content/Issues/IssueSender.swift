import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// Sends issues: asks the directory for the readers of an edition, creates one delivery per address, and hands them to
/// the mail server.
///
/// Every step is a job, so that another process continues where one ended. Every delivery is claimed before it is
/// handed over, so that any number of replicas may send.
struct IssueSender: Sendable {
    struct EditionKey: Codable, Sendable {
        var issue: Issue.ID
        var audience: Edition.Audience
    }

    /// Retries for about three days while the directory is down, every ten minutes at most.
    static let resolve = JobKind<EditionKey>("edition.resolve", maximumAttempts: 600, lease: .seconds(15))
    static let send = JobKind<EditionKey>(
        "edition.send", maximumAttempts: 200, lease: .seconds(15), timeLimit: .seconds(6 * 3600))

    private static let readersAtOnce = 500

    let backend: Backend
    let transport: any MailTransport
    let renderer: FlashInfoRenderer

    func mount(on builder: inout ServiceBuilder) {
        builder.job(Self.resolve, concurrency: 2) { edition, job in try await resolve(edition, job) }
        builder.job(Self.send, concurrency: 2) { edition, job in try await send(edition, job) }
    }

    // MARK: Readers

    /// Asks the directory for the readers who consented to the Flash info. A second run only adds those missing.
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

    /// Adds readers while the issue is being sent; false once it has been cancelled.
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
        let queue = DeliveryStore.queue(of: edition.issue, edition.audience)
        // The job of an edition is leased to one process at a time, so a previous sender can no longer be running.
        let lost = try await queue.settleLost("true", again: transport.repeatsHarmlessly, on: backend.database)
        if lost > 0 { job.logger.warning("deliveries of a lost sender", metadata: ["count": "\(lost)"]) }
        guard let issue = try await IssueStore.get(edition.issue, on: backend.database).first?.decode(Issue.self),
            issue.state == .sending
        else { return }

        try await MailSender(database: backend.database, transport: transport, queue: queue).run(
            DeliveryStore.Claimed.self, DeliveryStore.claimed, job
        ) { delivery in try message(issue, for: delivery) }
        try await backend.database.transaction { transaction in
            try await job.fence(in: transaction)
            guard try await IssueStore.lock(edition.issue, in: transaction) == .sending else { return }
            let left = try await queue.left(on: transaction)
            if left.open > 0 {
                let wait = Duration.seconds(max(1, left.wait))
                try await enqueueSend(edition, at: .now.advanced(by: wait), in: transaction)
            } else if try await DeliveryStore.isFinished(edition.issue, in: transaction) {
                try await IssueStore.transition(edition.issue, to: .sent, in: transaction)
                try await transaction.record(.changed, .issue, edition.issue, by: .service(.content))
            }
        }
    }

    private func message(_ issue: Issue, for delivery: DeliveryStore.Claimed) throws -> MailMessage {
        let token = try UnsubscribeLink.token(for: delivery.email, backend.links)
        return renderer.message(
            issue, for: delivery, from: transport.sender, unsubscribe: token,
            publicURL: backend.configuration.publicURL)
    }
}
