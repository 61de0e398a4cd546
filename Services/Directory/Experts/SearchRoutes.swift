import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/expert-search`
struct SearchRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.routes.read(SearchExperts.self, search)
        builder.routes.read(CountExperts.self, count)
        builder.job(ExpertWordStore.wake) { _, job in
            while try await database.transaction({ try await ExpertWordStore.takeIn(in: $0) }) {
                try await job.heartbeat()
            }
        }
        // A safety net: a review may remove words of an expert that is being written.
        builder.schedule("expert-words-refresh", .every(.seconds(60))) { _ in
            try await database.transaction { try await ExpertWordStore.refresh(in: $0) }
        }
        builder.schedule("expert-words-review", .daily(at: "03:50")) { _ in
            try await database.transaction { try await ExpertWordStore.review(in: $0) }
        }
    }

    @Sendable func search(_ call: Call<SearchExperts>) async throws -> RouteResponse<Page<Expert>> {
        let rows = try await backend.database.transaction(readOnly: true) { transaction in
            try await ExpertSearchStore.list(call.query, call.page, for: call.principal, in: transaction)
        }
        return try .page(rows, call.page, key: "_stage", "_key", "_id")
    }

    @Sendable func count(_ call: Call<CountExperts>) async throws -> RouteResponse<ExpertFacets> {
        try await .value(
            backend.database.transaction(readOnly: true) { transaction in
                try await ExpertSearchStore.facets(call.query, for: call.principal, in: transaction)
            })
    }
}
