import ClubProtocol
import FoundationEssentials
import Postgres
import ServiceKit

/// A mail that this process has claimed: a delivery of an issue, or a letter.
struct OutgoingMail: Decodable, Sendable {
    var id: MailMessage.ID
    /// Of a delivery.
    var issue: ClubProtocol.Issue.ID?
    var audience: Edition.Audience?
    /// The kinds of items that a delivery shows; all if nil.
    var kinds: [IssueItem.Kind]?
    /// How many times it was handed over before.
    var attempt: Int
    /// What the last reply meant, if it was handed over before.
    var lastClass: ReplyClass?
    var email: EmailAddress
    var name: String?
    /// The date of its message: the same at each attempt.
    var createdAt: Timestamp
    /// Of a delivery: the version of its issue's content when it was claimed.
    var contentVersion: Int?
    /// Of a letter.
    var replyTo: EmailAddress?
    var consent: Letter.Consent?
    var hasFiles: Bool?
    /// Whether it shows an issue.
    var isTest: Bool?
    var subject: String?
    var paragraphs: [String]?
    var actionLabel: String?
    var actionURL: String?
}

/// A mail whose text is about to begin.
struct MailBeginning: Sendable {
    var id: MailMessage.ID
    /// How many times it was handed over before.
    var attempt: Int
    /// Of a delivery: the version of its issue's content that it carries.
    var contentVersion: Int?
}

/// What became of a mail that was handed over.
struct MailEnding: Sendable {
    var id: MailMessage.ID
    var state: State
    var replyClass: ReplyClass?
    /// The server's, or what happened to the connection.
    var reply: String
    /// Seconds until the next attempt, of a mail that is `pending` again.
    var wait = 0
    /// Whether it was an attempt: a server that is down, or asks us to slow down, does not use up an attempt.
    var counts = true

    /// The values are those of `Delivery.State` and `Letter.State`.
    enum State: String, PostgresEncodable, PostgresDecodable {
        case pending, sending, sent, failed, uncertain, suppressed, cancelled
    }
}

extension ReplyClass: PostgresEncodable, PostgresDecodable {}
extension ReplyClass: Decodable {}

extension MailEnding {
    /// Seconds until the next attempt of a mail that is greylisted: most servers accept it after five minutes.
    private static let waits = [300, 600, 1200, 2400]

    /// By the meaning of a server's reply.
    init(of mail: OutgoingMail, _ meaning: ReplyClass, _ reply: String) {
        self.init(id: mail.id, state: .pending, replyClass: meaning, reply: reply)
        switch meaning {
        case .taken: state = .sent
        case .addressGone, .refusedSender, .refused: state = .failed
        case .noSuchHost:
            // Final only if it is still so a day later.
            if mail.lastClass == .noSuchHost { state = .failed } else { wait = 86_400 }
        case .mailboxFull: wait = 4 * 3600
        case .greylisted, .deferred: wait = mail.attempt < Self.waits.count ? Self.waits[mail.attempt] : 3600
        case .slowDown, .ourFault:
            wait = 60
            counts = false
        }
    }

    /// A connection that was lost before the whole text was sent.
    static func lost(_ mail: OutgoingMail, _ reason: String) -> MailEnding {
        MailEnding(id: mail.id, state: .pending, reply: reason, wait: mail.attempt < 3 ? 10 : 600)
    }
}
