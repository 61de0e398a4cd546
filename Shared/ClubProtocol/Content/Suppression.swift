import HTTPTypes

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

        /// Whether the staff may lift it.
        package var mayBeLifted: Bool {
            switch self {
            case .bounced, .manual: true
            case .unsubscribed, .complaint: false
            }
        }
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
/// it gets no more mail. Both can hold at once. Of the other reasons a complaint takes the place of any, and is never
/// replaced; otherwise the first remains.
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

/// Lists the addresses that must not be mailed, by address.
package enum ListSuppressions: Endpoint {
    package static let operation = Operation(
        .get, "/v1/suppressions", "Lists the addresses that must not be mailed.",
        access: .roles(.operator, .editor, .auditor))

    package struct Filter: OptionalParameters {
        package var email: EmailAddress?
        package var reason: Suppression.Reason?
        package var purpose: Suppression.Purpose?

        package init() {}

        package init(
            email: EmailAddress? = nil, reason: Suppression.Reason? = nil, purpose: Suppression.Purpose? = nil
        ) {
            self.email = email
            self.reason = reason
            self.purpose = purpose
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Suppression>
}

/// Shows why an address must not be mailed.
package enum GetSuppression: Endpoint {
    package static let operation = Operation(
        .get, "/v1/suppressions/{suppression}", "Shows why an address must not be mailed.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = Suppression.ID
    package typealias Response = Suppression
}

/// Lifts a suppression that is `bounced` or `manual`: the address is mailed again. Who left or complained is mailed
/// again only by their own answer.
package enum LiftSuppression: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/suppressions/{suppression}", "Lifts a suppression.", success: .noContent,
        access: .roles(.operator), problems: [.notFound, .suppressionStands])

    package struct Query: Codable, Sendable {
        /// Why it no longer holds, for the journal: “repaired by telephone”.
        package var reason: Line

        package init(reason: Line) {
            self.reason = reason
        }
    }

    package typealias Path = Suppression.ID
}

/// Unsubscribes an address from every Flash info, or from all invitations, as the token says, whatever the body is. The
/// token comes from the `List-Unsubscribe` header of each e-mail; mail programs post to it on behalf of the reader
/// (RFC 8058), many of them from few machines: requests with a valid token are not limited by rate.
package enum Unsubscribe: Endpoint {
    package static let operation = Operation(
        .post, "/v1/unsubscriptions/{token}", "Unsubscribes the reader of a mail.", access: .anyone,
        problems: [.notFound])

    package typealias Path = String
}

extension ProblemType {
    package static let suppressionStands = ProblemType(
        "suppression-stands", "Only the reader can lift this suppression", .conflict)
}
