import HTTPTypes

/// Someone about whom the club keeps data: a person, or an expert, which may be a one-person firm.
package struct DataSubject: Codable, Hashable, Sendable {
    package enum Entity: String, Codable, CaseIterable, Sendable {
        case person, expert
    }

    package typealias ID = Identifier<DataSubject>

    package var entity: Entity
    /// The identifier of the person or the expert.
    package var id: ID

    package init(entity: Entity, id: ID) {
        self.entity = entity
        self.id = id
    }

    package init(_ person: Person.ID) {
        self.init(entity: .person, id: ID(person.uuid))
    }

    package init(_ expert: Expert.ID) {
        self.init(entity: .expert, id: ID(expert.uuid))
    }
}

/// The period during which an address belonged to one person and to no one else.
package struct AddressPeriod: Codable, Hashable, Sendable {
    package var email: EmailAddress
    /// Absent if no one else had it before.
    package var since: Timestamp?
    /// Absent if no one else has had it since. Exclusive: a period that ends when it begins is empty.
    package var until: Timestamp?
    /// True if only the person's own claim ties the address to them. Such a period always has a `since`, and
    /// an erasure does not delete what others recorded about the address, such as a complaint.
    package var selfGiven: Bool?

    package init(email: EmailAddress, since: Timestamp? = nil, until: Timestamp? = nil, selfGiven: Bool? = nil) {
        self.email = email
        self.since = since
        self.until = until
        self.selfGiven = selfGiven
    }
}

/// Returns everything a service knows about a person. The directory calls it on the other services to assemble one
/// document.
package enum ReadPersonalData: Endpoint {
    package static let operation = Operation(
        .post, "/v1/personal-data", "Gathers what this service knows about a person or an expert.",
        access: .roles(.service))

    /// Addresses are sent in the body: URLs may be logged elsewhere.
    package struct Body: Codable, Sendable, BoundedFields {
        package var entity: DataSubject.Entity
        package var id: DataSubject.ID
        /// The records that were merged into this one.
        package var aliases: [DataSubject.ID]
        /// The addresses that only they have or had, in lower case.
        package var emails: [EmailAddress]
        /// When each address belonged to them alone; data kept by address only is found by these. Absent if the
        /// directory does not know: then `emails` were theirs at all times.
        package var held: [AddressPeriod]?

        /// The subject and its aliases.
        package var everyone: [DataSubject.ID] { [id] + aliases }

        /// The periods of all addresses.
        package var periods: [AddressPeriod] { held ?? emails.map { AddressPeriod(email: $0) } }

        package static let bounds: KeyValuePairs<String, FieldBound> = [
            "aliases": .most(1000), "emails": .most(1000), "held": .most(1000),
        ]

        package init(
            entity: DataSubject.Entity, id: DataSubject.ID, aliases: [DataSubject.ID] = [],
            emails: [EmailAddress] = [], held: [AddressPeriod]? = nil
        ) {
            self.entity = entity
            self.id = id
            self.aliases = aliases
            self.emails = emails
            self.held = held
        }
    }

    package typealias Response = PersonalData
}

/// What one service knows about a person or an expert.
package struct PersonalData: Codable, Hashable, Sendable {
    package var service: ServiceName
    /// When the person last did something here, or something was done with their record; absent if unknown.
    package var lastActivity: Timestamp?
    /// By section: `registrations`, `deliveries`. A section without data is an empty list.
    package var data: JSONValue

    package init(service: ServiceName, lastActivity: Timestamp?, data: JSONValue) {
        self.service = service
        self.lastActivity = lastActivity
        self.data = data
    }
}

extension ProblemType {
    /// The response to a repeated request whose first response was about a person who has since been erased.
    package static let erased = ProblemType("erased", "The record was erased", .gone)
}
