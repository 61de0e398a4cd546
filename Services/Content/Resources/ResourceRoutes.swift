import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/resources`.
struct ResourceRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateResource.self, create)
        builder.routes.read(ListResources.self, list)
        builder.routes.read(GetResource.self, get)
        builder.routes.write(ChangeResource.self, change)
        builder.routes.constraint("resource_published", Problem(.resourcePublished))
        builder.snapshot(.resource, ResourceStore.snapshot)
    }

    @Sendable func create(
        _ call: Call<CreateResource>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Resource> {
        try Self.check(call.body.embargoUntil, call.body.expiresAt)
        let rows = try await ResourceStore.create(call.body, in: transaction)
        try await record(.created, rows, call.principal, transaction)
        return try .row(rows)
    }

    @Sendable func list(_ call: Call<ListResources>) async throws -> RouteResponse<Page<Resource>> {
        try .page(await ResourceStore.list(call.query, call.page, on: backend.database), call.page, key: "id")
    }

    @Sendable func get(_ call: Call<GetResource>) async throws -> RouteResponse<Resource> {
        try .row(await ResourceStore.get(call.path, on: backend.database))
    }

    @Sendable func change(
        _ call: Call<ChangeResource>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Resource> {
        try Self.check(call.body.embargoUntil ?? nil, call.body.expiresAt ?? nil)
        let rows = try await ResourceStore.change(
            call.path, call.body, basedOn: call.ifMatch ?? 0, in: transaction)
        if rows.isEmpty {
            guard try await !ResourceStore.get(call.path, on: transaction).isEmpty else {
                throw Problem(.notFound)
            }
            throw Problem(.stale)
        }
        try await record(.changed, rows, call.principal, transaction)
        return try .row(rows)
    }

    /// - Throws: 422 naming an invalid time.
    private static func check(_ embargoUntil: Timestamp?, _ expiresAt: Timestamp?) throws(Problem) {
        try DayMeaning.embargo.check(time: embargoUntil, at: "/embargoUntil")
        try DayMeaning.end.check(time: expiresAt, at: "/expiresAt")
    }

    private func record(
        _ action: Change.Action, _ rows: Rows, _ principal: Principal, _ transaction: PostgresTransaction
    ) async throws {
        guard let row = rows.first else { return }
        let resource = try row.decode(Resource.self)
        try await transaction.record(
            action, .resource, resource.id, version: resource.version, values: resource, by: principal)
    }
}
