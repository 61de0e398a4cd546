import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/members`, `/v1/organizations/{organization}/standing`
struct MemberRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListMembers.self, list)
        builder.routes.read(GetStanding.self, getStanding)
    }

    @Sendable func list(_ call: Call<ListMembers>) async throws -> RouteResponse<Page<MemberStanding>> {
        try .page(
            try await MemberStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "_key", "organization")
    }

    @Sendable func getStanding(_ call: Call<GetStanding>) async throws -> RouteResponse<Standing> {
        let organization = call.path
        // Another organization is reported as not found.
        guard call.principal.role != .representative || call.principal.organization == organization else {
            throw Problem(.notFound)
        }
        return try .row(
            try await MemberStore.standing(
                of: organization, on: call.query.asOf ?? .today, executor: backend.database))
    }
}
