import HTTPTypes

/// What came to the return address of our mails, or from a provider: a report of a bounce, a complaint, a departure, an
/// answer. What could not be read waits for people.
package struct InboundMessage: Codable, Hashable, Sendable {
    package typealias ID = Identifier<InboundMessage>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// It is read within seconds.
        case new
        /// What it says is known, and was done.
        case read
        /// What it says, or which mail it is about, is not known.
        case unread

        /// The life cycle of an inbound message:
        /// ```
        /// new ──▶ read
        ///  │       ▲
        ///  ▼       │ (the staff, or a later version)
        /// unread ──┘
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.new, .read), (.new, .unread), (.unread, .read): true
            default: false
            }
        }
    }

    package enum Kind: String, Codable, CaseIterable, Sendable {
        /// A mail did not reach its reader (RFC 3464, `failed`).
        case bounce
        /// A server still tries (RFC 3464, `delayed`).
        case delayed
        /// A mail reached its reader (RFC 3464, `delivered`, `relayed`).
        case delivered
        /// The reader called the mail spam (RFC 5965).
        case complaint
        /// A mail to the address of `List-Unsubscribe` (RFC 2369).
        case departure
        /// People wrote it: it is sent on to the editors.
        case reply
        /// An absence or another automatic answer (RFC 3834): it counts as nothing.
        case automatic
    }

    package enum Source: String, Codable, CaseIterable, Sendable {
        /// It arrived in the Maildir.
        case maildir
        /// It was posted as a message.
        case post
        /// A provider reported it by other means.
        case provider
    }

    /// How the mail that it is about was found.
    package enum FoundBy: String, Codable, CaseIterable, Sendable {
        /// The envelope sender that the mail had.
        case returnToken
        /// `Original-Envelope-Id` (RFC 3464, 2.2.1).
        case envelopeID
        /// The Message-ID in what it quotes or answers.
        case messageID
        /// Its recipient: the last mail to that address within seven days.
        case recipient
    }

    package var id: ID
    package var state: State
    package var source: Source
    /// What it was read as.
    package var kind: Kind?
    /// Why it could not be read.
    package var reason: String?
    package var subject: String?
    /// The address in its `From`.
    package var writer: EmailAddress?
    /// The mail that it is about: a delivery or a letter.
    package var delivery: Delivery.ID?
    package var letter: Letter.ID?
    package var foundBy: FoundBy?
    package var receivedAt: Timestamp
    package var updatedAt: Timestamp
}

/// The data of the entity `inboundMessage` in the change feed of the content service.
package struct InboundMessageNotice: Codable, Hashable, Sendable {
    package var id: InboundMessage.ID
    package var state: InboundMessage.State
    package var kind: InboundMessage.Kind?
}

/// Takes a message that came to the return address, as it was received: for mail servers that deliver by HTTP. The same
/// message again is answered 200, and counts once.
package enum TakeInboundMessage: Endpoint {
    /// In bytes.
    package static let longest = 20 << 20

    package static let operation = Operation(
        .post, "/v1/inbound-messages", "Takes a message that came to the return address of our mails.",
        success: .created, alternatives: [.ok], access: .roles(.operator, .service), problems: [.contentTooLarge],
        consumes: .message)

    package typealias Response = InboundMessage
}

/// Takes what a provider reports of a mail by other means than mail. The same report again is answered 200, and counts
/// once.
package enum TakeBounce: Endpoint {
    package static let operation = Operation(
        .post, "/v1/bounces", "Takes what a provider reports of a mail.", success: .created, alternatives: [.ok],
        access: .roles(.operator, .service))

    package struct Body: Codable, Sendable {
        /// `bounce`, `delayed`, `delivered`, `complaint` or `departure`.
        package var kind: InboundMessage.Kind
        /// Whom the mail was sent to.
        package var email: EmailAddress
        /// The Message-ID of the mail, with or without its angle brackets.
        package var messageID: Line?
        /// The envelope identifier that the mail had (RFC 3461, `ENVID`).
        package var envelopeID: Line?
        /// The enhanced status code (RFC 3463): `5.1.1`.
        package var status: Line?
        /// What the server said.
        package var diagnostic: Prose?
        /// The provider's own identifier of the report: two without it are the same if they say the same.
        package var key: Line?

        package init(
            kind: InboundMessage.Kind, email: EmailAddress, messageID: Line? = nil, envelopeID: Line? = nil,
            status: Line? = nil, diagnostic: Prose? = nil, key: Line? = nil
        ) {
            self.kind = kind
            self.email = email
            self.messageID = messageID
            self.envelopeID = envelopeID
            self.status = status
            self.diagnostic = diagnostic
            self.key = key
        }
    }

    package typealias Response = InboundMessage
}

/// Lists what came back, the latest first.
package enum ListInboundMessages: Endpoint {
    package static let operation = Operation(
        .get, "/v1/inbound-messages", "Lists what came back by mail, the latest first.",
        access: .roles(.operator, .editor, .auditor))

    package struct Filter: OptionalParameters {
        package var state: InboundMessage.State?
        package var kind: InboundMessage.Kind?

        package init() {}

        package init(state: InboundMessage.State? = nil, kind: InboundMessage.Kind? = nil) {
            self.state = state
            self.kind = kind
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<InboundMessage>
}

/// Shows what a message was read as.
package enum GetInboundMessage: Endpoint {
    package static let operation = Operation(
        .get, "/v1/inbound-messages/{message}", "Shows what an inbound message was read as.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = InboundMessage.ID
    package typealias Response = InboundMessage
}

/// The message as it was received. It is forgotten thirty days after it was read.
package enum GetInboundSource: Endpoint {
    package static let operation = Operation(
        .get, "/v1/inbound-messages/{message}/source", "Returns an inbound message as it was received.",
        access: .roles(.operator, .editor), problems: [.notFound, .erased], produces: .message)

    package typealias Path = InboundMessage.ID
    package typealias Response = FileDocument
}

/// Says what a message is that could not be read; what follows from it is done as if it had been.
package enum TransitionInboundMessage: Endpoint {
    package static let operation = Operation(
        .post, "/v1/inbound-messages/{message}/transitions", "Says what an unread inbound message is.",
        access: .roles(.operator, .editor), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = InboundMessage.ID

    package struct Body: Codable, Sendable {
        /// `read`.
        package var to: InboundMessage.State
        package var kind: InboundMessage.Kind
        /// The mail that it is about, where none was found. A bounce, a complaint and a departure need one.
        package var delivery: Delivery.ID?
        package var letter: Letter.ID?
        /// Of a bounce: whether the address is not written to again. By default it may be.
        package var isHard: Bool?

        package init(
            to: InboundMessage.State = .read, kind: InboundMessage.Kind, delivery: Delivery.ID? = nil,
            letter: Letter.ID? = nil, isHard: Bool? = nil
        ) {
            self.to = to
            self.kind = kind
            self.delivery = delivery
            self.letter = letter
            self.isHard = isHard
        }
    }

    package typealias Response = InboundMessage
}
