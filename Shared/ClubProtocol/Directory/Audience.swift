import HTTPTypes

/// Streams who is to be written to, one a line, by identifier: only those who agreed to the purpose and have an address.
package enum ResolveAudience: Endpoint {
    package static let operation = Operation(
        .post, "/v1/audiences/resolve", "Streams the members of an audience who agreed to a purpose.",
        access: .roles(.operator, .editor, .service, .auditor), produces: .ndjson)

    package typealias Body = Audience
    package typealias Response = AudienceMember
}

/// A part of the club that something is sent to.
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
    /// Those who serve one of these; absent: the whole country.
    package var departements: [Departement]?
    /// Those who know one of these; absent: whatever they know.
    package var topics: [Topic]?

    package static let bounds: KeyValuePairs<String, FieldBound> = ["departements": .most(200), "topics": .most(200)]

    package init(
        audience: Group, purpose: Purpose, departements: [Departement]? = nil, topics: [Topic]? = nil
    ) {
        self.audience = audience
        self.purpose = purpose
        self.departements = departements
        self.topics = topics
    }
}

/// Somebody who is to be written to.
package struct AudienceMember: Codable, Hashable, Sendable {
    package enum Entity: String, Codable, CaseIterable, Sendable {
        case ambassador, expert
    }

    package var entity: Entity
    /// Of the ambassador or of the expert.
    package var id: Identifier<AudienceMember>
    /// The person behind an ambassador.
    package var person: Person.ID?
    /// As one addresses the person, or the name of the firm.
    package var name: String
    package var email: EmailAddress
    /// Where an expert is; the first that an ambassador serves.
    package var departement: Departement?
    package var subKind: Expert.SubKind?
    /// When they agreed to the purpose at this address. Absent where the address became theirs after that: the answer says nothing of it, and
    /// takes back nothing that was declined there.
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
