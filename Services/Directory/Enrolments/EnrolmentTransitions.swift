import ClubProtocol
import Postgres
import ServiceKit

/// Lets an ambassador or an expert confirm, leave or return: for both the API and the page behind the link in a mail.
struct EnrolmentTransitions: Sendable {
    let backend: Backend

    /// Confirms that the record is right.
    ///
    /// - Throws: 404 for someone else's, 409 if they have left.
    func confirm(_ enrollee: Enrollee, by principal: Principal, in transaction: PostgresTransaction) async throws {
        let version = try await EnrolmentStore.confirm(enrollee, by: principal, in: transaction)
        try await record("confirmed", of: enrollee, version, by: principal, in: transaction)
    }

    /// When an expert leaves, their unanswered offers end: each frees its place for another expert, and the ambassador
    /// who brought the need is told.
    ///
    /// - Throws: 404 for someone else's, 409 if they are already in that state.
    func transition(
        _ enrollee: Enrollee, to next: Enrolment.State, by principal: Principal, in transaction: PostgresTransaction
    ) async throws {
        var leaving: Expert.ID?
        if case .expert(let id) = enrollee, next == .left { leaving = id }
        if let leaving { try await ReferralOfferStore.holdReferrals(of: leaving, in: transaction) }
        let version = try await EnrolmentStore.transition(enrollee, to: next, by: principal, in: transaction)
        try await record(next.rawValue, of: enrollee, version, by: principal, in: transaction)
        guard let leaving else { return }
        let withdrawn = try await ReferralOfferStore.withdraw(of: leaving, in: transaction)
        try await transaction.record(
            withdrawn.flatMap { offer, referral -> [Journal.Entry] in
                [.init(.changed, .referralOffer, offer), .init(.changed, .referral, referral)]
            },
            by: principal)
        try await ReferralLetters.tell(
            withdrawn.map { .init(offer: $0.offer, state: .withdrawn) }, backend, in: transaction)
    }

    private func record(
        _ what: String, of enrollee: Enrollee, _ version: Int, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        try await transaction.record(
            .changed, enrollee.entity, enrollee.id, version: version, values: ["enrolment": what], by: principal)
    }
}
