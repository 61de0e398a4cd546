import ClubProtocol
import ServiceKit

/// `/v1/public`: the public directory as JSON, without a token
struct PublicRoutes {
    let backend: Backend

    /// Callers who want the whole list read more pages, and run into the rate limit for anonymous requests.
    private static let largestPage = 50

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.routes.read(ListPublicExperts.self) { call in
            let page = call.page
            try Self.check(page)
            let last = try page.stage.map { ListPosition<Expert>(stage: $0.stage, key: $0.key, id: $0.id) }
            return try .page(
                try await PublicStore.experts(
                    call.query.filter, from: .init(after: last), limit: page.limit + 1, on: database),
                page, key: "_stage", "_key", "_id")
        }
        builder.routes.read(GetPublicExpert.self) { call in
            try .row(try await PublicStore.expert(call.path, on: database))
        }
        builder.routes.read(ListPublicMembers.self) { call in
            let page = call.page
            try Self.check(page)
            let last = try page.position(of: Organization.self).map {
                ListPosition<Organization>(stage: 0, key: $0.key, id: $0.id)
            }
            return try .page(
                try await PublicStore.members(
                    call.query.filter, from: .init(after: last), limit: page.limit + 1, on: database),
                page, key: "_key", "id")
        }
        builder.routes.read(GetPublicMember.self) { call in
            try .row(try await PublicStore.member(call.path, on: database))
        }
    }

    private static func check(_ page: PageRequest) throws {
        guard page.limit <= largestPage else {
            throw Problem.invalid("limit", "must be between 1 and \(largestPage) here")
        }
    }
}
