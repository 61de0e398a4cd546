import HTTPTypes

/// A person enrolled in the forum of ambassadors. E-mail address and consents are those of the person.
package struct Ambassador: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Ambassador>

    package var id: ID
    package var person: Person.ID
    /// The person's name, family name first: `Etcheverry Camille`. Set by the directory.
    package var name: String
    /// The institution that the ambassador advises.
    package var organization: Organization.ID?
    package var topics: [Topic]
    /// The départements that the ambassador serves.
    package var departements: [Departement]
    package var enrolledOn: Day
    /// The day they left the forum; absent while enrolled.
    package var leftOn: Day?
    /// When the record was last confirmed; determines its ``Freshness``.
    package var confirmedAt: Timestamp
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    /// The bounds of an ambassador's fields.
    static let bounds: KeyValuePairs<String, FieldBound> = [
        "topics": .most(Topic.mostOfOne), "departements": .most(Departement.mostOfOne),
    ]
}

/// Enrols a person in the forum of ambassadors.
package enum CreateAmbassador: Endpoint {
    package static let operation = Operation(
        .post, "/v1/ambassadors", "Enrols a person as an ambassador.", success: .created, access: .roles(.operator),
        problems: [.alreadyExists])

    package struct Body: Codable, Sendable, BoundedFields {
        package var person: Person.ID
        package var organization: Organization.ID?
        package var topics: [Topic]?
        package var departements: [Departement]?

        package static let bounds: KeyValuePairs<String, FieldBound> = Ambassador.bounds

        package init(
            person: Person.ID, organization: Organization.ID? = nil, topics: [Topic]? = nil,
            departements: [Departement]? = nil
        ) {
            self.person = person
            self.organization = organization
            self.topics = topics
            self.departements = departements
        }
    }

    package typealias Response = Ambassador
}

/// Lists ambassadors by name.
package enum ListAmbassadors: Endpoint {
    package static let operation = Operation(
        .get, "/v1/ambassadors", "Lists ambassadors by name.",
        access: .roles(.operator, .editor, .auditor, .service, .representative, .ambassador))

    package struct Filter: OptionalParameters {
        package var organization: Organization.ID?
        package var person: Person.ID?
        /// A département that they serve.
        package var departement: Departement?
        /// A région of which they serve at least one département.
        package var region: Region?
        package var topic: Topic?
        /// Words of the name; accents and typing errors are tolerated.
        package var q: Line?
        package var freshness: Freshness?
        /// Whether they are in the forum now or have left; both if absent.
        package var enrolled: Bool?
        /// Whether mail to the person's address comes back; both if absent.
        package var unreachable: Bool?
        package var updatedSince: Timestamp?

        package init() {}

        package init(
            organization: Organization.ID? = nil, person: Person.ID? = nil, departement: Departement? = nil,
            region: Region? = nil, topic: Topic? = nil, q: Line? = nil, freshness: Freshness? = nil,
            enrolled: Bool? = nil, unreachable: Bool? = nil,
            updatedSince: Timestamp? = nil
        ) {
            self.organization = organization
            self.person = person
            self.departement = departement
            self.region = region
            self.topic = topic
            self.q = q
            self.freshness = freshness
            self.enrolled = enrolled
            self.unreachable = unreachable
            self.updatedSince = updatedSince
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Ambassador>
}

/// Shows one ambassador.
package enum GetAmbassador: Endpoint {
    package static let operation = Operation(
        .get, "/v1/ambassadors/{ambassador}", "Shows an ambassador.",
        access: .roles(.operator, .editor, .auditor, .service, .representative, .ambassador), problems: [.notFound])

    package typealias Path = Ambassador.ID
    package typealias Response = Ambassador
}

/// Changes an ambassador by a merge patch. Ambassadors may change their own topics and départements.
package enum ChangeAmbassador: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/ambassadors/{ambassador}", "Changes an ambassador.", access: .roles(.operator, .ambassador),
        problems: [.notFound], requiresIfMatch: true)

    package typealias Path = Ambassador.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var organization: Patched<Organization.ID>
        package var topics: [Topic]?
        package var departements: [Departement]?

        package static let bounds: KeyValuePairs<String, FieldBound> = Ambassador.bounds

        package init(
            organization: Patched<Organization.ID> = nil, topics: [Topic]? = nil, departements: [Departement]? = nil
        ) {
            self.organization = organization
            self.topics = topics
            self.departements = departements
        }
    }

    package typealias Response = Ambassador
}
