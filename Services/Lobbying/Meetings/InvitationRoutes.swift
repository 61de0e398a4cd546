import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/circle-meetings/{meeting}/invitations` and `/v1/invitations/{invitation}`.
struct InvitationRoutes {
    let backend: Backend
    let people: PeopleMirror

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(Invite.self, prepare: knowsPerson, invite)
        builder.routes.read(ListInvitations.self, list)
        builder.routes.write(TransitionInvitation.self, transition)
        builder.routes.constraint("invitation_official_once", Problem(.alreadyInvited))
        builder.routes.constraint("invitation_person_once", Problem(.alreadyInvited))
        builder.routes.constraint(
            "invitation_official_fkey", Problem.invalid("/official", "unknown official"))
        builder.snapshot(.invitation, InvitationStore.snapshot)
    }

    /// Whether the directory knows the person, if the invitation is for one.
    @Sendable func knowsPerson(_ call: Call<Invite>) async throws -> Bool {
        guard let person = call.body.person, call.body.official == nil else { return true }
        return try await people.find([person])[person] != nil
    }

    @Sendable func invite(
        _ call: Call<Invite>, _ personIsKnown: Bool, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Invitation> {
        guard (call.body.official == nil) != (call.body.person == nil) else {
            throw Problem.invalid("", "names either an official or a person")
        }
        guard try await MeetingStore.exists(call.path, on: transaction) else { throw Problem(.notFound) }
        guard personIsKnown else { throw Problem.invalid("/person", "unknown person") }
        let id = try await InvitationStore.create(call.body, to: call.path, in: transaction)
        try await transaction.record(.created, .invitation, id, version: 1, values: call.body, by: call.principal)
        return try .row(await InvitationStore.get(id, on: transaction))
    }

    @Sendable func list(_ call: Call<ListInvitations>) async throws -> RouteResponse<Page<Invitation>> {
        let meeting = call.path
        guard try await MeetingStore.exists(meeting, on: backend.database) else { throw Problem(.notFound) }
        let rows = try await InvitationStore.list(of: meeting, call.query, call.page, on: backend.database)
        return try .page(rows, call.page, key: "id")
    }

    @Sendable func transition(
        _ call: Call<TransitionInvitation>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Invitation> {
        let id = call.path
        let next = call.body.to
        guard let current = try await InvitationStore.lock(id, in: transaction) else { throw Problem(.notFound) }
        guard current.state.allows(next) else {
            throw Problem(
                .transitionNotAllowed,
                "The invitation is \(current.state.rawValue); it cannot become \(next.rawValue).")
        }
        try await InvitationStore.transition(id, to: next, in: transaction)
        try await transaction.record(
            .changed, .invitation, id, version: current.version + 1, values: call.body, by: call.principal)
        return try .row(await InvitationStore.get(id, on: transaction))
    }
}
