import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/ambassadors`
struct AmbassadorRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateAmbassador.self, create)
        builder.routes.read(ListAmbassadors.self, list)
        builder.routes.read(GetAmbassador.self, get)
        builder.routes.write(ChangeAmbassador.self, change)
        builder.snapshot(.ambassador, AmbassadorStore.snapshot)
        builder.routes.constraint(
            "ambassador_person_key", Problem(.alreadyExists, errors: [.init("/person", "is an ambassador")]))
        builder.routes.constraint(
            "ambassador_organization_fkey", .invalid("/organization", "unknown organization"))
        builder.routes.constraint("ambassador_topics_check", .invalid("/topics", "are more than 40"))
    }

    @Sendable func create(
        _ call: Call<CreateAmbassador>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Ambassador> {
        let id = Ambassador.ID()
        let rows = try await AmbassadorStore.create(id, call.body, in: transaction)
        try await transaction.record(.created, .ambassador, id, version: 1, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func list(_ call: Call<ListAmbassadors>) async throws -> RouteResponse<Page<Ambassador>> {
        try .page(
            try await AmbassadorStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "_key", "id")
    }

    @Sendable func get(_ call: Call<GetAmbassador>) async throws -> RouteResponse<Ambassador> {
        try .row(try await AmbassadorStore.get(call.path, for: call.principal, on: backend.database))
    }

    @Sendable func change(
        _ call: Call<ChangeAmbassador>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Ambassador> {
        let rows = try await AmbassadorStore.change(
            call.path, call.body, at: call.ifMatch, by: call.principal, in: transaction)
        try await transaction.record(
            .changed, .ambassador, call.path, version: try rows.first?["version"], values: call.body,
            by: call.principal)
        return try .row(rows)
    }
}
