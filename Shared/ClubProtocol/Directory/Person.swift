import HTTPTypes

/// A human being, once, whatever the roles.
package struct Person: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Person>

    package var id: ID
    /// How the person is addressed: `M.`, `Mme`, `Dr`, `Me` (the honorific prefix of RFC 6350, 6.2.2).
    package var honorificPrefix: Line?
    /// Absent of somebody who has one name: that is the family name.
    package var givenName: Line?
    package var familyName: Line
    /// The one that is written to. No two people have the same address, upper and lower case taken as one, further ones
    /// included.
    package var email: EmailAddress?
    /// Further addresses, each once, ten at the most; absent where there are none.
    package var otherEmails: [EmailAddress]?
    package var telephone: Telephone?
    /// Further telephones, each once, ten at the most; absent where there are none.
    package var otherTelephones: [Telephone]?
    /// Where the person works, and as what: `Présidente`, `Responsable des adhésions` (RFC 6350, 6.6.1).
    package var organization: Organization.ID?
    package var jobTitle: Line?
    package var consents: Consents
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Records that may be the same one; only in the answer to whoever has added it, and absent where there are none.
    package var possibleDuplicates: [PossibleDuplicate]?

    /// The further addresses, and the further telephones, that somebody may have.
    package static let mostFurther = 10
    /// Of what is said of a person.
    static let bounds: KeyValuePairs<String, FieldBound> = [
        "otherEmails": .most(mostFurther), "otherTelephones": .most(mostFurther),
    ]

    /// As one addresses the person: `Camille Etcheverry`.
    package var name: String { Self.name(givenName, familyName) }

    /// As one addresses somebody who may have one name.
    package static func name(_ givenName: Line?, _ familyName: Line) -> String {
        givenName.map { "\($0) \(familyName)" } ?? familyName.text
    }

    package init(
        id: ID = ID(), honorificPrefix: Line? = nil, givenName: Line? = nil, familyName: Line,
        email: EmailAddress? = nil, otherEmails: [EmailAddress]? = nil, telephone: Telephone? = nil,
        otherTelephones: [Telephone]? = nil, organization: Organization.ID? = nil, jobTitle: Line? = nil,
        consents: Consents = Consents(), version: Int = 1, createdAt: Timestamp = .now, updatedAt: Timestamp = .now
    ) {
        self.id = id
        self.honorificPrefix = honorificPrefix
        self.givenName = givenName
        self.familyName = familyName
        self.email = email
        self.otherEmails = otherEmails
        self.telephone = telephone
        self.otherTelephones = otherTelephones
        self.organization = organization
        self.jobTitle = jobTitle
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

    package struct Body: Codable, Sendable, BoundedFields {
        package var honorificPrefix: Line?
        /// Absent or `null` of somebody who has one name.
        package var givenName: Patched<Line>
        package var familyName: Line
        /// The one that is written to; without it the first of the further ones is.
        package var email: EmailAddress?
        /// Ten at the most as they are sent; one that is said twice, or is the first, is kept once.
        package var otherEmails: [EmailAddress]?
        package var telephone: Telephone?
        package var otherTelephones: [Telephone]?
        package var organization: Organization.ID?
        package var jobTitle: Line?
        package var consents: ConsentChoices?

        package static let bounds: KeyValuePairs<String, FieldBound> = Person.bounds

        package init(
            honorificPrefix: Line? = nil, givenName: Line? = nil, familyName: Line, email: EmailAddress? = nil,
            otherEmails: [EmailAddress]? = nil, telephone: Telephone? = nil, otherTelephones: [Telephone]? = nil,
            organization: Organization.ID? = nil, jobTitle: Line? = nil, consents: ConsentChoices? = nil
        ) {
            self.honorificPrefix = honorificPrefix
            self.givenName = givenName.map { .some($0) }
            self.familyName = familyName
            self.email = email
            self.otherEmails = otherEmails
            self.telephone = telephone
            self.otherTelephones = otherTelephones
            self.organization = organization
            self.jobTitle = jobTitle
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
        /// One of the addresses.
        package var email: EmailAddress?
        /// Part of one of the addresses or telephones.
        package var contact: ContactPart?
        /// People who agreed to this.
        package var purpose: Purpose?
        /// Words of the name; accents and typing errors are forgiven.
        package var q: Line?
        package var updatedSince: Timestamp?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            organization: Organization.ID? = nil, email: EmailAddress? = nil, contact: ContactPart? = nil,
            purpose: Purpose? = nil, q: Line? = nil, updatedSince: Timestamp? = nil, limit: PageLimit? = nil,
            cursor: Cursor? = nil
        ) {
            self.organization = organization
            self.email = email
            self.contact = contact
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

    package struct Body: Codable, Sendable, BoundedFields {
        package var honorificPrefix: Patched<Line>
        /// `null` for somebody who has one name.
        package var givenName: Patched<Line>
        package var familyName: Line?
        /// One of the further ones changes places with it; `null` makes the first of those the one that is written to.
        package var email: Patched<EmailAddress>
        /// All of them, ten at the most: they replace those there are.
        package var otherEmails: Patched<[EmailAddress]>
        package var telephone: Patched<Telephone>
        package var otherTelephones: Patched<[Telephone]>
        package var organization: Patched<Organization.ID>
        package var jobTitle: Patched<Line>
        package var consents: ConsentChoices?

        package static let bounds: KeyValuePairs<String, FieldBound> = Person.bounds

        package init(
            honorificPrefix: Patched<Line> = nil, givenName: Patched<Line> = nil, familyName: Line? = nil,
            email: Patched<EmailAddress> = nil, otherEmails: Patched<[EmailAddress]> = nil,
            telephone: Patched<Telephone> = nil, otherTelephones: Patched<[Telephone]> = nil,
            organization: Patched<Organization.ID> = nil, jobTitle: Patched<Line> = nil,
            consents: ConsentChoices? = nil
        ) {
            self.honorificPrefix = honorificPrefix
            self.givenName = givenName
            self.familyName = familyName
            self.email = email
            self.otherEmails = otherEmails
            self.telephone = telephone
            self.otherTelephones = otherTelephones
            self.organization = organization
            self.jobTitle = jobTitle
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
