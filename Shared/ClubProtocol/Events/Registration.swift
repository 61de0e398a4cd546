import HTTPTypes

/// A person's registration for an event: a seat in one session, or a place on its waitlist.
package struct Registration: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Registration>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Has a seat.
        case confirmed
        /// On the waitlist.
        case waitlisted
        /// Gave up the seat or the place on the waitlist.
        case cancelled
        /// Had a seat and attended.
        case attended
        /// Had a seat and did not attend.
        case noShow

        /// The life cycle of a registration:
        /// ```
        /// waitlisted ──▶ confirmed ──▶ attended
        ///     │           │     │       ▲   │
        ///     │           │     │       │   ▼
        ///     └──▶ cancelled    └────▶ noShow
        /// ```
        /// Attendance can be corrected afterwards. A cancelled registration is final: the person registers again.
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
    /// The session of the seat or of the waitlist.
    package var session: Session.ID
    package var person: Person.ID
    /// As in the directory; absent once the person has been erased there.
    package var personName: Line?
    /// The person's organization at the time of registration.
    package var organization: Organization.ID?
    package var state: State
    /// The position on the waitlist, from 1 without gaps; only while `waitlisted`.
    package var place: Int?
    /// The requested sessions, in order of preference.
    package var choices: [Session.ID]
    package var note: Prose?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Registers a person for an event.
///
/// The seat is in the first choice that has a free one. If none has, the person goes on the waitlist of the first
/// choice.
package enum RegisterForEvent: Endpoint {
    package static let operation = Operation(
        .post, "/v1/events/{event}/registrations", "Registers a person for an event, or puts them on its waitlist.",
        success: .created,
        access: .roles(.operator, .representative, .ambassador, .expert),
        problems: [.notFound, .registrationClosed, .alreadyRegistered])

    package typealias Path = Event.ID

    package struct Body: Codable, Sendable, BoundedFields {
        /// Only the operator, and a representative for their own organization, may register someone else.
        package var person: Person.ID
        /// Sessions of the event in order of preference; may be empty if the event has only one session.
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

/// Lists the registrations of an event in the order they were made; callers who do not oversee all see only their
/// own.
package enum ListRegistrations: Endpoint {
    package static let operation = Operation(
        .get, "/v1/events/{event}/registrations", "Lists the registrations of an event, in the order they came.",
        access: .roles(.operator, .auditor, .service, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = Event.ID

    package struct Filter: OptionalParameters {
        package var session: Session.ID?
        package var state: Registration.State?
        package var person: Person.ID?

        package init() {}

        package init(session: Session.ID? = nil, state: Registration.State? = nil, person: Person.ID? = nil) {
            self.session = session
            self.state = state
            self.person = person
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Registration>
}

/// Shows a registration, with its position on the waitlist.
package enum GetRegistration: Endpoint {
    package static let operation = Operation(
        .get, "/v1/registrations/{registration}", "Shows a registration.",
        access: .roles(.operator, .auditor, .service, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = Registration.ID
    package typealias Response = Registration
}

/// Gives up a seat or a place on the waitlist. A freed seat goes to the first on the waitlist at once.
/// Idempotent.
package enum CancelRegistration: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/registrations/{registration}", "Cancels a registration: a seat or a position on the waitlist.",
        success: .noContent,
        access: .roles(.operator, .representative, .ambassador, .expert), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Registration.ID
}

extension ProblemType {
    package static let registrationClosed = ProblemType(
        "registration-closed", "The event is not open for registration", .conflict)
    package static let alreadyRegistered = ProblemType(
        "already-registered", "This person is already registered for this event", .conflict)
}
