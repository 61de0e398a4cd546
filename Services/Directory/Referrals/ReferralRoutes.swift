import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/referrals`
struct ReferralRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateReferral.self, create)
        builder.routes.read(ListReferrals.self, list)
        builder.routes.read(GetReferral.self, get)
        builder.routes.read(ListReferralMatches.self, listMatches)
        builder.routes.write(CloseReferral.self, close)
        builder.schedule("expire-referral-offers", .every(.seconds(600))) { job in
            try await expire { try await job.heartbeat() }
        }
        builder.routes.constraint("referral_topics_check", .invalid("/topics", "must be 1 to 5"))
        builder.routes.constraint("referral_places_range_check", .invalid("/places", "must be from 1 to 3"))
        builder.routes.constraint(
            "referral_description_check", .invalid("/description", "is longer than 2,000 characters"))
        builder.routes.constraint(
            "referral_ambassador_fkey", .invalid("/ambassador", "unknown ambassador"))
        builder.routes.constraint("referral_places_check", Problem(.referralTaken))
        builder.routes.constraint("referral_asked_check", Problem(.tooManyAsked))
    }

    @Sendable func create(
        _ call: Call<CreateReferral>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Referral> {
        guard Set(call.body.topics).count == call.body.topics.count else {
            throw Problem.invalid("/topics", "names a topic twice")
        }
        let id = Referral.ID()
        let ambassador = try await ambassador(of: call.body, by: call.principal, in: transaction)
        let rows = try await ReferralStore.create(id, call.body, by: ambassador, in: transaction)
        try await transaction.record(.created, .referral, id, version: 1, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func list(_ call: Call<ListReferrals>) async throws -> RouteResponse<Page<Referral>> {
        try .page(
            try await ReferralStore.list(call.query, call.page, for: call.principal, on: backend.database), call.page,
            key: "id", "id")
    }

    @Sendable func get(_ call: Call<GetReferral>) async throws -> RouteResponse<Referral> {
        try .row(try await ReferralStore.get(call.path, for: call.principal, on: backend.database))
    }

    @Sendable func listMatches(_ call: Call<ListReferralMatches>) async throws -> RouteResponse<Page<ReferralMatch>> {
        let rows = try await ReferralStore.get(call.path, for: call.principal, on: backend.database)
        guard let referral = try rows.first?.decode(Referral.self) else { throw Problem(.notFound) }
        return try .page(
            try await MatchStore.list(for: referral, call.page, on: backend.database), call.page,
            key: "score", "_chance", "expert")
    }

    @Sendable func close(
        _ call: Call<CloseReferral>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Referral> {
        let id = call.path
        _ = try await ReferralStore.lock(id, for: call.principal, in: transaction)
        let withdrawn = try await ReferralOfferStore.withdraw(from: id, in: transaction)
        let rows = try await ReferralStore.close(id, in: transaction)
        try await transaction.record(
            [.init(.changed, .referral, id, version: try rows.first?["version"])]
                + withdrawn.map { .init(.changed, .referralOffer, $0) },
            by: call.principal)
        return try .row(rows)
    }

    /// On whose behalf a need is brought: an ambassador itself, or the one the staff names.
    private func ambassador(
        of body: CreateReferral.Body, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Ambassador.ID? {
        guard principal.role == .ambassador else {
            if let other = body.ambassador, try await ReferralStore.hasLeft(other, in: transaction) {
                throw Problem.invalid("/ambassador", "has left the forum")
            }
            return body.ambassador
        }
        guard let own = try await ReferralStore.ambassador(principal, in: transaction) else {
            throw Problem(.forbidden, "Only an ambassador who is enrolled in the forum may bring a firm's need.")
        }
        guard body.ambassador == nil || body.ambassador == own else {
            throw Problem.invalid("/ambassador", "must be yourself")
        }
        return own
    }

    /// Ends the offers not answered in time.
    func expire(betweenPieces: () async throws -> Void = {}) async throws {
        var count = 1
        while count > 0 {
            count = try await backend.database.transaction { transaction in
                let expired = try await ReferralOfferStore.expire(in: transaction)
                try await transaction.record(
                    expired.map { .init(.changed, .referralOffer, $0) }, by: .service(.directory))
                try await ReferralLetters.tell(
                    expired.map { .init(offer: $0, state: .expired) }, backend, in: transaction)
                return expired.count
            }
            try await betweenPieces()
        }
    }
}
