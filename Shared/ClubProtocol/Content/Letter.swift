import HTTPTypes

/// One e-mail to one address about the recipient's own affairs: a requested link, a reminder, a receipt.
///
/// Its text is not returned, because its link may grant access; the link and the attachments are deleted as soon as the
/// letter has ended.
package struct Letter: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Letter>

    /// What a letter is for. What its reader waits for goes first: a confirmation, a link, a ticket or a receipt; an
    /// invitation goes last, and all letters before the Flash info.
    package enum Purpose: String, Codable, CaseIterable, Sendable {
        /// Asks the recipient to confirm their record in the directory.
        case confirmation
        /// A requested link to the recipient's own record.
        case selfService
        /// A contribution that is due or overdue.
        case contribution
        case receipt
        /// Invites to an event or a meeting.
        case invitation
        /// Something that the recipient takes part in is near.
        case reminder
        /// Admits to an event.
        case ticket
        /// What was said and decided in a meeting.
        case minutes
        /// Asks whether something may be done or published.
        case approval
        /// Something that was promised is overdue.
        case chaser
        /// Anything else.
        case notice
    }

    /// What the recipient agreed to get, and may leave by a link in the letter.
    package enum Consent: String, Codable, CaseIterable, Sendable {
        case eventInvitations
    }

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Waits for its first or next attempt.
        case pending
        /// Being sent.
        case sending
        /// The mail server accepted it.
        case sent
        /// The mail server rejected it permanently.
        case failed
        /// The connection or the sender failed at a point where the mail server may have accepted it. Not retried
        /// automatically.
        case uncertain
        /// The address has bounced or complained, staff put it on the suppression list, or the reader left what the
        /// letter's consent is for.
        case suppressed
        /// Asked back before it went.
        case cancelled
        /// It was not accepted within its time.
        case expired

        /// The life cycle of a letter. What is refused before its text is `sending` for no time at all: both
        /// transitions are recorded as one.
        /// ```
        /// pending ──▶ sending ──▶ sent
        ///   ▲ │          ├──────▶ failed
        ///   │ │          ├──────▶ uncertain
        ///   └─┼──────────┘ (may be tried again)
        ///     ├──▶ suppressed
        ///     ├──▶ cancelled (asked back)
        ///     └──▶ expired (its time went by)
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.pending, .sending), (.pending, .suppressed), (.pending, .cancelled), (.pending, .expired): true
            case (.sending, .sent), (.sending, .failed), (.sending, .uncertain), (.sending, .pending): true
            default: false
            }
        }
    }

    /// A button below the paragraphs.
    package struct Action: Codable, Hashable, Sendable {
        package var label: Line
        package var url: WebAddress

        package init(label: Line, url: WebAddress) {
            self.label = label
            self.url = url
        }
    }

    package var id: ID
    /// The sender's own key, by which a repeated request is recognized.
    package var key: Line
    package var purpose: Purpose
    package var email: EmailAddress
    package var name: Line?
    package var replyTo: EmailAddress?
    package var subject: Line
    package var consent: Consent?
    package var notBefore: Timestamp?
    package var expiresAt: Timestamp?
    package var state: State
    package var attempts: Int
    /// The mail server's last reply.
    package var reply: String?
    /// Each try, the first one first; only where a single letter is shown.
    package var tries: [MailTry]?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// The data of the entity `letter` in the change feed of the content service: who asked for a letter learns what became
/// of it.
package struct LetterNotice: Codable, Hashable, Sendable {
    package var id: Letter.ID
    package var key: Line
    package var purpose: Letter.Purpose
    package var state: Letter.State
    /// When it came back, after a server had taken it.
    package var bouncedAt: Timestamp?
    package var updatedAt: Timestamp
}

/// Sends a letter, once: with the key of an earlier letter it returns that one (200) and sends nothing.
///
/// Addresses that unsubscribed from the Flash info still get letters; those that bounced or complained do not.
package enum SendLetter: Endpoint {
    package static let operation = Operation(
        .post, "/v1/letters", "Sends a letter, once.", success: .created, alternatives: [.ok],
        access: .roles(.operator, .service),
        problems: [.letterKeyUsed, .erased])

    package struct Body: Codable, Sendable, BoundedFields {
        package var key: Line
        package var purpose: Letter.Purpose
        package var email: EmailAddress
        package var name: Line?
        /// The recipient, if it is one person or expert of the directory. The letter is erased with them.
        package var reader: DataSubject?
        /// Where answers go, if not to the club's own address.
        package var replyTo: EmailAddress?
        package var subject: Line
        /// 1 to 20, in French.
        package var paragraphs: [Prose]
        package var action: Letter.Action?
        /// 3 at most, of 512 KiB together.
        package var attachments: [LetterAttachment]?
        /// What the recipient agreed to get. The letter is suppressed if they have left that, and has a link to leave it.
        package var consent: Letter.Consent?
        /// When they agreed: lifts the suppression of who left earlier.
        package var agreedAt: Timestamp?
        /// Not sent earlier; one in the past means now.
        package var notBefore: Timestamp?
        /// Not sent later: a reminder of what has begun is none. Without it, a letter is tried for 72 hours.
        package var expiresAt: Timestamp?

        package static let bounds: KeyValuePairs<String, FieldBound> = [
            "paragraphs": .elements(1...20), "attachments": .most(3),
        ]

        package init(
            key: Line, purpose: Letter.Purpose, email: EmailAddress, name: Line? = nil, reader: DataSubject? = nil,
            replyTo: EmailAddress? = nil, subject: Line, paragraphs: [Prose], action: Letter.Action? = nil,
            attachments: [LetterAttachment]? = nil, consent: Letter.Consent? = nil, agreedAt: Timestamp? = nil,
            notBefore: Timestamp? = nil, expiresAt: Timestamp? = nil
        ) {
            self.key = key
            self.purpose = purpose
            self.email = email
            self.name = name
            self.reader = reader
            self.replyTo = replyTo
            self.subject = subject
            self.paragraphs = paragraphs
            self.action = action
            self.attachments = attachments
            self.consent = consent
            self.agreedAt = agreedAt
            self.notBefore = notBefore
            self.expiresAt = expiresAt
        }
    }

    package typealias Response = Letter
}

/// Lists letters, newest first.
package enum ListLetters: Endpoint {
    package static let operation = Operation(
        .get, "/v1/letters", "Lists letters, newest first.", access: .roles(.operator, .auditor))

    package struct Filter: OptionalParameters {
        package var state: Letter.State?
        package var purpose: Letter.Purpose?
        package var email: EmailAddress?
        package var key: Line?

        package init() {}

        package init(
            state: Letter.State? = nil, purpose: Letter.Purpose? = nil, email: EmailAddress? = nil, key: Line? = nil
        ) {
            self.state = state
            self.purpose = purpose
            self.email = email
            self.key = key
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Letter>
}

/// Shows a letter and its state.
package enum GetLetter: Endpoint {
    package static let operation = Operation(
        .get, "/v1/letters/{letter}", "Shows what became of a letter.", access: .roles(.operator, .auditor),
        problems: [.notFound])

    package typealias Path = Letter.ID
    package typealias Response = Letter
}

/// Asks a letter back that has not gone yet; one that was asked back before is returned as it is.
package enum CancelLetter: Endpoint {
    package static let operation = Operation(
        .post, "/v1/letters/{letter}/cancellation", "Asks back a letter that has not gone yet.",
        access: .roles(.operator, .service), problems: [.notFound, .letterGone])

    package typealias Path = Letter.ID
    package typealias Response = Letter
}

extension ProblemType {
    package static let letterKeyUsed = ProblemType(
        "letter-key-used", "A letter to another address has this key", .conflict)
    package static let letterGone = ProblemType("letter-gone", "The letter has gone already", .conflict)
}
