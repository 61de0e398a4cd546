import ClubProtocol
import Postgres
import ServiceKit

/// Changes of tier within a year: the membership is split at the day, and the price difference for the rest of the year
/// is called, for which the organization's credit is used.
struct TierChanges: Sendable {
    let backend: Backend

    /// - Throws: 404; 422 for a day outside the membership, or for its present tier; 409 while the year's contribution
    ///   has not been called, or if one was called for a later year.
    func change(
        _ id: Membership.ID, _ body: ChangeMembershipTier.Body, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> TierChange {
        let (year, dueOn) = (body.from.year, body.dueOn ?? Day.today.adding(days: 30))
        try DayMeaning.due.check(dueOn, at: "/dueOn")
        guard (2000...2999).contains(year) else { throw Problem.invalid("/from", "must be from 2000 to 2999") }
        // First, as a call does: concurrent transactions that take numbers wait here and nowhere else.
        let last = try await ContributionStore.lock(year, in: transaction)
        guard var membership = try await MembershipStore.lock(id, in: transaction) else { throw Problem(.notFound) }
        try Self.check(body, within: membership)
        let fees = try await TierStore.fees(from: membership.tier, to: body.tier, in: transaction)
        let called = try await ContributionStore.called(
            membership.organization, until: body.from, in: transaction)
        guard called != nil || fees.old == 0 else { throw Problem(.contributionUncalled) }

        let (begun, until) = (Membership.ID(), membership.until)
        membership.until = body.from.adding(days: -1)
        let ended = try await MembershipStore.end(id, on: membership.until, in: transaction)
        let rows = try await MembershipStore.create(
            begun, .init(organization: membership.organization, tier: body.tier, from: body.from, until: until),
            in: transaction)
        var entries: [Journal.Entry] = [
            .init(.changed, .membership, id, version: try ended.first?["version"], values: body),
            .init(.created, .membership, begun, version: 1, values: body),
        ]
        var complement: Contribution.ID?
        let amount = Self.complement(of: fees, beyond: called?.fee ?? 0, from: body.from, until: until)
        if amount > 0 {
            let number = Contribution.ID()
            try await ContributionStore.complement(
                number,
                of: .init(organization: membership.organization, membership: begun, amount: amount, fee: fees.new),
                beside: called?.base, year: year, dueOn: dueOn, after: last, in: transaction)
            entries.append(.init(.created, .contribution, number, version: 1, values: body))
            complement = number
        }
        try await transaction.record(entries, by: principal)
        var contribution: Contribution?
        if let complement {
            _ = try await CreditCarryOver(backend: backend).apply(
                to: [complement], by: principal, in: transaction)
            contribution = try await ContributionStore.get(complement, for: principal, on: transaction)
                .first?.decode(Contribution.self)
        }
        guard let before = try ended.first?.decode(Membership.self), let after = try rows.first?.decode(Membership.self)
        else { throw Problem(.notFound) }
        return TierChange(ended: before, begun: after, contribution: contribution)
    }

    private static func check(_ body: ChangeMembershipTier.Body, within membership: Membership) throws {
        guard body.tier != membership.tier else { throw Problem.invalid("/tier", "is the tier of the membership") }
        guard body.from > membership.from else {
            throw Problem.invalid("/from", "is not after the first day of the membership")
        }
        guard body.from <= membership.until else {
            throw Problem.invalid("/from", "is after the last day of the membership")
        }
    }

    /// In cents, rounded to nearest: the twelfths from the month of the change to the last month of the membership in
    /// that year, or the whole difference.
    ///
    /// - Parameter called: the highest fee that was called for the year up to that month, at its value then: a tier is
    ///   not called twice after a cheaper one in between, nor because its fee has changed since.
    static func complement(of fees: TierStore.Fees, beyond called: Int, from: Day, until: Day) -> Int {
        let difference = fees.new - called
        guard difference > 0 else { return 0 }
        switch fees.complement {
        case .whole: return difference
        case .proRata:
            let last = until.year > from.year ? 12 : until.month
            return (difference * (last - from.month + 1) + 6) / 12
        }
    }
}
