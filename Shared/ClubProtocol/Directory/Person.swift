import HTTPTypes

/// A human being, once, whatever the roles.
package struct Person: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Person>

    package var id: ID
    package var givenName: Line
    package var familyName: Line
    /// No two people have the same address, upper and lower case taken as one.
    package var email: EmailAddress?
    package var telephone: Telephone?
    /// Where the person works.
    package var organization: Organization.ID?
    package var consents: Consents
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Records that may be the same one; only in the answer to whoever has added it, and absent where there are none.
    package var possibleDuplicates: [PossibleDuplicate]?

    /// As one addresses the person: `Camille Etcheverry`.
    package var name: String { "\(givenName) \(familyName)" }

    package init(
        id: ID = ID(), givenName: Line, familyName: Line, email: EmailAddress? = nil, telephone: Telephone? = nil,
        organization: Organization.ID? = nil, consents: Consents = Consents(), version: Int = 1,
        createdAt: Timestamp = .now, updatedAt: Timestamp = .now
    ) {
        self.id = id
        self.givenName = givenName
        self.familyName = familyName
        self.email = email
        self.telephone = telephone
        self.organization = organization
        self.consents = consents
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// Adds a person; a representative adds people of its own organization.
package enum CreatePerson: Endpoint {
    package static let operation = Operation(
        .post, "/v1/people", "Adds a person.", success: .created, access: .roles(.operator, .representative),
        problems: [.alreadyExists, .conflict])

    package struct Body: Codable, Sendable {
        package var givenName: Line
        package var familyName: Line
        package var email: EmailAddress?
        package var telephone: Telephone?
        package var organization: Organization.ID?
        package var consents: ConsentChoices?

        package init(
            givenName: Line, familyName: Line, email: EmailAddress? = nil, telephone: Telephone? = nil,
            organization: Organization.ID? = nil, consents: ConsentChoices? = nil
        ) {
            self.givenName = givenName
            self.familyName = familyName
            self.email = email
            self.telephone = telephone
            self.organization = organization
            self.consents = consents
        }
    }

    package typealias Response = Person
}

/// Lists people by family name, then given name.
package enum ListPeople: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people", "Lists people by family name.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert))

    package struct Query: Codable, Sendable, PagedQuery {
        package var organization: Organization.ID?
        package var email: EmailAddress?
        /// People who agreed to this.
        package var purpose: Purpose?
        /// Words of the name; accents and typing errors are forgiven.
        package var q: Line?
        package var updatedSince: Timestamp?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            organization: Organization.ID? = nil, email: EmailAddress? = nil, purpose: Purpose? = nil, q: Line? = nil,
            updatedSince: Timestamp? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.organization = organization
            self.email = email
            self.purpose = purpose
            self.q = q
            self.updatedSince = updatedSince
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Person>
}

/// Shows one person.
package enum GetPerson: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people/{person}", "Shows a person.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        problems: [.notFound, .merged])

    package typealias Path = PersonPath
    package typealias Response = Person
}

/// Changes a person by a merge patch. Only the club's staff moves a person to another organization.
package enum ChangePerson: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/people/{person}", "Changes a person.",
        access: .roles(.operator, .representative, .ambassador, .expert),
        problems: [.notFound, .alreadyExists, .conflict], requiresIfMatch: true)

    package typealias Path = PersonPath

    package struct Body: Codable, Sendable {
        package var givenName: Line?
        package var familyName: Line?
        package var email: Patched<EmailAddress>
        package var telephone: Patched<Telephone>
        package var organization: Patched<Organization.ID>
        package var consents: ConsentChoices?

        package init(
            givenName: Line? = nil, familyName: Line? = nil, email: Patched<EmailAddress> = nil,
            telephone: Patched<Telephone> = nil, organization: Patched<Organization.ID> = nil,
            consents: ConsentChoices? = nil
        ) {
            self.givenName = givenName
            self.familyName = familyName
            self.email = email
            self.telephone = telephone
            self.organization = organization
            self.consents = consents
        }
    }

    package typealias Response = Person
}

/// `/v1/people/{person}`
package struct PersonPath: Codable, Sendable {
    package var person: Person.ID

    package init(person: Person.ID) {
        self.person = person
    }
}
