import ClubProtocol

/// What came back by mail, and what finds the delivery that it is about.
struct InboundReport: Sendable {
    enum Kind: Sendable {
        /// Recipients that were not reached.
        case bounce([Bounce])
        /// Recipients that a server still tries to reach.
        case delayed([Bounce])
        case delivered
        case complaint(Complaint)
        /// An absence, an acknowledgement: it counts as nothing (RFC 3834).
        case automatic
        /// A mail to the address of `List-Unsubscribe` (RFC 2369, 3.2).
        case departure
        /// People wrote it: for the editors.
        case reply
        /// Nothing is known of its form, for a reason in words for people.
        case unread(String)
    }

    var kind: Kind
    var references: References
    /// In printable characters.
    var subject: String?
    /// Who is in `From`.
    var writer: EmailAddress?
    /// What people wrote.
    var text: String?

    /// What may find the delivery, to be tried in this order.
    struct References: Sendable {
        /// Of the envelope sender, `return+TOKEN@…`.
        var returnToken: String?
        /// `Original-Envelope-Id` (RFC 3464, 2.2.1).
        var envelopeID: String?
        /// With their angle brackets: of the message that it quotes, then of those that it answers.
        var messageIDs: [String] = []
        /// Whom the message was sent to, as far as the report says; the writer of an answer.
        var recipients: [EmailAddress] = []
    }
}

/// A recipient that a message did not reach.
struct Bounce: Sendable {
    /// Longer ones are cut.
    static let longestDiagnostic = 2000

    /// As we wrote it, if the report says: `Original-Recipient` before `Final-Recipient` (RFC 3464, 2.3.1).
    var recipient: EmailAddress?
    var status: EnhancedStatus?
    /// RFC 5321, 4.2.
    var replyCode: Int?
    /// What the server said, in printable characters.
    var diagnostic: String
    var replyClass: ReplyClass
    /// Whether the address is not written to again.
    var isHard: Bool
}

/// Somebody called our message spam (RFC 5965).
struct Complaint: Sendable {
    /// `abuse`, `fraud`, `virus` or `other`, in lower case.
    var feedbackType: String
    /// Empty where the provider does not say who it was.
    var recipients: [EmailAddress]
}

extension Bounce {
    /// - Parameters:
    ///   - status: the field `Status`; nil in a notice that is all text.
    ///   - diagnostic: what the server said; UTF-8 as far as possible.
    ///   - isFinal: whether nobody tries any more.
    init(recipient: EmailAddress?, status: EnhancedStatus? = nil, diagnostic: [UInt8], isFinal: Bool) {
        let diagnostic = Array(diagnostic.prefix(Self.longestDiagnostic))
        let words = ReplyWords(diagnostic)
        let stage = BounceTexts.stages.first { $0.phrases.occur(in: words) }?.stage ?? .text
        // What the server said itself comes before what the reporting one made of it.
        let status = Self.status(in: diagnostic) ?? status
        let facts = ReplyFacts(status: status, diagnostic: diagnostic, stage: stage)
        self.recipient = recipient
        self.status = status
        replyCode = facts.code
        self.diagnostic = Self.printable(diagnostic)
        replyClass = ReplyClassifier.classify(status: status, diagnostic: self.diagnostic, stage: stage)
        isHard = isFinal && Self.isHard(replyClass, code: facts.code, status, words, diagnostic)
    }

    /// What a server says of a mailbox at the end of our own connection is first hand. A report tells it again, after
    /// forwarding, and in the name of a program that we do not know; so it has to be clearer.
    private static func isHard(
        _ replyClass: ReplyClass, code: Int?, _ status: EnhancedStatus?, _ words: ReplyWords, _ diagnostic: [UInt8]
    ) -> Bool {
        switch replyClass {
        case .addressGone:
            // Of mailboxes that exist and may be enabled again, and of the server's own system (RFC 3463, 3.3 and 3.4).
            if status?.subject == 2 || status?.subject == 3 { return false }
            // Of transactions, not of mailboxes (RFC 5321, 4.2.3), where no status says more.
            if code == 554, status.map({ $0.detail == 0 }) ?? true { return false }
            // A program to which an address that exists forwards.
            if diagnostic[...].trimmed.prefix(6).folded.elementsEqual("x-unix".utf8) { return false }
            return !BounceTexts.oldExchange.occur(in: words) || BounceTexts.oldExchangeUnknown.occur(in: words)
        case .noSuchHost: return !BounceTexts.unansweredNames.occur(in: words)
        default: return false
        }
    }

    /// The first status in a text; not a part of a word, a version or an Internet address.
    private static func status(in diagnostic: [UInt8]) -> EnhancedStatus? {
        var isWordStart = true
        for (index, byte) in diagnostic.enumerated() {
            if isWordStart, let status = EnhancedStatus(diagnostic[index...]) { return status }
            isWordStart = !(ReplyWords.isLetterOrDigit(byte) || byte == UInt8(ascii: ".") || byte >= 0x80)
        }
        return nil
    }

    /// Blanks for control characters, which PostgreSQL and logs would not take, and for each series of blanks one.
    static func printable(_ bytes: [UInt8]) -> String {
        var kept: [UInt8] = []
        for byte in bytes {
            if byte > 0x20, byte != 0x7F { kept.append(byte) } else if kept.last != 0x20 { kept.append(0x20) }
        }
        return String(decoding: kept[...].trimmed, as: UTF8.self)
    }
}
