import HTTPTypes

/// A provider enrolled in the channel. An expert's token carries the expert's identifier as its organization.
package struct Expert: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Expert>

    package enum SubKind: String, Codable, CaseIterable, Sendable {
        case webAgency, reseller
    }

    package var id: ID
    package var subKind: SubKind
    package var name: Line
    package var siret: Siret?
    package var contactName: Line?
    package var email: EmailAddress?
    /// Present while mail to `email` comes back; set by the directory.
    package var unreachable: Unreachable?
    package var telephone: Telephone?
    /// Absent only abroad, for countries without postal codes.
    package var postalCode: PostalCode?
    package var commune: Line
    /// Where the expert is located.
    package var departement: Departement
    /// The départements that the expert serves.
    package var departements: [Departement]
    package var topics: [Topic]
    /// The brands they resell or work with, by name.
    package var brands: [Line]
    package var website: WebAddress?
    package var consents: Consents
    package var enrolledOn: Day
    /// The day they left the channel; absent while enrolled.
    package var leftOn: Day?
    /// When the record was last confirmed; determines its ``Freshness``.
    package var confirmedAt: Timestamp
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Records that may be the same one; only in the response to the caller who added this one, and absent if there
    /// are none.
    package var possibleDuplicates: [PossibleDuplicate]?

    /// `64000 Pau`; only the commune in a country without postal codes.
    package var place: String { Address.townLine(postalCode: postalCode?.text, commune: commune.text) }

    /// The maximum number of brands of an expert.
    package static let mostBrands = 200
    /// The bounds of an expert's fields.
    static let bounds: KeyValuePairs<String, FieldBound> = [
        "departements": .most(Departement.mostOfOne), "topics": .most(Topic.mostOfOne), "brands": .most(mostBrands),
    ]
}

/// Enrols an expert. The département defaults to that of the postal code, the départements served to that
/// département. An expert abroad (`990`) may have no postal code.
package enum CreateExpert: Endpoint {
    package static let operation = Operation(
        .post, "/v1/experts", "Enrols an expert.", success: .created, access: .roles(.operator),
        problems: [.alreadyExists])

    package struct Body: Codable, Sendable, BoundedFields {
        package var subKind: Expert.SubKind
        package var name: Line
        package var siret: Siret?
        package var contactName: Line?
        package var email: EmailAddress?
        package var telephone: Telephone?
        package var postalCode: PostalCode?
        package var commune: Line
        package var departement: Departement?
        package var departements: [Departement]?
        package var topics: [Topic]?
        package var brands: [Line]?
        package var website: WebAddress?
        package var consents: ConsentChoices?

        package static let bounds: KeyValuePairs<String, FieldBound> = Expert.bounds

        package init(
            subKind: Expert.SubKind, name: Line, siret: Siret? = nil, contactName: Line? = nil,
            email: EmailAddress? = nil, telephone: Telephone? = nil, postalCode: PostalCode? = nil, commune: Line,
            departement: Departement? = nil, departements: [Departement]? = nil, topics: [Topic]? = nil,
            brands: [Line]? = nil, website: WebAddress? = nil, consents: ConsentChoices? = nil
        ) {
            self.subKind = subKind
            self.name = name
            self.siret = siret
            self.contactName = contactName
            self.email = email
            self.telephone = telephone
            self.postalCode = postalCode
            self.commune = commune
            self.departement = departement
            self.departements = departements
            self.topics = topics
            self.brands = brands
            self.website = website
            self.consents = consents
        }
    }

    package typealias Response = Expert
}

/// Lists experts by name. An ambassador sees those who consented to the public directory, have not left and are not
/// stale; an expert sees only their own record.
package enum ListExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/experts", "Lists experts by name.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert))

    package struct Lookup: OptionalParameters {
        package var siret: Siret?
        package var email: EmailAddress?
        /// Part of the e-mail address or telephone number.
        package var contact: ContactPart?
        /// Whether mail to the address comes back; both if absent.
        package var unreachable: Bool?

        package init() {}

        init(siret: Siret?, email: EmailAddress?, contact: ContactPart?, unreachable: Bool?) {
            self.siret = siret
            self.email = email
            self.contact = contact
            self.unreachable = unreachable
        }
    }

    /// Words are interpreted as in a search; a new word is recognized after a minute.
    package typealias Filter = Combined<SearchExperts.Filter, Lookup>
    package typealias Query = Paged<Filter>
    package typealias Response = Page<Expert>
}

/// Shows one expert.
package enum GetExpert: Endpoint {
    package static let operation = Operation(
        .get, "/v1/experts/{expert}", "Shows an expert.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert), problems: [.notFound, .merged])

    package typealias Path = Expert.ID
    package typealias Response = Expert
}

/// Changes an expert by a merge patch. Experts may change their own record, except kind and SIRET.
package enum ChangeExpert: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/experts/{expert}", "Changes an expert.", access: .roles(.operator, .expert),
        problems: [.notFound, .alreadyExists], requiresIfMatch: true)

    package typealias Path = Expert.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var subKind: Expert.SubKind?
        package var name: Line?
        package var siret: Patched<Siret>
        package var contactName: Patched<Line>
        package var email: Patched<EmailAddress>
        package var telephone: Patched<Telephone>
        package var postalCode: Patched<PostalCode>
        package var commune: Line?
        package var departement: Departement?
        package var departements: [Departement]?
        package var topics: [Topic]?
        package var brands: [Line]?
        package var website: Patched<WebAddress>
        package var consents: ConsentChoices?

        package static let bounds: KeyValuePairs<String, FieldBound> = Expert.bounds

        package init(
            subKind: Expert.SubKind? = nil, name: Line? = nil, siret: Patched<Siret> = nil,
            contactName: Patched<Line> = nil, email: Patched<EmailAddress> = nil,
            telephone: Patched<Telephone> = nil, postalCode: Patched<PostalCode> = nil, commune: Line? = nil,
            departement: Departement? = nil, departements: [Departement]? = nil, topics: [Topic]? = nil,
            brands: [Line]? = nil, website: Patched<WebAddress> = nil, consents: ConsentChoices? = nil
        ) {
            self.subKind = subKind
            self.name = name
            self.siret = siret
            self.contactName = contactName
            self.email = email
            self.telephone = telephone
            self.postalCode = postalCode
            self.commune = commune
            self.departement = departement
            self.departements = departements
            self.topics = topics
            self.brands = brands
            self.website = website
            self.consents = consents
        }
    }

    package typealias Response = Expert
}

extension ListExperts.Filter {
    package init(
        _ filter: SearchExperts.Filter = .init(), siret: Siret? = nil, email: EmailAddress? = nil,
        contact: ContactPart? = nil, unreachable: Bool? = nil
    ) {
        self.init(
            filter, ListExperts.Lookup(siret: siret, email: email, contact: contact, unreachable: unreachable))
    }
}
