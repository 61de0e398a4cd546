import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/experts/{expert}/confirmations`, `…/transitions`, and the same of `/v1/ambassadors/{ambassador}`
struct EnrolmentRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(ConfirmExpert.self, confirmExpert)
        builder.routes.write(TransitionExpert.self, transitionExpert)
        builder.routes.write(ConfirmAmbassador.self, confirmAmbassador)
        builder.routes.write(TransitionAmbassador.self, transitionAmbassador)
    }

    private var transitions: EnrolmentTransitions { EnrolmentTransitions(backend: backend) }

    @Sendable func confirmExpert(
        _ call: Call<ConfirmExpert>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Expert> {
        let id = call.path
        try await transitions.confirm(.expert(id), by: call.principal, in: transaction)
        return try .row(try await ExpertStore.get(id, for: call.principal, on: transaction))
    }

    @Sendable func transitionExpert(
        _ call: Call<TransitionExpert>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Expert> {
        let id = call.path
        try await transitions.transition(.expert(id), to: call.body.to, by: call.principal, in: transaction)
        return try .row(try await ExpertStore.get(id, for: call.principal, on: transaction))
    }

    @Sendable func confirmAmbassador(
        _ call: Call<ConfirmAmbassador>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Ambassador> {
        let id = call.path
        try await transitions.confirm(.ambassador(id), by: call.principal, in: transaction)
        return try .row(try await AmbassadorStore.get(id, for: call.principal, on: transaction))
    }

    @Sendable func transitionAmbassador(
        _ call: Call<TransitionAmbassador>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Ambassador> {
        let id = call.path
        try await transitions.transition(.ambassador(id), to: call.body.to, by: call.principal, in: transaction)
        return try .row(try await AmbassadorStore.get(id, for: call.principal, on: transaction))
    }
}
