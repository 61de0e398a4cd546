import HTTPTypes

/// One e-mail to one address about the recipient's own affairs: a requested link, a reminder, a receipt.
///
/// Its text is not returned, because its link may grant access; the text is deleted as soon as the letter is
/// complete.
package struct Letter: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Letter>

    package enum Purpose: String, Codable, CaseIterable, Sendable {
        /// Asks the recipient to confirm their record in the directory.
        case confirmation
        /// A requested link to the recipient's own record.
        case selfService
        /// A contribution that is due or overdue.
        case contribution
        case receipt
        /// Anything else.
        case notice
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
        /// The address has bounced or complained, or staff put it on the suppression list.
        case suppressed

        /// The life cycle of a letter:
        /// ```
        /// pending ──▶ sending ──▶ sent
        ///   ▲ │          ├──────▶ failed
        ///   │ │          ├──────▶ uncertain
        ///   └─┼──────────┘ (may be tried again)
        ///     ├──▶ suppressed
        ///     └──▶ failed (its time is over)
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.pending, .sending), (.pending, .suppressed), (.pending, .failed): true
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
    package var subject: Line
    package var state: State
    package var attempts: Int
    /// The mail server's last reply.
    package var reply: String?
    package var createdAt: Timestamp
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
        package var subject: Line
        /// 1 to 20, in French.
        package var paragraphs: [Prose]
        package var action: Letter.Action?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["paragraphs": .elements(1...20)]

        package init(
            key: Line, purpose: Letter.Purpose, email: EmailAddress, name: Line? = nil, reader: DataSubject? = nil,
            subject: Line, paragraphs: [Prose], action: Letter.Action? = nil
        ) {
            self.key = key
            self.purpose = purpose
            self.email = email
            self.name = name
            self.reader = reader
            self.subject = subject
            self.paragraphs = paragraphs
            self.action = action
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

        package init() {}

        package init(state: Letter.State? = nil, purpose: Letter.Purpose? = nil, email: EmailAddress? = nil) {
            self.state = state
            self.purpose = purpose
            self.email = email
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

extension ProblemType {
    package static let letterKeyUsed = ProblemType(
        "letter-key-used", "A letter to another address has this key", .conflict)
}
