import ClubProtocol
import Postgres
import ServiceKit

/// Changes the state of an offer: for both the API and the page behind the link in a mail.
struct ReferralTransitions: Sendable {
    /// For how many days after the first report the outcome may be corrected.
    static let correctionDays = 14

    let backend: Backend

    /// - Parameter version: the one that the change is based on.
    /// - Returns: the offer as the caller may see it.
    /// - Throws: 404 for someone else's, 412 if the version differs, 409 if its state does not allow the transition,
    ///   403 if the caller's role does not, 422 for an outcome that does not fit the state.
    func change(
        _ id: ReferralOffer.ID, _ body: ChangeReferralOffer.Body, at version: Int?, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        guard let place = try await ReferralOfferStore.referral(of: id, for: principal, in: transaction) else {
            throw Problem(.notFound)
        }
        // The caller may see the offer; an expert need not be able to see the referral for locking it.
        let referral = try await ReferralStore.lock(place, for: .service(.directory), in: transaction)
        guard let row = try await ReferralOfferStore.get(id, for: principal, on: transaction).first else {
            throw Problem(.notFound)
        }
        let offer = try row.decode(ReferralOffer.self)
        if offer.state == .withdrawn, body.state == .accepted {
            // For a late acceptance more helpful than that the offer has changed.
            switch referral.state {
            case .closed: throw Problem(.referralClosed)
            case .placed: throw Problem(.referralTaken)
            case .open: break
            }
        }
        guard offer.version == version else { throw Problem(.stale) }
        guard offer.state.allows(body.state) || Self.corrects(offer, body), !body.state.permittedRoles.isEmpty else {
            throw Problem(
                .transitionNotAllowed, "The offer is \(offer.state.rawValue); it cannot become \(body.state.rawValue).")
        }
        guard body.state.permittedRoles.contains(principal.role) else {
            throw Problem(.forbidden, "Your role may not set an offer to \(body.state.rawValue).")
        }
        try Self.checkOutcome(body)
        try await ReferralOfferStore.transition(id, body, in: transaction)
        var withdrawn: [ReferralOffer.ID] = []
        if body.state == .accepted, referral.taken + 1 == referral.places {
            withdrawn = try await ReferralOfferStore.withdraw(from: referral.id, in: transaction)
        }
        try await transaction.record(
            [.init(.changed, .referralOffer, id, values: body), .init(.changed, .referral, referral.id)]
                + withdrawn.map { .init(.changed, .referralOffer, $0) },
            by: principal)
        // The ambassador is not told of its own changes.
        if principal.role != .ambassador, body.state != .done {
            try await ReferralLetters.tell([.init(offer: id, state: body.state)], backend, in: transaction)
        }
        return try await ReferralOfferStore.get(id, for: principal, on: transaction)
    }

    /// Whether it corrects the outcome of an offer that is done, within the time allowed.
    private static func corrects(_ offer: ReferralOffer, _ body: ChangeReferralOffer.Body) -> Bool {
        offer.state == .done && body.state == .done
            && offer.updatedAt > .now.advanced(by: .seconds(-correctionDays * 86_400))
    }

    /// The outcome is given if the work was done, and only then.
    private static func checkOutcome(_ body: ChangeReferralOffer.Body) throws {
        if body.state == .done {
            guard let satisfaction = body.satisfaction, (1...5).contains(satisfaction) else {
                throw Problem.invalid("/satisfaction", "must be from 1 to 5")
            }
        } else {
            guard body.satisfaction == nil else { throw Problem.invalid("/satisfaction", "is only for the state done") }
            guard body.amount == nil else { throw Problem.invalid("/amount", "is only for the state done") }
        }
    }
}
