import HTTPTypes

/// The version of a vCard.
package enum CardVersion: String, Codable, CaseIterable, Sendable {
    /// RFC 2426, for Outlook and older phones.
    case v3 = "3.0"
    /// RFC 6350.
    case v4 = "4.0"
}

/// Exports people as address book cards (vCard 4.0, RFC 6350, or 3.0, RFC 2426).
package enum ExportCards: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people.vcf", "Writes the people as vCards.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        produces: .vcard)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var email: EmailAddress?
        /// Part of an e-mail address or telephone number.
        package var contact: ContactPart?
        /// People who consented to this purpose.
        package var purpose: Purpose?
        /// Words of the name; accents and typing errors are tolerated.
        package var q: Line?
        package var updatedSince: Timestamp?
        /// `4.0` by default.
        package var version: CardVersion?

        package init(version: CardVersion? = nil) {
            self.version = version
        }

        /// The same filters as a query of the list.
        package var filter: ListPeople.Query {
            .init(
                organization: organization, email: email, contact: contact, purpose: purpose, q: q,
                updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}

/// Exports one person as an address book card.
package enum GetCard: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people/{person}/vcard", "Writes a person as a vCard.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        problems: [.notFound], produces: .vcard)

    package typealias Path = Person.ID

    package struct Query: Codable, Sendable {
        /// `4.0` by default.
        package var version: CardVersion?

        package init(version: CardVersion? = nil) {
            self.version = version
        }
    }

    package typealias Response = TextDocument
}
