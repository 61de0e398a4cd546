import HTTPTypes

/// An invitation of an official, or of a person from the directory, to a meeting of the Cercle.
package struct Invitation: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Invitation>

    package enum State: String, Codable, CaseIterable, Sendable {
        case invited, accepted, declined

        /// The life cycle of an invitation; guests may change their mind:
        /// ```
        /// invited ──▶ accepted
        ///    │          ▲ │
        ///    │          │ ▼
        ///    └──────▶ declined
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.invited, .accepted), (.invited, .declined): true
            case (.accepted, .declined), (.declined, .accepted): true
            default: false
            }
        }
    }

    package var id: ID
    package var meeting: CircleMeeting.ID
    /// Set if an official is invited.
    package var official: Official.ID?
    /// Set if a person from the directory is invited.
    package var person: Person.ID?
    /// The guest's name; absent once the person has been erased in the directory.
    package var name: Line?
    package var guestOfHonour: Bool
    package var state: State
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Invites an official or a person to a meeting of the Cercle.
package enum Invite: Endpoint {
    package static let operation = Operation(
        .post, "/v1/circle-meetings/{meeting}/invitations",
        "Invites an official or a person to a meeting of the Cercle.",
        success: .created, access: LobbyingAPI.writers, problems: [.notFound, .alreadyInvited])

    package typealias Path = CircleMeeting.ID

    /// Exactly one of `official` and `person`.
    package struct Body: Codable, Sendable {
        package var official: Official.ID?
        package var person: Person.ID?
        /// False by default.
        package var guestOfHonour: Bool?

        package init(official: Official.ID? = nil, person: Person.ID? = nil, guestOfHonour: Bool? = nil) {
            self.official = official
            self.person = person
            self.guestOfHonour = guestOfHonour
        }
    }

    package typealias Response = Invitation
}

/// Lists the invitations to a meeting in the order they were made.
package enum ListInvitations: Endpoint {
    package static let operation = Operation(
        .get, "/v1/circle-meetings/{meeting}/invitations", "Lists the invitations to a meeting of the Cercle.",
        access: LobbyingAPI.readers, problems: [.notFound])

    package typealias Path = CircleMeeting.ID

    package struct Filter: OptionalParameters {
        package var state: Invitation.State?

        package init() {}

        package init(state: Invitation.State? = nil) {
            self.state = state
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Invitation>
}

/// Records the guest's reply.
package enum TransitionInvitation: Endpoint {
    package static let operation = Operation(
        .post, "/v1/invitations/{invitation}/transitions", "Records the guest's answer.",
        access: LobbyingAPI.writers, problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Invitation.ID

    package struct Body: Codable, Sendable {
        package var to: Invitation.State

        package init(to: Invitation.State) {
            self.to = to
        }
    }

    package typealias Response = Invitation
}

extension ProblemType {
    package static let alreadyInvited = ProblemType(
        "already-invited", "This guest is already invited to this meeting", .conflict)
}
