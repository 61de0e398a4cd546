import HTTPTypes

/// Somebody of whom the club keeps data: a person, or an expert, which may be one person's firm.
package struct DataSubject: Codable, Hashable, Sendable {
    package enum Entity: String, Codable, CaseIterable, Sendable {
        case person, expert
    }

    package typealias ID = Identifier<DataSubject>

    package var entity: Entity
    /// The identifier of the person or of the expert.
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

/// From when until when an address was somebody's, and nobody else's.
package struct AddressPeriod: Codable, Hashable, Sendable {
    package var email: EmailAddress
    /// Absent where nobody else had it before.
    package var since: Timestamp?
    /// Absent where nobody else has had it after. Not itself in the period: what begins and ends at one time is none.
    package var until: Timestamp?
    /// True where nothing but its own word says that the address is its own: then it always has a `since`, and what was written down
    /// about the address by others, as a complaint, is not its own to take away.
    package var selfGiven: Bool?

    package init(email: EmailAddress, since: Timestamp? = nil, until: Timestamp? = nil, selfGiven: Bool? = nil) {
        self.email = email
        self.since = since
        self.until = until
        self.selfGiven = selfGiven
    }
}

/// Tells everything that a service knows about somebody. The directory asks it of the others, to put one document together.
package enum ReadPersonalData: Endpoint {
    package static let operation = Operation(
        .post, "/v1/personal-data", "Tells the directory all that this service knows about somebody.",
        access: .roles(.service))

    /// An address is in the body, never in a URL, which others may keep.
    package struct Body: Codable, Sendable, BoundedFields {
        package var entity: DataSubject.Entity
        package var id: DataSubject.ID
        /// The records that were merged into it.
        package var aliases: [DataSubject.ID]
        /// The addresses that they have or had and nobody else has, in lower case.
        package var emails: [EmailAddress]
        /// When their addresses were theirs and nobody else's: what is kept by address only is found by them. Absent from a
        /// directory that does not know: then `emails` were theirs at all times.
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

/// What one service knows about somebody.
package struct PersonalData: Codable, Hashable, Sendable {
    package var service: ServiceName
    /// When the person last did something here, or something was done with it; absent where it is unknown.
    package var lastActivity: Timestamp?
    /// By section: `registrations`, `deliveries`. A section without anything is an empty list.
    package var data: JSONValue

    package init(service: ServiceName, lastActivity: Timestamp?, data: JSONValue) {
        self.service = service
        self.lastActivity = lastActivity
        self.data = data
    }
}

extension ProblemType {
    /// What a repetition of a request is answered whose first answer told of somebody who has been erased since.
    package static let erased = ProblemType("erased", "It was erased", .gone)
}
