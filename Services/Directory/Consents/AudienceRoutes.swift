import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/audiences/resolve`
struct AudienceRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.routes.stream(ResolveAudience.self) { call, lines in
            let audience = call.body
            try await database.forEachPage { last, limit in
                AudienceStore.members(of: audience, after: try last?["id"], limit: limit)
            } _: { rows in
                try await lines.write(rows: rows)
            }
        }
    }
}
