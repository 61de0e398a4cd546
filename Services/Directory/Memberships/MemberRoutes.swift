import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/members`, `/v1/organizations/{organization}/standing`
struct MemberRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.routes.read(ListMembers.self) { call in
            try .page(
                try await MemberStore.list(call.query, call.page, for: call.principal, on: database),
                call.page, key: "_key", "organization")
        }
        builder.routes.read(GetStanding.self) { call in
            let organization = call.path
            // Another organization is reported as not found.
            guard call.principal.role != .representative || call.principal.organization == organization else {
                throw Problem(.notFound)
            }
            return try .row(
                try await MemberStore.standing(
                    of: organization, on: call.query.asOf ?? .today, executor: database))
        }
    }
}
