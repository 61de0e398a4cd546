import HTTPTypes

/// One e-mail of an issue to one address, and its outcome.
package struct Delivery: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Delivery>

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
        /// The address is on the suppression list.
        case suppressed
        /// The issue was cancelled before it was sent.
        case cancelled
        /// Not sent as the reader wishes: too often, in a pause, or nothing of the kinds that they want.
        case skipped

        /// The life cycle of a delivery:
        /// ```
        ///    ┌──(may be tried again)──┐
        ///    ▼                        │
        /// pending ──────────────▶ sending ──▶ sent
        ///  ▲ ├──▶ suppressed          ├─────▶ uncertain
        ///  │ ├──▶ cancelled           │
        ///  │ └──▶ failed ◀────────────┘
        ///  └── failed, uncertain, cancelled, suppressed, skipped (a resend)
        /// ```
        /// `skipped` is made so when the deliveries are frozen.
        /// A bounce, a complaint or a withdrawal that comes later is written beside the state.
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.pending, .sending), (.pending, .suppressed), (.pending, .cancelled), (.pending, .failed): true
            case (.sending, .sent), (.sending, .failed), (.sending, .uncertain), (.sending, .pending): true
            case (.failed, .pending), (.uncertain, .pending), (.cancelled, .pending), (.suppressed, .pending),
                (.skipped, .pending):
                true
            default: false
            }
        }
    }

    package var id: ID
    package var issue: Issue.ID
    package var audience: Edition.Audience
    package var email: EmailAddress
    package var name: String?
    package var state: State
    package var attempts: Int
    /// The kinds of items that it shows, as the reader wished when it was frozen; all if absent.
    package var kinds: [IssueItem.Kind]?
    /// Which version of the issue's content it carried; absent if its text has not begun.
    package var contentVersion: Int?
    /// The lane that it is sent in: a mailbox provider's, `other`, or `domain:` and a domain.
    package var lane: String
    /// It fails if it has not been accepted by then.
    package var deadline: Timestamp
    /// The mail server's last reply, what happened to the connection, or why it is not sent.
    package var reply: String?
    /// When it came back, the address complained, or its reader left by its link: each after it was accepted.
    package var bouncedAt: Timestamp?
    package var complainedAt: Timestamp?
    package var leftAt: Timestamp?
    /// Each try, the first one first; absent in a list.
    package var tries: [MailTry]?
    package var updatedAt: Timestamp
}

/// Shows a delivery with each try, and with what came back later.
package enum GetDelivery: Endpoint {
    package static let operation = Operation(
        .get, "/v1/deliveries/{delivery}", "Shows what became of a delivery.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = Delivery.ID
    package typealias Response = Delivery
}

/// Lists the deliveries of an issue, by address.
package enum ListDeliveries: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues/{issue}/deliveries", "Lists the deliveries of an issue.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = Issue.ID

    package struct Filter: OptionalParameters {
        package var state: Delivery.State?
        package var audience: Edition.Audience?

        package init() {}

        package init(state: Delivery.State? = nil, audience: Edition.Audience? = nil) {
            self.state = state
            self.audience = audience
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Delivery>
}
