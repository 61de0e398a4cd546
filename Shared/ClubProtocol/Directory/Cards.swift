import HTTPTypes

/// In which form a card is written.
package enum CardVersion: String, Codable, CaseIterable, Sendable {
    /// RFC 2426, which Outlook and older telephones take.
    case v3 = "3.0"
    /// RFC 6350.
    case v4 = "4.0"
}

/// Writes people as cards for an address book (vCard 4.0, RFC 6350, or 3.0, RFC 2426).
package enum ExportCards: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people.vcf", "Writes the people as vCards.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        produces: .vcard)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var email: EmailAddress?
        /// Part of one of the addresses or telephones.
        package var contact: ContactPart?
        /// People who agreed to this.
        package var purpose: Purpose?
        /// Words of the name; accents and typing errors are forgiven.
        package var q: Line?
        package var updatedSince: Timestamp?
        /// `4.0` unless said.
        package var version: CardVersion?

        package init(version: CardVersion? = nil) {
            self.version = version
        }

        /// The filters, as the list has them.
        package var filter: ListPeople.Query {
            .init(
                organization: organization, email: email, contact: contact, purpose: purpose, q: q,
                updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}

/// Writes one person as a card for an address book.
package enum GetCard: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people/{person}/vcard", "Writes a person as a vCard.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        problems: [.notFound], produces: .vcard)

    package typealias Path = PersonPath

    package struct Query: Codable, Sendable {
        /// `4.0` unless said.
        package var version: CardVersion?

        package init(version: CardVersion? = nil) {
            self.version = version
        }
    }

    package typealias Response = TextDocument
}
