import HTTPTypes

/// A person's place at an event: a seat in one session, or a place in the line for it.
package struct Registration: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Registration>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Has a seat.
        case confirmed
        /// Stands in line.
        case waitlisted
        /// Gave up the seat or the place in line.
        case cancelled
        /// Had a seat and came.
        case attended
        /// Had a seat and did not come.
        case noShow

        /// The life of a registration:
        /// ```
        /// waitlisted ──▶ confirmed ──▶ attended
        ///     │           │     │       ▲   │
        ///     │           │     │       │   ▼
        ///     └──▶ cancelled    └────▶ noShow
        /// ```
        /// Who came can be put right afterwards; a cancelled one is gone, the person registers again.
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.waitlisted, .confirmed), (.waitlisted, .cancelled): true
            case (.confirmed, .cancelled), (.confirmed, .attended), (.confirmed, .noShow): true
            case (.attended, .noShow), (.noShow, .attended): true
            default: false
            }
        }
    }

    package var id: ID
    package var event: Event.ID
    /// The session of the seat, or the one whose line it is.
    package var session: Session.ID
    package var person: Person.ID
    /// As the directory has it; absent once the person is erased there.
    package var personName: Line?
    /// The person's organization when they registered.
    package var organization: Organization.ID?
    package var state: State
    /// The place in line, from 1 without gaps; only while `waitlisted`.
    package var place: Int?
    /// What the person asked for, best first.
    package var choices: [Session.ID]
    package var note: Prose?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Takes a place at an event, or a place in line.
///
/// The seat is in the first of the choices that has one free; when none has, the place is in the line of the first.
package enum RegisterForEvent: Endpoint {
    package static let operation = Operation(
        .post, "/v1/events/{event}/registrations", "Takes a place at an event, or a place in line.", success: .created,
        access: .roles(.operator, .representative, .ambassador, .expert),
        problems: [.notFound, .registrationClosed, .alreadyRegistered])

    package typealias Path = EventPath

    package struct Body: Codable, Sendable, BoundedFields {
        /// Somebody else than oneself only for the operator and for a representative's own organization.
        package var person: Person.ID
        /// Sessions of the event, best first; may be empty where the event has one session only.
        package var choices: [Session.ID]
        package var note: Prose?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["choices": .most(100)]

        package init(person: Person.ID, choices: [Session.ID] = [], note: Prose? = nil) {
            self.person = person
            self.choices = choices
            self.note = note
        }
    }

    package typealias Response = Registration
}

/// Lists the registrations of an event in the order in which they came; one's own, unless one oversees all.
package enum ListRegistrations: Endpoint {
    package static let operation = Operation(
        .get, "/v1/events/{event}/registrations", "Lists the registrations of an event, in the order they came.",
        access: .roles(.operator, .auditor, .service, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = EventPath

    package struct Query: Codable, Sendable, PagedQuery {
        package var session: Session.ID?
        package var state: Registration.State?
        package var person: Person.ID?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            session: Session.ID? = nil, state: Registration.State? = nil, person: Person.ID? = nil,
            limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.session = session
            self.state = state
            self.person = person
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Registration>
}

/// Shows a registration, with its place in line.
package enum GetRegistration: Endpoint {
    package static let operation = Operation(
        .get, "/v1/registrations/{registration}", "Shows a registration.",
        access: .roles(.operator, .auditor, .service, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = RegistrationPath
    package typealias Response = Registration
}

/// Gives up a seat or a place in line; a free seat goes to the first in line at once. Doing it again changes nothing.
package enum CancelRegistration: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/registrations/{registration}", "Gives up a seat or a place in line.", success: .noContent,
        access: .roles(.operator, .representative, .ambassador, .expert), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = RegistrationPath
}

/// `/v1/registrations/{registration}`
package struct RegistrationPath: Codable, Sendable {
    package var registration: Registration.ID

    package init(registration: Registration.ID) {
        self.registration = registration
    }
}

extension ProblemType {
    package static let registrationClosed = ProblemType(
        "registration-closed", "The event takes no registrations now", .conflict)
    package static let alreadyRegistered = ProblemType(
        "already-registered", "This person is registered for this event", .conflict)
}
