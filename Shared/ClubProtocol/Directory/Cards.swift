import HTTPTypes

/// The version of a vCard.
package enum CardVersion: String, Codable, CaseIterable, Sendable {
    /// RFC 2426, for Outlook and older phones.
    case v3 = "3.0"
    /// RFC 6350.
    case v4 = "4.0"
}

/// How cards are written.
package struct CardOptions: Codable, Sendable {
    /// `4.0` by default.
    package var version: CardVersion?

    package init(version: CardVersion? = nil) {
        self.version = version
    }
}

/// Exports people as address book cards (vCard 4.0, RFC 6350, or 3.0, RFC 2426).
package enum ExportCards: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people.vcf", "Exports the people as vCards.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        produces: .vcard)

    package typealias Query = Combined<ListPeople.Filter, CardOptions>
    package typealias Response = TextDocument
}

/// Exports one person as an address book card.
package enum GetCard: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people/{person}/vcard", "Exports a person as a vCard.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        problems: [.notFound], produces: .vcard)

    package typealias Path = Person.ID
    package typealias Query = CardOptions

    package typealias Response = TextDocument
}

extension Combined<ListPeople.Filter, CardOptions> {
    package init(_ filter: ListPeople.Filter = .init(), version: CardVersion? = nil) {
        self.init(filter, CardOptions(version: version))
    }

    package var filter: ListPeople.Filter { first }
}
