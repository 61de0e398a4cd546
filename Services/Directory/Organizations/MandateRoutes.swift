import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/organizations/{organization}/mandates`, `/v1/mandates`
struct MandateRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateMandate.self, create)
        builder.routes.read(ListMandates.self, listOfOrganization)
        builder.routes.read(ListAllMandates.self, list)
        builder.routes.write(ChangeMandate.self, change)
        builder.routes.write(DeleteMandate.self, delete)
        builder.snapshot(.mandate, MandateStore.snapshot)
        builder.routes.constraint("mandate_organization_fkey", Problem(.notFound))
        builder.routes.constraint("mandate_person_fkey", .invalid("/person", "unknown person"))
        builder.routes.constraint(
            "mandate_titular_excl",
            Problem(.mandateOverlaps, "The organization has a titular representative on some of these days."))
        builder.routes.constraint(
            "mandate_person_excl", Problem(.mandateOverlaps, "The person has this mandate on some of these days."))
    }

    @Sendable func create(
        _ call: Call<CreateMandate>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Mandate> {
        let id = Mandate.ID()
        let rows = try await MandateStore.create(id, of: call.path, call.body, in: transaction)
        try await transaction.record(.created, .mandate, id, version: 1, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func listOfOrganization(_ call: Call<ListMandates>) async throws -> RouteResponse<Page<Mandate>> {
        let organization = call.path
        let rows = try await OrganizationStore.get(organization, for: call.principal, on: backend.database)
        guard !rows.isEmpty else { throw Problem(.notFound) }
        let filter = ListAllMandates.Filter(
            organization: organization, person: call.query.person, kind: call.query.kind, asOf: call.query.asOf)
        return try .page(
            try await MandateStore.list(filter, call.page, for: call.principal, on: backend.database),
            call.page, key: "from", "id")
    }

    @Sendable func list(_ call: Call<ListAllMandates>) async throws -> RouteResponse<Page<Mandate>> {
        try .page(
            try await MandateStore.list(call.query.filter, call.page, for: call.principal, on: backend.database),
            call.page, key: "from", "id")
    }

    @Sendable func change(
        _ call: Call<ChangeMandate>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Mandate> {
        let rows = try await MandateStore.change(call.path, call.body, at: call.ifMatch, in: transaction)
        try await transaction.record(
            .changed, .mandate, call.path.mandate, version: try rows.first?["version"], values: call.body,
            by: call.principal)
        return try .row(rows)
    }

    @Sendable func delete(
        _ call: Call<DeleteMandate>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        try await MandateStore.delete(call.path, at: call.ifMatch, in: transaction)
        try await transaction.record(.deleted, .mandate, call.path.mandate, by: call.principal)
        return .empty
    }
}
