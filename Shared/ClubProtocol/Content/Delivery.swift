import HTTPTypes

/// One mail of an issue to one address, and what became of it.
package struct Delivery: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Delivery>

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
        /// The address is on the suppression list.
        case suppressed
        /// The issue was called off before its turn.
        case cancelled

        /// The life of a delivery:
        /// ```
        /// pending ──▶ sending ──▶ sent
        ///   ▲ │          ├──────▶ failed
        ///   │ │          ├──────▶ uncertain
        ///   └─┼──────────┘ (may be tried again)
        ///     ├──▶ suppressed
        ///     └──▶ cancelled
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.pending, .sending), (.pending, .suppressed), (.pending, .cancelled): true
            case (.sending, .sent), (.sending, .failed), (.sending, .uncertain), (.sending, .pending): true
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
    /// What the mail server said when it last refused.
    package var reply: String?
    package var updatedAt: Timestamp
}

/// Lists the deliveries of an issue, by address.
package enum ListDeliveries: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues/{issue}/deliveries", "Lists the deliveries of an issue.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = IssuePath

    package struct Query: Codable, Sendable, PagedQuery {
        package var state: Delivery.State?
        package var audience: Edition.Audience?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            state: Delivery.State? = nil, audience: Edition.Audience? = nil, limit: PageLimit? = nil,
            cursor: Cursor? = nil
        ) {
            self.state = state
            self.audience = audience
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Delivery>
}

/// An address that must not be mailed, and why.
package struct Suppression: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Suppression>

    package enum Reason: String, Codable, CaseIterable, Sendable {
        /// The person used the link in a mail. It holds until the person agrees to be mailed anew.
        case unsubscribed
        /// The mail server said that there is no such address.
        case bounced
        /// The person complained.
        case complaint
        /// The club's staff put it there.
        case manual
    }

    package var id: ID
    package var email: EmailAddress
    package var reason: Reason
    package var createdAt: Timestamp
}

/// What followers of content's feed get of the entity `suppression`.
package struct SuppressionNotice: Codable, Hashable, Sendable {
    package var id: Suppression.ID
    package var email: EmailAddress
    package var reason: Suppression.Reason
    /// When the link in a mail was last used; absent: never.
    package var unsubscribedAt: Timestamp?
}

/// Puts an address on the suppression list; once there, it stays with its first reason.
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

    package struct Query: Codable, Sendable, PagedQuery {
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Suppression>
}

/// Takes an address off every Flash info. The token stands in the `List-Unsubscribe` of each mail, to which a mail
/// program posts by itself when its reader asks for it (RFC 8058).
package enum Unsubscribe: Endpoint {
    package static let operation = Operation(
        .post, "/v1/unsubscriptions/{token}", "Takes the reader of a mail off the list.", success: .noContent,
        access: .anyone, problems: [.notFound])

    package struct Path: Codable, Sendable {
        package var token: String

        package init(token: String) {
            self.token = token
        }
    }
}
