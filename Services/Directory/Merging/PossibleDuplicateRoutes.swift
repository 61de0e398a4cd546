import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/possible-duplicates`
struct PossibleDuplicateRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(FindPossibleDuplicates.self, find)
    }

    @Sendable private func find(
        _ call: Call<FindPossibleDuplicates>
    ) async throws -> RouteResponse<FindPossibleDuplicates.Response> {
        let rows = try await PossibleDuplicates.find(
            call.body, where: Self.visible(call.body.kind, to: call.principal), on: backend.database)
        return .value(.init(items: try rows.decode(PossibleDuplicate.self)))
    }

    /// What the lists show to the caller.
    private static func visible(_ kind: RecordKind, to principal: Principal) -> SQL {
        switch kind {
        case .person: PersonStore.isVisible(to: principal)
        case .organization: OrganizationStore.isVisible(to: principal)
        case .expert: ExpertStore.isVisible(to: principal)
        }
    }
}
