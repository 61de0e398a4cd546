import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/referrals/{referral}/offers`, `/v1/referral-offers`
struct ReferralOfferRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(SendReferral.self, send)
        builder.routes.read(ListReferralOffers.self, list)
        builder.routes.read(GetReferralOffer.self, get)
        builder.routes.write(ChangeReferralOffer.self, change)
        builder.routes.constraint("referral_offer_once", Problem(.alreadyExists, "An expert has been asked already."))
        builder.routes.constraint("referral_offer_note_check", .invalid("/note", "is longer than 2,000 characters"))
    }

    private var transitions: ReferralTransitions { ReferralTransitions(backend: backend) }

    @Sendable func send(
        _ call: Call<SendReferral>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Page<ReferralOffer>> {
        let rows = try await ask(call.path, call.body, by: call.principal, in: transaction)
        return .value(Page(items: try rows.decode(ReferralOffer.self)))
    }

    @Sendable func list(_ call: Call<ListReferralOffers>) async throws -> RouteResponse<Page<ReferralOffer>> {
        try .page(
            try await ReferralOfferStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "id", "id")
    }

    @Sendable func get(_ call: Call<GetReferralOffer>) async throws -> RouteResponse<ReferralOffer> {
        try .row(try await ReferralOfferStore.get(call.path, for: call.principal, on: backend.database))
    }

    @Sendable func change(
        _ call: Call<ChangeReferralOffer>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<ReferralOffer> {
        try .row(
            try await transitions.change(
                call.path, call.body, at: call.ifMatch, by: call.principal, in: transaction))
    }

    private func ask(
        _ id: Referral.ID, _ body: SendReferral.Body, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        guard Set(body.experts).count == body.experts.count else {
            throw Problem.invalid("/experts", "must be 1 to 5, each named once")
        }
        let answerBy = body.answerBy ?? Day.today.adding(days: 7)
        guard (Day.today.adding(days: 1)...Day.today.adding(days: 60)).contains(answerBy) else {
            throw Problem.invalid("/answerBy", "must be from tomorrow to sixty days from now")
        }
        let referral = try await ReferralStore.lock(id, for: principal, in: transaction)
        if principal.role == .ambassador, try await ReferralStore.ambassador(principal, in: transaction) == nil {
            throw Problem(.forbidden, "Only an ambassador who is enrolled in the forum may ask experts.")
        }
        switch referral.state {
        case .open: break
        case .placed: throw Problem(.referralTaken)
        case .closed: throw Problem(.referralClosed)
        }
        let known = try await ReferralOfferStore.asked(body.experts, for: id, in: transaction)
        if let place = body.experts.firstIndex(where: known.contains) {
            throw Problem(.alreadyExists, errors: [.init("/experts/\(place)", "has been asked already")])
        }
        try await ReferralOfferStore.hold(body.experts, in: transaction)
        let ids = body.experts.map { _ in ReferralOffer.ID() }
        let asked = try await ReferralOfferStore.send(
            referral, to: body.experts, ids: ids, answerBy: answerBy, in: transaction)
        if let place = body.experts.firstIndex(where: { !asked.contains($0) }) {
            throw Problem.invalid("/experts/\(place)", "does not match the referral")
        }
        try await transaction.record(
            ids.map { .init(.created, .referralOffer, $0, version: 1, values: body) }
                + [.init(.changed, .referral, id)],
            by: principal)
        try await ReferralLetters.invite(ids, backend, in: transaction)
        return try await ReferralOfferStore.get(ids, for: principal, in: transaction)
    }
}
