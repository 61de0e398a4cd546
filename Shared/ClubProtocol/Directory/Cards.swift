import HTTPTypes

/// Writes people as cards for an address book (vCard 4.0, RFC 6350).
package enum ExportCards: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people.vcf", "Writes the people as vCards.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        produces: .vcard)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var email: EmailAddress?
        /// People who agreed to this.
        package var purpose: Purpose?
        /// Words of the name; accents and typing errors are forgiven.
        package var q: Line?
        package var updatedSince: Timestamp?

        package init() {
        }

        /// The filters, as the list has them.
        package var filter: ListPeople.Query {
            .init(
                organization: organization, email: email, purpose: purpose, q: q, updatedSince: updatedSince)
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
    package typealias Response = TextDocument
}
