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

        /// The life cycle of a delivery:
        /// ```
        ///    ┌──(may be tried again)──┐
        ///    ▼                        │
        /// pending ──────────────▶ sending ──▶ sent
        ///  ▲ ├──▶ suppressed          ├─────▶ uncertain
        ///  │ ├──▶ cancelled           │
        ///  │ └──▶ failed ◀────────────┘
        ///  └── failed, uncertain, cancelled, suppressed (a resend)
        /// ```
        /// A bounce, a complaint or a withdrawal that comes later is written beside the state.
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.pending, .sending), (.pending, .suppressed), (.pending, .cancelled), (.pending, .failed): true
            case (.sending, .sent), (.sending, .failed), (.sending, .uncertain), (.sending, .pending): true
            case (.failed, .pending), (.uncertain, .pending), (.cancelled, .pending), (.suppressed, .pending): true
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
    /// The lane that it is sent in: a mailbox provider's, `other`, or `domain:` and a domain.
    package var lane: String
    /// It fails if it has not been accepted by then.
    package var deadline: Timestamp
    /// The mail server's last reply, or what happened to the connection.
    package var reply: String?
    package var updatedAt: Timestamp
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

/// An address that must not be mailed, at all or for one purpose, and why. An address may be suppressed for several
/// purposes.
package struct Suppression: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Suppression>

    /// What a reader can leave by a link.
    package enum Purpose: String, Codable, CaseIterable, Sendable {
        case flashInfo, eventInvitations
    }

    package enum Reason: String, Codable, CaseIterable, Sendable {
        /// The person used the unsubscribe link of an e-mail. Holds until the person consents again.
        case unsubscribed
        /// The mail server said that the address does not exist.
        case bounced
        /// The person complained.
        case complaint
        /// Added by the club's staff.
        case manual
    }

    package var id: ID
    package var email: EmailAddress
    package var reason: Reason
    /// What is not mailed; all mail if absent.
    package var purpose: Purpose?
    package var createdAt: Timestamp
}

/// The data of the entity `suppression` in the change feed of the content service.
package struct SuppressionNotice: Codable, Hashable, Sendable {
    package var id: Suppression.ID
    package var email: EmailAddress
    package var reason: Suppression.Reason
    /// What is not mailed; all mail if absent.
    package var purpose: Suppression.Purpose?
    /// When the unsubscribe link was last used; absent if never.
    package var unsubscribedAt: Timestamp?
}

/// Adds an address to the suppression list. One that is `unsubscribed` gets no more Flash info; for every other reason
/// it gets no more mail, and keeps the first of these.
package enum CreateSuppression: Endpoint {
    package static let operation = Operation(
        .post, "/v1/suppressions", "Puts an address on the suppression list.", success: .created,
        access: .roles(.operator, .editor), problems: [.erased])

    package struct Body: Codable, Sendable {
        package var email: EmailAddress
        package var reason: Suppression.Reason

        package init(email: EmailAddress, reason: Suppression.Reason) {
            self.email = email
            self.reason = reason
        }
    }

    package typealias Response = Suppression
}

/// Lists the addresses that must not be mailed.
package enum ListSuppressions: Endpoint {
    package static let operation = Operation(
        .get, "/v1/suppressions", "Lists the addresses that must not be mailed.",
        access: .roles(.operator, .editor, .auditor))

    package typealias Query = Paged<Empty>
    package typealias Response = Page<Suppression>
}

/// Unsubscribes an address from every Flash info, or from all invitations, as the token says. The token comes from the
/// `List-Unsubscribe` header of each e-mail; mail programs post to it on behalf of the reader (RFC 8058).
package enum Unsubscribe: Endpoint {
    package static let operation = Operation(
        .post, "/v1/unsubscriptions/{token}", "Unsubscribes the reader of a mail.", success: .noContent,
        access: .anyone, problems: [.notFound])

    package typealias Path = String
}
