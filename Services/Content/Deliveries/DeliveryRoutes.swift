import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/issues/{issue}/deliveries` and `/v1/deliveries`.
struct DeliveryRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListDeliveries.self, list)
        builder.routes.read(GetDelivery.self, get)
    }

    @Sendable func list(_ call: Call<ListDeliveries>) async throws -> RouteResponse<Page<Delivery>> {
        let rows = try await DeliveryStore.list(call.path, call.query, call.page, on: backend.database)
        if rows.isEmpty, try await !DeliveryStore.hasIssue(call.path, on: backend.database) {
            throw Problem(.notFound)
        }
        return try .page(rows, call.page, key: "email")
    }

    @Sendable func get(_ call: Call<GetDelivery>) async throws -> RouteResponse<Delivery> {
        try .row(await DeliveryStore.get(call.path, on: backend.database))
    }
}
