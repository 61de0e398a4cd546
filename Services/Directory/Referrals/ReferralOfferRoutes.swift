import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/referrals/{referral}/offers`, `/v1/referral-offers`
struct ReferralOfferRoutes {
    let backend: Backend

    func mount(on parts: inout ServiceParts) {
        let database = backend.database
        parts.routes.write(SendReferral.self) { call, transaction in
            let rows = try await send(call.path.referral, call.body, by: call.principal, in: transaction)
            return .value(Page(items: try rows.decode(ReferralOffer.self)))
        }
        parts.routes.read(ListReferralOffers.self) { call in
            try .page(
                try await ReferralOfferStore.list(call.query, call.page, for: call.principal, on: database), call.page,
                key: "id", "id")
        }
        parts.routes.read(GetReferralOffer.self) { call in
            try .row(try await ReferralOfferStore.get(call.path.offer, for: call.principal, on: database))
        }
        parts.routes.write(ChangeReferralOffer.self) { call, transaction in
            try .row(
                try await change(
                    call.path.offer, call.body, at: call.ifMatch, by: call.principal, in: transaction))
        }
        parts.routes.constraint("referral_offer_once", Problem(.alreadyExists, "An expert has been asked already."))
        parts.routes.constraint("referral_offer_note_check", .invalid("/note", "is longer than 2,000 characters"))
    }

    private func send(
        _ id: Referral.ID, _ body: SendReferral.Body, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        guard (1...5).contains(body.experts.count), Set(body.experts).count == body.experts.count else {
            throw Problem.invalid("/experts", "must be 1 to 5, each named once")
        }
        let answerBy = body.answerBy ?? Day.today.adding(days: 7)
        guard (Day.today.adding(days: 1)...Day.today.adding(days: 60)).contains(answerBy) else {
            throw Problem.invalid("/answerBy", "must be from tomorrow to sixty days from now")
        }
        let referral = try await ReferralStore.lock(id, for: principal, in: transaction)
        switch referral.state {
        case .open: break
        case .placed: throw Problem(.referralTaken)
        case .closed: throw Problem(.referralClosed)
        }
        let known = try await ReferralOfferStore.asked(body.experts, for: id, in: transaction)
        if let place = body.experts.firstIndex(where: known.contains) {
            throw Problem(.alreadyExists, errors: [.init("/experts/\(place)", "has been asked already")])
        }
        let ids = body.experts.map { _ in ReferralOffer.ID() }
        let asked = try await ReferralOfferStore.send(
            referral, to: body.experts, ids: ids, answerBy: answerBy, in: transaction)
        if let place = body.experts.firstIndex(where: { !asked.contains($0) }) {
            throw Problem.invalid("/experts/\(place)", "does not match the referral")
        }
        try await backend.journal.record(
            ids.map { .init(.created, "referralOffer", $0, version: 1, values: body) }
                + [.init(.changed, "referral", id)],
            by: principal, in: transaction)
        return try await ReferralOfferStore.get(ids, for: principal, in: transaction)
    }

    private func change(
        _ id: ReferralOffer.ID, _ body: ChangeReferralOffer.Body, at version: Int?, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        guard let place = try await ReferralOfferStore.referral(of: id, for: principal, in: transaction) else {
            throw Problem(.notFound)
        }
        // The caller may see the offer; that an expert may not see the referral does not matter for holding it.
        let referral = try await ReferralStore.lock(place, for: .service(.directory), in: transaction)
        guard let row = try await ReferralOfferStore.get(id, for: principal, on: transaction).first else {
            throw Problem(.notFound)
        }
        let offer = try row.decode(ReferralOffer.self)
        if offer.state == .withdrawn, body.state == .accepted {
            // More use to who comes too late than that the offer has changed.
            throw Problem(referral.state == .closed ? .referralClosed : .referralTaken)
        }
        guard offer.version == version else { throw Problem(.stale) }
        guard offer.state.allows(body.state), !body.state.movers.isEmpty else {
            throw Problem(
                .transitionNotAllowed, "From \(offer.state.rawValue) it cannot go to \(body.state.rawValue).")
        }
        guard body.state.movers.contains(principal.role) else {
            throw Problem(.forbidden, "Your role does not bring an offer to \(body.state.rawValue).")
        }
        try Self.checkOutcome(body)
        try await ReferralOfferStore.move(id, body, in: transaction)
        var withdrawn: [ReferralOffer.ID] = []
        if body.state == .accepted, referral.taken + 1 == referral.places {
            withdrawn = try await ReferralOfferStore.withdraw(from: referral.id, in: transaction)
        }
        try await backend.journal.record(
            [.init(.changed, "referralOffer", id, values: body), .init(.changed, "referral", referral.id)]
                + withdrawn.map { .init(.changed, "referralOffer", $0) },
            by: principal, in: transaction)
        return try await ReferralOfferStore.get(id, for: principal, on: transaction)
    }

    /// How well it went is said of what was done, and of nothing else.
    private static func checkOutcome(_ body: ChangeReferralOffer.Body) throws {
        if body.state == .done {
            guard let satisfaction = body.satisfaction, (1...5).contains(satisfaction) else {
                throw Problem.invalid("/satisfaction", "must be from 1 to 5")
            }
        } else {
            guard body.satisfaction == nil else { throw Problem.invalid("/satisfaction", "is said of what was done") }
            guard body.amount == nil else { throw Problem.invalid("/amount", "is said of what was done") }
        }
    }
}
