import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/audiences/resolve`
struct AudienceRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.stream(ResolveAudience.self, resolve)
    }

    @Sendable func resolve(_ call: Call<ResolveAudience>, _ lines: LineWriter<AudienceMember>) async throws {
        let audience = call.body
        try await backend.database.forEachPage { last, limit in
            AudienceStore.members(of: audience, after: try last?["id"], limit: limit)
        } _: { rows in
            try await lines.write(rows: rows)
        }
    }
}
