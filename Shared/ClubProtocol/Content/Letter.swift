import HTTPTypes

/// One mail to one address that is about the reader's own affairs: a link that was asked for, a reminder, a receipt.
///
/// What it says is not shown: its link may be as good as a key, and is forgotten as soon as the letter has ended.
package struct Letter: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Letter>

    package enum Purpose: String, Codable, CaseIterable, Sendable {
        /// Asks whether what the directory says is still right.
        case confirmation
        /// A link that somebody asked for, to one's own record.
        case selfService
        /// A contribution that is due, or overdue.
        case contribution
        case receipt
        /// Anything else.
        case notice
    }

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Waits for its turn, or for the next try.
        case pending
        /// A sender has it in hand.
        case sending
        /// The mail server took it.
        case sent
        /// The mail server refused it for good.
        case failed
        /// The connection or the sender was lost when the mail server may have taken it: not sent again by itself.
        case uncertain
        /// The address has bounced, has complained, or was put on the suppression list by the staff.
        case suppressed

        /// The life of a letter:
        /// ```
        /// pending ──▶ sending ──▶ sent
        ///   ▲ │          ├──────▶ failed
        ///   │ │          ├──────▶ uncertain
        ///   └─┼──────────┘ (may be tried again)
        ///     └──▶ suppressed
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.pending, .sending), (.pending, .suppressed): true
            case (.sending, .sent), (.sending, .failed), (.sending, .uncertain), (.sending, .pending): true
            default: false
            }
        }
    }

    /// What is put under the paragraphs as a button.
    package struct Action: Codable, Hashable, Sendable {
        package var label: Line
        package var url: WebAddress

        package init(label: Line, url: WebAddress) {
            self.label = label
            self.url = url
        }
    }

    package var id: ID
    /// The sender's own name for it, by which a repetition is known.
    package var key: Line
    package var purpose: Purpose
    package var email: EmailAddress
    package var name: Line?
    package var subject: Line
    package var state: State
    package var attempts: Int
    /// What the mail server said last.
    package var reply: String?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Sends a letter, once: with the key of an earlier one it answers that one (200) and sends nothing.
///
/// Who has unsubscribed from the Flash info still gets letters; who has bounced or complained does not.
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
        /// Who in the directory it is to, if that is one person or expert: with them it is erased.
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

/// Lists letters, the newest first.
package enum ListLetters: Endpoint {
    package static let operation = Operation(
        .get, "/v1/letters", "Lists letters, newest first.", access: .roles(.operator, .auditor))

    package struct Query: Codable, Sendable, PagedQuery {
        package var state: Letter.State?
        package var purpose: Letter.Purpose?
        package var email: EmailAddress?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            state: Letter.State? = nil, purpose: Letter.Purpose? = nil, email: EmailAddress? = nil,
            limit: PageLimit? = nil,
            cursor: Cursor? = nil
        ) {
            self.state = state
            self.purpose = purpose
            self.email = email
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Letter>
}

/// Shows what became of a letter.
package enum GetLetter: Endpoint {
    package static let operation = Operation(
        .get, "/v1/letters/{letter}", "Shows what became of a letter.", access: .roles(.operator, .auditor),
        problems: [.notFound])

    package struct Path: Codable, Sendable {
        package var letter: Letter.ID

        package init(letter: Letter.ID) {
            self.letter = letter
        }
    }

    package typealias Response = Letter
}

extension ProblemType {
    package static let letterKeyUsed = ProblemType(
        "letter-key-used", "A letter to another address has this key", .conflict)
}
