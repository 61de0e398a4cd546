import ClubProtocol
import ServiceKit

/// `/v1/public`: the public directory as JSON, without a token
struct PublicRoutes {
    let backend: Backend

    /// Callers who want the whole list read more pages, and run into the rate limit for anonymous requests.
    private static let largestPage = 50

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListPublicExperts.self, listExperts)
        builder.routes.read(GetPublicExpert.self, getExpert)
        builder.routes.read(ListPublicMembers.self, listMembers)
        builder.routes.read(GetPublicMember.self, getMember)
    }

    @Sendable func listExperts(_ call: Call<ListPublicExperts>) async throws -> RouteResponse<Page<PublicExpert>> {
        let page = call.page
        try Self.check(page)
        let last = try page.stage.map { ListPosition<Expert>(stage: $0.stage, key: $0.key, id: $0.id) }
        return try .page(
            try await PublicStore.experts(
                call.query.filter, from: .init(after: last), limit: page.limit + 1, on: backend.database),
            page, key: "_stage", "_key", "_id")
    }

    @Sendable func getExpert(_ call: Call<GetPublicExpert>) async throws -> RouteResponse<PublicExpert> {
        try .row(try await PublicStore.expert(call.path, on: backend.database))
    }

    @Sendable func listMembers(_ call: Call<ListPublicMembers>) async throws -> RouteResponse<Page<PublicMember>> {
        let page = call.page
        try Self.check(page)
        let last = try page.position(of: Organization.self).map {
            ListPosition<Organization>(stage: 0, key: $0.key, id: $0.id)
        }
        return try .page(
            try await PublicStore.members(
                call.query.filter, from: .init(after: last), limit: page.limit + 1, on: backend.database),
            page, key: "_key", "id")
    }

    @Sendable func getMember(_ call: Call<GetPublicMember>) async throws -> RouteResponse<PublicMember> {
        try .row(try await PublicStore.member(call.path, on: backend.database))
    }

    private static func check(_ page: PageRequest) throws {
        guard page.limit <= largestPage else {
            throw Problem.invalid("limit", "must be between 1 and \(largestPage) here")
        }
    }
}
