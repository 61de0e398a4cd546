import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/audiences/resolve`
struct AudienceRoutes {
    let backend: Backend

    func mount(on parts: inout ServiceParts) {
        let database = backend.database
        parts.routes.stream(ResolveAudience.self) { call, lines in
            let statement = AudienceStore.members(of: call.body)
            try await database.withConnection { connection in
                for try await rows in connection.stream(statement) { try await lines.write(rows: rows) }
            }
        }
    }
}
