import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/experts`
struct ExpertRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateExpert.self, create)
        builder.routes.read(ListExperts.self, list)
        builder.routes.read(GetExpert.self, get)
        builder.routes.write(ChangeExpert.self, change)
        builder.snapshot(.expert, ExpertStore.snapshot)
        builder.routes.constraint(
            "expert_siret_key", Problem(.alreadyExists, errors: [.init("/siret", "another expert has it")]))
        builder.routes.constraint("expert_topics_check", .invalid("/topics", "are more than 40"))
        builder.routes.constraint("expert_brands_check", .invalid("/brands", "are more than 200"))
    }

    @Sendable func create(
        _ call: Call<CreateExpert>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Expert> {
        let id = Expert.ID()
        try await ConsentStore.setProvenance(call.body.consents, by: call.principal, in: transaction)
        let rows = try await ExpertStore.create(id, call.body, in: transaction)
        try await transaction.record(.created, .expert, id, version: 1, values: call.body, by: call.principal)
        return try await PossibleDuplicates.answer(
            rows, .init(id.uuid), .expert, where: ExpertStore.isVisible(to: call.principal), in: transaction)
    }

    @Sendable func list(_ call: Call<ListExperts>) async throws -> RouteResponse<Page<Expert>> {
        try .page(
            try await ExpertStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "_key", "_id")
    }

    @Sendable func get(_ call: Call<GetExpert>) async throws -> RouteResponse<Expert> {
        let rows = try await ExpertStore.get(call.path, for: call.principal, on: backend.database)
        guard !rows.isEmpty else {
            throw try await MergedRecords.notFoundOrMerged(
                of: call.path, .expert, for: call.principal, on: backend.database)
        }
        return try .row(rows)
    }

    @Sendable func change(
        _ call: Call<ChangeExpert>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Expert> {
        try await ConsentStore.setProvenance(call.body.consents, by: call.principal, in: transaction)
        let rows = try await ExpertStore.change(
            call.path, call.body, at: call.ifMatch, by: call.principal, in: transaction)
        try await transaction.record(
            .changed, .expert, call.path, version: try rows.first?["version"], values: call.body, by: call.principal)
        return try .row(rows)
    }
}
