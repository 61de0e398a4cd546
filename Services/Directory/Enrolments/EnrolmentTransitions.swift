import ClubProtocol
import Postgres
import ServiceKit

/// Lets an ambassador or an expert leave, or come back: for the API and for the page behind the link of a mail alike.
struct EnrolmentTransitions: Sendable {
    let backend: Backend

    /// An expert that leaves has no offer without an answer any more: each gives its place among those who are asked back, and whoever
    /// brought the need is told.
    ///
    /// - Throws: 404 for somebody else's, 409 for who is there already.
    func move(
        _ enrollee: Enrollee, to next: Enrolment.State, by principal: Principal, in transaction: PostgresTransaction
    ) async throws {
        var leaving: Expert.ID?
        if case .expert(let id) = enrollee, next == .left { leaving = id }
        if let leaving { try await ReferralOfferStore.holdReferrals(of: leaving, in: transaction) }
        let version = try await EnrolmentStore.move(enrollee, to: next, by: principal, in: transaction)
        try await backend.journal.record(enrollee, version, next.rawValue, by: principal, in: transaction)
        guard let leaving else { return }
        let withdrawn = try await ReferralOfferStore.withdraw(of: leaving, in: transaction)
        try await backend.journal.record(
            withdrawn.flatMap { offer, referral -> [Journal.Entry] in
                [.init(.changed, "referralOffer", offer), .init(.changed, "referral", referral)]
            },
            by: principal, in: transaction)
        try await ReferralLetters.tell(
            withdrawn.map { .init(offer: $0.offer, state: .withdrawn) }, backend, in: transaction)
    }
}
