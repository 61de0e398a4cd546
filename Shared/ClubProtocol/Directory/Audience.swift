import HTTPTypes

/// Streams the recipients, one per line, by identifier: only those who consented to the purpose and have an e-mail
/// address.
package enum ResolveAudience: Endpoint {
    package static let operation = Operation(
        .post, "/v1/audiences/resolve", "Streams the members of an audience who agreed to a purpose.",
        access: .roles(.operator, .editor, .service, .auditor), produces: .ndjson)

    package typealias Body = Audience
    package typealias Response = AudienceMember
}

/// A group of recipients.
package struct Audience: Codable, Hashable, Sendable, BoundedFields {
    package enum Group: String, Codable, CaseIterable, Sendable {
        case ambassadors
        case webAgencies
        case resellers
        /// Web agencies and resellers.
        case experts
    }

    package enum Purpose: String, Codable, CaseIterable, Sendable {
        case flashInfo, eventInvitations
    }

    package var audience: Group
    package var purpose: Purpose
    /// Only those who serve one of these; the whole country if absent.
    package var departements: [Departement]?
    /// Only those who know one of these; any topic if absent.
    package var topics: [Topic]?

    package static let bounds: KeyValuePairs<String, FieldBound> = ["departements": .most(200), "topics": .most(200)]

    package init(audience: Group, purpose: Purpose, departements: [Departement]? = nil, topics: [Topic]? = nil) {
        self.audience = audience
        self.purpose = purpose
        self.departements = departements
        self.topics = topics
    }
}

/// A recipient.
package struct AudienceMember: Codable, Hashable, Sendable {
    package enum Entity: String, Codable, CaseIterable, Sendable {
        case ambassador, expert
    }

    package var entity: Entity
    /// The identifier of the ambassador or the expert.
    package var id: Identifier<AudienceMember>
    /// The person behind an ambassador.
    package var person: Person.ID?
    /// The name used to address the person, or the name of the firm.
    package var name: String
    package var email: EmailAddress
    /// Where an expert is located; for an ambassador, the first département served.
    package var departement: Departement?
    package var subKind: Expert.SubKind?
    /// When they consented to the purpose at this address. Absent if the address became theirs later: the consent
    /// then says nothing about this address, and overrides no refusal given there.
    package var agreedAt: Timestamp?

    package init(
        entity: Entity, id: Identifier<AudienceMember> = Identifier(), person: Person.ID? = nil, name: String,
        email: EmailAddress, departement: Departement? = nil, subKind: Expert.SubKind? = nil,
        agreedAt: Timestamp? = nil
    ) {
        self.entity = entity
        self.id = id
        self.person = person
        self.name = name
        self.email = email
        self.departement = departement
        self.subKind = subKind
        self.agreedAt = agreedAt
    }
}
