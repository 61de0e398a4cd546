import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/issues/{issue}/deliveries`, `/v1/suppressions` and `/v1/unsubscriptions/{token}`.
struct DeliveryRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListDeliveries.self, list)
        builder.routes.write(CreateSuppression.self, suppress)
        builder.routes.read(ListSuppressions.self, suppressions)
        builder.routes.write(Unsubscribe.self, unsubscribe)
        builder.snapshot(.suppression, DeliveryStore.snapshot)
    }

    @Sendable func list(_ call: Call<ListDeliveries>) async throws -> RouteResponse<Page<Delivery>> {
        let rows = try await DeliveryStore.list(call.path, call.query, call.page, on: backend.database)
        if rows.isEmpty, try await !DeliveryStore.hasIssue(call.path, on: backend.database) {
            throw Problem(.notFound)
        }
        return try .page(rows, call.page, key: "email")
    }

    @Sendable func suppress(
        _ call: Call<CreateSuppression>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Suppression> {
        guard try await !ErasedReaders.contains(call.body.email, in: transaction) else {
            throw Problem(.erased, "The person with this address was erased; it is never mailed or recorded again.")
        }
        return try .row(await suppress(call.body.email, call.body.reason, call.principal, transaction))
    }

    @Sendable func suppressions(_ call: Call<ListSuppressions>) async throws -> RouteResponse<Page<Suppression>> {
        try .page(await DeliveryStore.suppressions(call.page, on: backend.database), call.page, key: "email")
    }

    @Sendable func unsubscribe(
        _ call: Call<Unsubscribe>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        let email = try UnsubscribeLink.open(call.path, backend.links)
        // An erased person is off every list already; suppressing the address would store it again.
        guard try await !ErasedReaders.contains(email, in: transaction) else { return .empty }
        _ = try await suppress(email, .unsubscribed, call.principal, transaction)
        return .empty
    }

    private func suppress(
        _ email: EmailAddress, _ reason: Suppression.Reason, _ principal: Principal, _ transaction: PostgresTransaction
    ) async throws -> Rows {
        let rows = try await DeliveryStore.suppress(email, reason, in: transaction)
        if let suppression = try rows.first?.decode(Suppression.self) {
            try await transaction.record(.created, .suppression, suppression.id, values: suppression, by: principal)
        }
        return rows
    }
}
