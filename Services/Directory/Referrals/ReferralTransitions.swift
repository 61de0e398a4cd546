import ClubProtocol
import Postgres
import ServiceKit

/// Brings an offer to its next state: for the API and for the page behind the link of a mail alike.
struct ReferralTransitions: Sendable {
    /// Until so many days after it was told, how well it went may be told again.
    static let correctionDays = 14

    let backend: Backend

    /// - Parameter version: on which the change is based.
    /// - Returns: the offer as the caller may see it.
    /// - Throws: 404 for somebody else's, 412 when it is not that version, 409 where it cannot go there, 403 where the caller
    ///   does not bring it there, 422 for an outcome that does not go with the state.
    func change(
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
            switch referral.state {
            case .closed: throw Problem(.referralClosed)
            case .placed: throw Problem(.referralTaken)
            case .open: break
            }
        }
        guard offer.version == version else { throw Problem(.stale) }
        guard offer.state.allows(body.state) || Self.corrects(offer, body), !body.state.movers.isEmpty else {
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
        // Nobody is told of what it said itself.
        if principal.role != .ambassador, body.state != .done {
            try await ReferralLetters.tell([.init(offer: id, state: body.state)], backend, in: transaction)
        }
        return try await ReferralOfferStore.get(id, for: principal, on: transaction)
    }

    /// Whether it was done, as was told already, and how well is told again in time.
    private static func corrects(_ offer: ReferralOffer, _ body: ChangeReferralOffer.Body) -> Bool {
        offer.state == .done && body.state == .done
            && offer.updatedAt > .now.advanced(by: .seconds(-correctionDays * 86_400))
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
