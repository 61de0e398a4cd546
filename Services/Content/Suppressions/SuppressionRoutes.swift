import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/suppressions`.
struct SuppressionRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateSuppression.self, create)
        builder.routes.read(ListSuppressions.self, list)
        builder.routes.read(GetSuppression.self, get)
        builder.routes.write(LiftSuppression.self, lift)
        builder.snapshot(.suppression, SuppressionStore.snapshot)
    }

    @Sendable func create(
        _ call: Call<CreateSuppression>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Suppression> {
        guard try await !ErasedReaders.contains(call.body.email, in: transaction) else {
            throw Problem(.erased, "The person with this address was erased; it is never mailed or recorded again.")
        }
        let (reason, email) = (call.body.reason, call.body.email)
        let purpose: Suppression.Purpose? = reason == .unsubscribed ? .flashInfo : nil
        return try .row(
            await SuppressionStore.add(email, reason, for: purpose, by: call.principal, in: transaction))
    }

    @Sendable func list(_ call: Call<ListSuppressions>) async throws -> RouteResponse<Page<Suppression>> {
        let rows = try await SuppressionStore.list(call.query, call.page, on: backend.database)
        return try .page(rows, call.page, key: "email", "id")
    }

    @Sendable func get(_ call: Call<GetSuppression>) async throws -> RouteResponse<Suppression> {
        try .row(await SuppressionStore.get(call.path, on: backend.database))
    }

    @Sendable func lift(
        _ call: Call<LiftSuppression>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        guard let reason = try await SuppressionStore.lock(call.path, in: transaction) else {
            throw Problem(.notFound)
        }
        guard reason.mayBeLifted else {
            throw Problem(
                .suppressionStands, "The reader \(reason == .complaint ? "has complained" : "has left"): only they can."
            )
        }
        try await SuppressionStore.delete(call.path, in: transaction)
        try await transaction.record(.deleted, .suppression, call.path, values: call.query, by: call.principal)
        return .empty
    }
}
