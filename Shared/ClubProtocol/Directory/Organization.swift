import HTTPTypes

/// An institution, a brand or a provider; never a person.
package struct Organization: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Organization>

    package enum Kind: String, Codable, CaseIterable, Sendable {
        case institution, brand, provider
    }

    /// The kind of institution or provider; a brand has none.
    package enum SubKind: String, Codable, CaseIterable, Sendable {
        case accountingCentre, federation, regulatedProfession, digitalSpaceNetwork, regionalAgency, chamber, government
        case webAgency, reseller

        /// The kind of organization that can have this sub-kind.
        package var kind: Kind {
            switch self {
            case .webAgency, .reseller: .provider
            default: .institution
            }
        }
    }

    package var id: ID
    package var kind: Kind
    package var subKind: SubKind?
    package var name: Line
    package var siren: Siren?
    package var siret: Siret?
    /// The head of network that this branch belongs to.
    package var parent: ID?
    /// Its seat: street and number, postal code, commune and the resulting département.
    package var street: Line?
    package var postalCode: PostalCode?
    package var commune: Line?
    package var departement: Departement?
    /// The région of the département.
    package var region: Region?
    /// Other postal addresses and locations.
    package var addresses: [Address]
    package var website: WebAddress?
    package var email: EmailAddress?
    /// E-mail addresses by role, one per role; absent if there are none.
    package var mailboxes: [Mailbox]?
    /// Present while mail to `email` or one of the mailboxes comes back; set by the directory.
    package var unreachable: Unreachable?
    package var telephone: Telephone?
    package var topics: [Topic]
    /// The communication agency that manages a brand's press material.
    package var agency: ID?
    /// Whether it is listed in the public directory while a member.
    package var publicDirectory: Bool
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Records that may be the same one; only in the response to the caller who added this one, and absent if there
    /// are none.
    package var possibleDuplicates: [PossibleDuplicate]?

    /// The bounds of an organization's fields.
    static let bounds: KeyValuePairs<String, FieldBound> = [
        "addresses": .most(20), "mailboxes": .most(Mailbox.Role.allCases.count), "topics": .most(Topic.mostOfOne),
    ]

    package init(
        id: ID = ID(), kind: Kind, subKind: SubKind? = nil, name: Line, siren: Siren? = nil, siret: Siret? = nil,
        parent: ID? = nil, street: Line? = nil, postalCode: PostalCode? = nil, commune: Line? = nil,
        departement: Departement? = nil, region: Region? = nil, addresses: [Address] = [],
        website: WebAddress? = nil, email: EmailAddress? = nil, mailboxes: [Mailbox]? = nil,
        telephone: Telephone? = nil, topics: [Topic] = [], agency: ID? = nil, publicDirectory: Bool = true,
        version: Int = 1, createdAt: Timestamp = .now,
        updatedAt: Timestamp = .now
    ) {
        self.id = id
        self.kind = kind
        self.subKind = subKind
        self.name = name
        self.siren = siren
        self.siret = siret
        self.parent = parent
        self.street = street
        self.postalCode = postalCode
        self.commune = commune
        self.departement = departement
        self.region = region
        self.addresses = addresses
        self.website = website
        self.email = email
        self.mailboxes = mailboxes
        self.telephone = telephone
        self.topics = topics
        self.agency = agency
        self.publicDirectory = publicDirectory
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// A further address of an organization; the seat is part of the organization itself.
package struct Address: Codable, Hashable, Sendable {
    package enum Use: String, Codable, CaseIterable, Sendable {
        /// For letters, for calls for contributions, or a place to meet.
        case postal, billing, site
    }

    package var use: Use
    package var street: Line?
    /// Absent only abroad (`990`), for countries without postal codes.
    package var postalCode: PostalCode?
    package var commune: Line
    /// Both are derived from the postal code, and included if it determines them. An address may be sent back as it
    /// was read, but not with other values.
    package var departement: Departement?
    package var region: Region?

    package init(
        use: Use, street: Line? = nil, postalCode: PostalCode?, commune: Line, departement: Departement? = nil,
        region: Region? = nil
    ) {
        self.use = use
        self.street = street
        self.postalCode = postalCode
        self.commune = commune
        self.departement = departement
        self.region = region
    }

    /// The line of a postal address for the town: `64000 Pau`. What is unknown is left out.
    package static func townLine(postalCode: String?, commune: String?) -> String {
        [postalCode, commune].compactMap(\.self).joined(separator: " ")
    }
}

/// Adds an organization. The département defaults to that of the postal code, the SIREN to that of the SIRET.
package enum CreateOrganization: Endpoint {
    package static let operation = Operation(
        .post, "/v1/organizations", "Adds an organization.", success: .created, access: .roles(.operator),
        problems: [.alreadyExists])

    package struct Body: Codable, Sendable, BoundedFields {
        package var kind: Organization.Kind
        package var subKind: Organization.SubKind?
        package var name: Line
        package var siren: Siren?
        package var siret: Siret?
        package var parent: Organization.ID?
        package var street: Line?
        package var postalCode: PostalCode?
        package var commune: Line?
        package var departement: Departement?
        /// At most 20.
        package var addresses: [Address]?
        package var website: WebAddress?
        package var email: EmailAddress?
        /// One per role.
        package var mailboxes: [Mailbox]?
        package var telephone: Telephone?
        package var topics: [Topic]?
        package var agency: Organization.ID?
        /// Whether it is listed in the public directory while a member; true by default.
        package var publicDirectory: Bool?

        package static let bounds: KeyValuePairs<String, FieldBound> = Organization.bounds

        package init(
            kind: Organization.Kind, subKind: Organization.SubKind? = nil, name: Line, siren: Siren? = nil,
            siret: Siret? = nil, parent: Organization.ID? = nil, street: Line? = nil, postalCode: PostalCode? = nil,
            commune: Line? = nil, departement: Departement? = nil, addresses: [Address]? = nil,
            website: WebAddress? = nil, email: EmailAddress? = nil, mailboxes: [Mailbox]? = nil,
            telephone: Telephone? = nil, topics: [Topic]? = nil, agency: Organization.ID? = nil,
            publicDirectory: Bool? = nil
        ) {
            self.kind = kind
            self.subKind = subKind
            self.name = name
            self.siren = siren
            self.siret = siret
            self.parent = parent
            self.street = street
            self.postalCode = postalCode
            self.commune = commune
            self.departement = departement
            self.addresses = addresses
            self.website = website
            self.email = email
            self.mailboxes = mailboxes
            self.telephone = telephone
            self.topics = topics
            self.agency = agency
            self.publicDirectory = publicDirectory
        }
    }

    package typealias Response = Organization
}

/// Lists organizations by name.
package enum ListOrganizations: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations", "Lists organizations by name.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador))

    package struct Filter: OptionalParameters {
        package var kind: Organization.Kind?
        package var subKind: Organization.SubKind?
        /// The département of its seat.
        package var departement: Departement?
        package var region: Region?
        package var topic: Topic?
        package var parent: Organization.ID?
        /// Brands managed by this communication agency.
        package var agency: Organization.ID?
        /// Organizations that are members on this day.
        package var asOf: Day?
        package var siret: Siret?
        /// Part of an e-mail address, mailboxes included, or of the telephone number.
        package var contact: ContactPart?
        /// Words of the name or the commune; accents, endings and typing errors are tolerated.
        package var q: Line?
        /// Whether mail to one of the addresses comes back; both if absent.
        package var unreachable: Bool?
        package var updatedSince: Timestamp?

        package init() {}

        package init(
            kind: Organization.Kind? = nil, subKind: Organization.SubKind? = nil, departement: Departement? = nil,
            region: Region? = nil, topic: Topic? = nil, parent: Organization.ID? = nil, agency: Organization.ID? = nil,
            asOf: Day? = nil,
            siret: Siret? = nil, contact: ContactPart? = nil, q: Line? = nil, unreachable: Bool? = nil,
            updatedSince: Timestamp? = nil
        ) {
            self.kind = kind
            self.subKind = subKind
            self.departement = departement
            self.region = region
            self.topic = topic
            self.parent = parent
            self.agency = agency
            self.asOf = asOf
            self.siret = siret
            self.contact = contact
            self.q = q
            self.unreachable = unreachable
            self.updatedSince = updatedSince
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Organization>
}

/// Shows one organization.
package enum GetOrganization: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations/{organization}", "Shows an organization.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador),
        problems: [.notFound, .merged])

    package typealias Path = Organization.ID
    package typealias Response = Organization
}

/// Changes an organization by a merge patch. Representatives may change their own, except kind, numbers and parent.
package enum ChangeOrganization: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/organizations/{organization}", "Changes an organization.",
        access: .roles(.operator, .representative), problems: [.notFound, .alreadyExists], requiresIfMatch: true)

    package typealias Path = Organization.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var kind: Organization.Kind?
        package var subKind: Patched<Organization.SubKind>
        package var name: Line?
        package var siren: Patched<Siren>
        package var siret: Patched<Siret>
        package var parent: Patched<Organization.ID>
        package var street: Patched<Line>
        package var postalCode: Patched<PostalCode>
        package var commune: Patched<Line>
        package var departement: Patched<Departement>
        /// The complete list, at most 20; replaces the existing one.
        package var addresses: [Address]?
        package var website: Patched<WebAddress>
        package var email: Patched<EmailAddress>
        /// The complete list, one per role; replaces the existing one.
        package var mailboxes: Patched<[Mailbox]>
        package var telephone: Patched<Telephone>
        package var topics: [Topic]?
        package var agency: Patched<Organization.ID>
        package var publicDirectory: Bool?

        package static let bounds: KeyValuePairs<String, FieldBound> = Organization.bounds

        package init(
            kind: Organization.Kind? = nil, subKind: Patched<Organization.SubKind> = nil, name: Line? = nil,
            siren: Patched<Siren> = nil, siret: Patched<Siret> = nil, parent: Patched<Organization.ID> = nil,
            street: Patched<Line> = nil, postalCode: Patched<PostalCode> = nil, commune: Patched<Line> = nil,
            departement: Patched<Departement> = nil, addresses: [Address]? = nil,
            website: Patched<WebAddress> = nil, email: Patched<EmailAddress> = nil,
            mailboxes: Patched<[Mailbox]> = nil, telephone: Patched<Telephone> = nil, topics: [Topic]? = nil,
            agency: Patched<Organization.ID> = nil,
            publicDirectory: Bool? = nil
        ) {
            self.kind = kind
            self.subKind = subKind
            self.name = name
            self.siren = siren
            self.siret = siret
            self.parent = parent
            self.street = street
            self.postalCode = postalCode
            self.commune = commune
            self.departement = departement
            self.addresses = addresses
            self.website = website
            self.email = email
            self.mailboxes = mailboxes
            self.telephone = telephone
            self.topics = topics
            self.agency = agency
            self.publicDirectory = publicDirectory
        }
    }

    package typealias Response = Organization
}
