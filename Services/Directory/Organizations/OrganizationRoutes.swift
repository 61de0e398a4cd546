import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/organizations`
struct OrganizationRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateOrganization.self, create)
        builder.routes.read(ListOrganizations.self, list)
        builder.routes.read(GetOrganization.self, get)
        builder.routes.write(ChangeOrganization.self, change)
        builder.snapshot(.organization, OrganizationStore.snapshot)
        builder.routes.constraint(
            "organization_siret_key", Problem(.alreadyExists, errors: [.init("/siret", "another organization has it")]))
        builder.routes.constraint("organization_parent_fkey", .invalid("/parent", "unknown organization"))
        builder.routes.constraint("organization_parent_check", .invalid("/parent", "is the organization itself"))
        builder.routes.constraint("organization_circle_check", .invalid("/parent", "is one of its own branches"))
        builder.routes.constraint("organization_sub_kind_check", .invalid("/subKind", "does not match the kind"))
        builder.routes.constraint(
            "organization_tier_kind", .invalid("/kind", "the tier of a membership is for organizations of another kind")
        )
        builder.routes.constraint(
            "organization_siren_of_siret_check", .invalid("/siret", "does not begin with the SIREN"))
        builder.routes.constraint("organization_mailboxes_check", .invalid("/mailboxes", "have two for one role"))
        builder.routes.constraint("organization_addresses_check", .invalid("/addresses", "are more than 20"))
        builder.routes.constraint("organization_agency_fkey", .invalid("/agency", "unknown organization"))
        builder.routes.constraint(
            "organization_agency_check", .invalid("/agency", "is for brands, and must be another organization"))
        builder.routes.constraint("organization_topics_check", .invalid("/topics", "are more than 40"))
    }

    @Sendable func create(
        _ call: Call<CreateOrganization>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Organization> {
        let id = Organization.ID()
        let rows = try await OrganizationStore.create(id, call.body, in: transaction)
        try await transaction.record(.created, .organization, id, version: 1, values: call.body, by: call.principal)
        return try await PossibleDuplicates.answer(
            rows, .init(id.uuid), .organization, where: OrganizationStore.isVisible(to: call.principal),
            in: transaction)
    }

    @Sendable func list(_ call: Call<ListOrganizations>) async throws -> RouteResponse<Page<Organization>> {
        try .page(
            try await OrganizationStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "_key", "id")
    }

    @Sendable func get(_ call: Call<GetOrganization>) async throws -> RouteResponse<Organization> {
        let rows = try await OrganizationStore.get(call.path, for: call.principal, on: backend.database)
        guard !rows.isEmpty else {
            throw try await MergedRecords.notFoundOrMerged(
                of: call.path, .organization, for: call.principal, on: backend.database)
        }
        return try .row(rows)
    }

    @Sendable func change(
        _ call: Call<ChangeOrganization>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Organization> {
        let rows = try await OrganizationStore.change(
            call.path, call.body, at: call.ifMatch, by: call.principal, in: transaction)
        try await transaction.record(
            .changed, .organization, call.path, version: try rows.first?["version"],
            values: call.body, by: call.principal)
        return try .row(rows)
    }
}
