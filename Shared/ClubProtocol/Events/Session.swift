import HTTPTypes

/// A part of an event to register for: the plenary, or one of several workshops.
package struct Session: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Session>

    package enum Kind: String, Codable, CaseIterable, Sendable {
        case plenary, workshop
    }

    package var id: ID
    package var event: Event.ID
    package var title: Line
    package var kind: Kind
    package var startsAt: Timestamp
    package var endsAt: Timestamp
    /// The number of seats.
    package var capacity: Int
    /// The number of seats taken; never more than `capacity`.
    package var confirmed: Int
    /// The number of people on the waitlist.
    package var waitlisted: Int
    /// Counts changes of the session itself, not of its seats.
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    /// The allowed capacities of a session.
    package static let capacities = 1...10_000
}

/// Adds a session to an event that has not ended.
package enum AddSession: Endpoint {
    package static let operation = Operation(
        .post, "/v1/events/{event}/sessions", "Adds a session to an event.", success: .created,
        access: .roles(.operator), problems: [.notFound, .eventOver])

    package typealias Path = Event.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var title: Line
        package var kind: Session.Kind
        /// 1 to 10,000.
        package var capacity: Int
        /// Within the event; the event's own start if absent.
        package var startsAt: Timestamp?
        /// Within the event; the event's own end if absent.
        package var endsAt: Timestamp?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["capacity": .values(Session.capacities)]

        package init(
            title: Line, kind: Session.Kind, capacity: Int, startsAt: Timestamp? = nil, endsAt: Timestamp? = nil
        ) {
            self.title = title
            self.kind = kind
            self.capacity = capacity
            self.startsAt = startsAt
            self.endsAt = endsAt
        }
    }

    package typealias Response = Session
}

/// Lists the sessions of an event by start time.
package enum ListSessions: Endpoint {
    package static let operation = Operation(
        .get, "/v1/events/{event}/sessions", "Lists the sessions of an event.", access: .roles(Event.readers),
        problems: [.notFound])

    package typealias Path = Event.ID
    package typealias Query = Paged<Empty>
    package typealias Response = Page<Session>
}

/// Shows a session and its seats.
package enum GetSession: Endpoint {
    package static let operation = Operation(
        .get, "/v1/sessions/{session}", "Shows a session and its seats.", access: .roles(Event.readers),
        problems: [.notFound])

    package typealias Path = Session.ID
    package typealias Response = Session
}

/// Changes a session; additional seats go to the first on the waitlist at once.
package enum ChangeSession: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/sessions/{session}", "Changes a session; added seats go to the first on the waitlist.",
        access: .roles(.operator), problems: [.notFound, .stale, .eventOver, .capacityBelowConfirmed],
        requiresIfMatch: true)

    package typealias Path = Session.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var title: Line?
        /// 1 to 10,000, and not below the number of confirmed registrations.
        package var capacity: Int?
        package var startsAt: Timestamp?
        package var endsAt: Timestamp?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["capacity": .values(Session.capacities)]

        package init(title: Line? = nil, capacity: Int? = nil, startsAt: Timestamp? = nil, endsAt: Timestamp? = nil) {
            self.title = title
            self.capacity = capacity
            self.startsAt = startsAt
            self.endsAt = endsAt
        }
    }

    package typealias Response = Session
}

extension ProblemType {
    package static let capacityBelowConfirmed = ProblemType(
        "capacity-below-confirmed", "More seats are confirmed than that", .conflict)
}
