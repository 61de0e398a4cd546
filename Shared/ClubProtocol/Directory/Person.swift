import HTTPTypes

/// A human being: one record, whatever their roles.
package struct Person: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Person>

    package var id: ID
    /// How the person is addressed: `M.`, `Mme`, `Dr`, `Me` (the honorific prefix of RFC 6350, 6.2.2).
    package var honorificPrefix: Line?
    /// Absent for a person with one name, which is then the family name.
    package var givenName: Line?
    package var familyName: Line
    /// The address that mail is sent to. No two people have the same address, ignoring case and including the further
    /// ones.
    package var email: EmailAddress?
    /// Further addresses, at most ten, without duplicates; absent if there are none.
    package var otherEmails: [EmailAddress]?
    /// Present while mail to `email` comes back; set by the directory.
    package var unreachable: Unreachable?
    package var telephone: Telephone?
    /// Further telephone numbers, at most ten, without duplicates; absent if there are none.
    package var otherTelephones: [Telephone]?
    /// Where the person works, and in which role: `Présidente`, `Responsable des adhésions` (RFC 6350, 6.6.1).
    package var organization: Organization.ID?
    package var jobTitle: Line?
    package var consents: Consents
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Records that may be the same one; only in the response to the caller who added this one, and absent if there
    /// are none.
    package var possibleDuplicates: [PossibleDuplicate]?

    /// The maximum number of further addresses, and of further telephone numbers.
    package static let mostFurther = 10
    /// The bounds of a person's fields.
    static let bounds: KeyValuePairs<String, FieldBound> = [
        "otherEmails": .most(mostFurther), "otherTelephones": .most(mostFurther),
    ]

    /// The name used to address the person: `Camille Etcheverry`.
    package var name: String { Self.name(givenName, familyName) }

    /// The name used to address a person who may have only one name.
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

/// Adds a person. Representatives may add people of their own organization.
package enum CreatePerson: Endpoint {
    package static let operation = Operation(
        .post, "/v1/people", "Adds a person.", success: .created, access: .roles(.operator, .representative),
        problems: [.alreadyExists, .conflict])

    package struct Body: Codable, Sendable, BoundedFields {
        package var honorificPrefix: Line?
        /// Absent or `null` for a person with one name.
        package var givenName: Patched<Line>
        package var familyName: Line
        /// The address that mail is sent to; by default the first of the further ones.
        package var email: EmailAddress?
        /// At most ten as sent; duplicates, also of `email`, are dropped.
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

    package struct Filter: OptionalParameters {
        package var organization: Organization.ID?
        /// One of the person's addresses.
        package var email: EmailAddress?
        /// Part of an e-mail address or telephone number.
        package var contact: ContactPart?
        /// People who consented to this purpose.
        package var purpose: Purpose?
        /// Words of the name; accents and typing errors are tolerated.
        package var q: Line?
        /// Whether mail to the address comes back; both if absent.
        package var unreachable: Bool?
        package var updatedSince: Timestamp?

        package init() {}

        package init(
            organization: Organization.ID? = nil, email: EmailAddress? = nil, contact: ContactPart? = nil,
            purpose: Purpose? = nil, q: Line? = nil, unreachable: Bool? = nil, updatedSince: Timestamp? = nil
        ) {
            self.organization = organization
            self.email = email
            self.contact = contact
            self.purpose = purpose
            self.q = q
            self.unreachable = unreachable
            self.updatedSince = updatedSince
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Person>
}

/// Shows one person.
package enum GetPerson: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people/{person}", "Shows a person.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        problems: [.notFound, .merged])

    package typealias Path = Person.ID
    package typealias Response = Person
}

/// Changes a person by a merge patch. Only staff may move a person to another organization.
package enum ChangePerson: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/people/{person}", "Changes a person.",
        access: .roles(.operator, .representative, .ambassador, .expert),
        problems: [.notFound, .alreadyExists, .conflict], requiresIfMatch: true)

    package typealias Path = Person.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var honorificPrefix: Patched<Line>
        /// `null` for a person with one name.
        package var givenName: Patched<Line>
        package var familyName: Line?
        /// A further address given here is swapped with it; `null` promotes the first of the further ones.
        package var email: Patched<EmailAddress>
        /// The complete list, at most ten; replaces the existing one.
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
