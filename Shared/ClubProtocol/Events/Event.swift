import HTTPTypes

/// An event of the club. It has sessions, and the seats belong to the sessions.
package struct Event: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Event>

    package enum Kind: String, Codable, CaseIterable, Sendable {
        /// Club des Partenaires: heads of networks meet brands, about once a month.
        case partnersClub
        /// Forum des ambassadeurs.
        case ambassadorForum
        /// Channel Expert.
        case channelExpert
        /// Rencontre régionale: eight workshops of twenty-five people.
        case regionalMeeting
        /// Cercle de l'économie numérique, if others than its guests are invited too.
        case circle
        case other
    }

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Being prepared; visible only to the club's staff.
        case draft
        /// Announced; accepts registrations while registration is open.
        case published
        /// Announced; accepts no new registrations, but cancellations and promotions from the waitlist go on.
        case closed
        /// Will not take place.
        case cancelled
        /// Took place.
        case held

        /// The life cycle of an event:
        /// ```
        /// draft ──▶ published ◀──▶ closed
        ///   │        │    │         │  │
        ///   │        │    └──▶ held ◀──┘
        ///   │        ▼              │
        ///   └──▶ cancelled ◀────────┘ (from closed)
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.draft, .published), (.draft, .cancelled): true
            case (.published, .closed), (.published, .cancelled), (.published, .held): true
            case (.closed, .published), (.closed, .cancelled), (.closed, .held): true
            default: false
            }
        }
    }

    package var id: ID
    package var title: Line
    package var kind: Kind
    package var state: State
    package var startsAt: Timestamp
    package var endsAt: Timestamp
    package var venue: Line
    package var theme: Line?
    package var description: Prose?
    /// When registration opens; if absent, when the event is published.
    package var registrationOpensAt: Timestamp?
    /// When registration closes; if absent, when the event starts.
    package var registrationClosesAt: Timestamp?
    /// By start time, with their seats.
    package var sessions: [Session]
    /// Counts changes of the event itself, not of its sessions or registrations.
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// An event in a list: totals instead of its sessions.
package struct EventSummary: Codable, Hashable, Sendable {
    package var id: Event.ID
    package var title: Line
    package var kind: Event.Kind
    package var state: Event.State
    package var startsAt: Timestamp
    package var endsAt: Timestamp
    package var venue: Line
    package var theme: Line?
    package var registrationOpensAt: Timestamp?
    package var registrationClosesAt: Timestamp?
    /// The total capacity of all sessions.
    package var capacity: Int
    package var confirmed: Int
    package var waitlisted: Int
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Creates an event as a draft.
package enum CreateEvent: Endpoint {
    package static let operation = Operation(
        .post, "/v1/events", "Creates an event, as a draft.", success: .created, access: .roles(.operator))

    package struct Body: Codable, Sendable {
        package var title: Line
        package var kind: Event.Kind
        package var startsAt: Timestamp
        package var endsAt: Timestamp
        package var venue: Line
        package var theme: Line?
        package var description: Prose?
        package var registrationOpensAt: Timestamp?
        package var registrationClosesAt: Timestamp?

        package init(
            title: Line, kind: Event.Kind, startsAt: Timestamp, endsAt: Timestamp, venue: Line, theme: Line? = nil,
            description: Prose? = nil, registrationOpensAt: Timestamp? = nil, registrationClosesAt: Timestamp? = nil
        ) {
            self.title = title
            self.kind = kind
            self.startsAt = startsAt
            self.endsAt = endsAt
            self.venue = venue
            self.theme = theme
            self.description = description
            self.registrationOpensAt = registrationOpensAt
            self.registrationClosesAt = registrationClosesAt
        }
    }

    package typealias Response = Event
}

/// Lists events, latest start first. Drafts are visible only to the club's staff.
package enum ListEvents: Endpoint {
    package static let operation = Operation(
        .get, "/v1/events", "Lists events, the latest first.", access: .roles(Event.readers))

    package struct Filter: OptionalParameters {
        package var kind: Event.Kind?
        package var state: Event.State?
        /// Only events that end after this time.
        package var endsAfter: Timestamp?

        package init() {}

        package init(kind: Event.Kind? = nil, state: Event.State? = nil, endsAfter: Timestamp? = nil) {
            self.kind = kind
            self.state = state
            self.endsAfter = endsAfter
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<EventSummary>
}

/// Shows an event with its sessions and their seats.
package enum GetEvent: Endpoint {
    package static let operation = Operation(
        .get, "/v1/events/{event}", "Shows an event, its sessions and their seats.", access: .roles(Event.readers),
        problems: [.notFound])

    package typealias Path = Event.ID
    package typealias Response = Event
}

/// Changes an event's details by a merge patch (RFC 7396); its state changes by transitions only.
package enum ChangeEvent: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/events/{event}", "Changes an event.", access: .roles(.operator),
        problems: [.notFound, .stale, .eventOver], requiresIfMatch: true)

    package typealias Path = Event.ID

    package struct Body: Codable, Sendable {
        package var title: Line?
        package var startsAt: Timestamp?
        package var endsAt: Timestamp?
        package var venue: Line?
        package var theme: Patched<Line>
        package var description: Patched<Prose>
        package var registrationOpensAt: Patched<Timestamp>
        package var registrationClosesAt: Patched<Timestamp>

        package init(
            title: Line? = nil, startsAt: Timestamp? = nil, endsAt: Timestamp? = nil, venue: Line? = nil,
            theme: Patched<Line> = nil, description: Patched<Prose> = nil,
            registrationOpensAt: Patched<Timestamp> = nil, registrationClosesAt: Patched<Timestamp> = nil
        ) {
            self.title = title
            self.startsAt = startsAt
            self.endsAt = endsAt
            self.venue = venue
            self.theme = theme
            self.description = description
            self.registrationOpensAt = registrationOpensAt
            self.registrationClosesAt = registrationClosesAt
        }
    }

    package typealias Response = Event
}

/// Moves an event to another state.
package enum TransitionEvent: Endpoint {
    package static let operation = Operation(
        .post, "/v1/events/{event}/transitions", "Publishes, closes, holds or cancels an event.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed, .eventWithoutSession, .eventOver])

    package typealias Path = Event.ID

    package struct Body: Codable, Sendable {
        package var to: Event.State

        package init(to: Event.State) {
            self.to = to
        }
    }

    package typealias Response = Event
}

extension Event {
    /// Every role may see what has been announced.
    package static let readers = Set(Role.allCases)
    /// The roles that see drafts and everyone's registrations.
    package static let overseers: Set<Role> = [.operator, .auditor, .service]
}

extension ProblemType {
    package static let eventWithoutSession = ProblemType(
        "event-without-session", "An event is published with at least one session", .conflict)
    package static let eventOver = ProblemType("event-over", "The event was held or cancelled", .conflict)
}
