import ClubProtocol
import Logging
import ServiceKit

/// Pauses an issue, once, with the reason; a mail of no issue pauses nothing.
typealias IssuePause = @Sendable (_ issue: ClubProtocol.Issue.ID?, _ reason: String) async throws -> Void

/// What a server's reply means, for the mail and for its lane.
struct LaneSteering: Sendable {
    let lanes: LaneStore
    let pause: IssuePause
    let sender: MailDispatcher.ID
    let logger: Logger

    /// How a mail ends that was refused; its lane is slowed, or closed, if the reply is about us.
    func ending(
        of mail: OutgoingMail, _ reply: SMTPReply, at stage: SMTPStage, in lane: String, _ refusals: inout Int
    ) async -> MailEnding {
        let meaning = ReplyClassifier.classify(code: reply.code, lines: reply.lines, stage: stage)
        let text = String(reply.text.prefix(scalars: 500))
        // What is kept about lanes and issues outlives the reader.
        let reason = Self.withoutAddresses(text)
        do {
            switch meaning {
            case .slowDown: try await lanes.slow(lane, because: reason)
            case .refusedSender:
                refusals += 1
                if try await lanes.refuse(lane, because: reason) {
                    try await pause(mail.issue, "\(lane) refuses us as a sender: \(reason)")
                }
            case .ourFault:
                try await pause(mail.issue, "the mail server says that the fault is ours: \(reason)")
            default: break
            }
        } catch {
            logger.warning("a lane cannot be steered", metadata: ["lane": "\(lane)", "reason": "\(error.loggable)"])
        }
        return MailEnding(of: mail, meaning, text)
    }

    /// A server that does not let us in because of our own fault holds the issues that wanted to go there.
    func unreachable(_ error: MailUnreachable, _ mails: [OutgoingMail]) async {
        guard let reply = error.reply,
            ReplyClassifier.classify(code: reply.code, lines: reply.lines, stage: error.stage) == .ourFault
        else { return }
        for issue in Set(mails.compactMap(\.issue)) {
            try? await pause(issue, "the mail server does not let us in: \(Self.withoutAddresses(reply.text))")
        }
    }

    /// A reply with each word that has an address replaced: servers repeat the recipient.
    static func withoutAddresses(_ reply: String) -> String {
        reply.split(atByte: UInt8(ascii: " ")).map { $0.utf8.contains(UInt8(ascii: "@")) ? "(address)" : String($0) }
            .joined(separator: " ")
    }

    func accepted(in lane: String, _ refusals: inout Int) async {
        guard (try? await lanes.accept(lane)) != nil else { return }
        refusals = 0
    }

    /// Frees mails behind one that the server does not answer.
    func leave(_ mails: [OutgoingMail], of lane: String) async {
        guard !mails.isEmpty else { return }
        try? await lanes.mails.release(mails.map(\.id), by: sender)
    }

    /// A domain that stalls gets a lane of its own, so that no other waits for it.
    func stalled(_ mail: OutgoingMail, in lane: String, on connection: Identifier<LaneStore>) async {
        do {
            try await lanes.separate(mail.email.domain, from: lane, with: connection)
        } catch {
            logger.warning("a lane cannot be separated", metadata: ["lane": "\(lane)", "reason": "\(error.loggable)"])
        }
    }
}
