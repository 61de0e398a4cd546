import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// A mail that a sender has claimed from a ``MailQueue``.
protocol ClaimedMail: Decodable, Sendable {
    var id: MailMessage.ID { get }
    /// How many times it was handed over before.
    var attempt: Int { get }
}

/// Works through a queue of mails: claims some, hands them over in one session, and records each outcome.
///
/// Any number of replicas may do so at once: a mail belongs to the sender that has claimed it.
struct MailSender: Sendable {
    /// How long a lease lasts unless the sender renews it: longer than the timeout for any one reply of a mail server.
    private static let leaseSeconds = 30
    private static let claimSize = 20
    /// Seconds between attempts: five over about four hours, as mail servers that greylist expect.
    private static let waits = [60, 300, 1200, 3600, 9000]

    let database: PostgresClient
    let transport: any MailTransport
    let queue: MailQueue

    /// Hands over mails until none is due.
    ///
    /// - Parameters:
    ///   - columns: the columns that a `Mail` is decoded from.
    ///   - message: makes the message for a mail.
    func run<Mail: ClaimedMail>(
        _: Mail.Type, _ columns: SQL, _ job: JobContext, message: @escaping @Sendable (Mail) throws -> MailMessage
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<transport.sessions {
                group.addTask { try await work(columns, job, message) }
            }
            try await group.waitForAll()
        }
    }

    /// Opens one session after another, each working through batch after batch of claimed mails.
    private func work<Mail: ClaimedMail>(
        _ columns: SQL, _ job: JobContext, _ message: @Sendable (Mail) throws -> MailMessage
    ) async throws {
        let token = Identifier<MailSender>()
        while true {
            try await job.heartbeat()
            let claimed = try await queue.claim(
                Mail.self, columns, under: token, seconds: Self.leaseSeconds, limit: Self.claimSize, on: database)
            if claimed.isEmpty { return }
            do {
                try await transport.withSession { session in
                    try await deliver(claimed, under: token, over: session, message)
                }
            } catch let error as MailUnreachable {
                job.logger.warning("the mail server cannot be reached", metadata: ["reason": "\(error.reason)"])
                try await queue.release(claimed.map(\.id), under: token, retryAfter: 10, on: database)
                return
            }
        }
    }

    private func deliver<Mail: ClaimedMail>(
        _ claimed: [Mail], under token: Identifier<MailSender>, over session: any MailSession,
        _ message: @Sendable (Mail) throws -> MailMessage
    ) async throws {
        for (index, mail) in claimed.enumerated() {
            guard session.isUsable else {
                try await queue.release(claimed[index...].map(\.id), under: token, retryAfter: 0, on: database)
                return
            }
            let text = try message(mail)
            // Renews the lease of the remaining mails, so that it does not expire behind a slow server.
            guard
                try await queue.begin(
                    mail.id, under: token, seconds: Self.leaseSeconds + SMTPTransport.longestAnswer, on: database)
            else { continue }
            let (state, reply, retryAfter) = Self.ending(of: mail, await session.deliver(text))
            try await queue.end(
                mail.id, under: token, as: state, reply: String(reply.prefix(500)), retryAfter: retryAfter, on: database
            )
        }
    }

    private static func ending(
        of mail: some ClaimedMail, _ outcome: MailOutcome
    ) -> (state: MailState, reply: String, retryAfter: Int) {
        switch outcome {
        case .accepted(let reply): (.sent, reply, 0)
        case .refused(let reply): (.failed, reply, 0)
        case .uncertain(let reason): (.uncertain, reason, 0)
        case .postponed(let reply):
            mail.attempt < waits.count ? (.pending, reply, waits[mail.attempt]) : (.failed, reply, 0)
        }
    }
}
