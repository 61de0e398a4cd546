import HTTPTypes

/// The result of a change of tier within a year.
package struct TierChange: Codable, Hashable, Sendable {
    /// The membership that ends the day before the change.
    package var ended: Membership
    /// The membership that follows, in the other tier; its entitlements apply from its first day.
    package var begun: Membership
    /// The complementary contribution; absent if the other tier costs no more than was called for the year.
    package var contribution: Contribution?

    package init(ended: Membership, begun: Membership, contribution: Contribution?) {
        self.ended = ended
        self.begun = begun
        self.contribution = contribution
    }
}

/// Changes the tier of a membership from a day on, within the year of that day. If the other tier costs more than was
/// called for the year, a complementary contribution is called at once, numbered like any other. Its amount is the
/// difference between the new fee and the highest fee called for that year (as it was then, without cancelled
/// contributions), prorated by the months left in the membership's year or in full, as the new tier's terms say.
/// Earlier calls and payments stay unchanged, and nothing is refunded if the other tier costs less.
package enum ChangeMembershipTier: Endpoint {
    package static let operation = Operation(
        .post, "/v1/memberships/{membership}/tier-changes", "Changes the tier of a membership from a day on.",
        access: .roles(.operator), problems: [.notFound, .membershipCalled, .contributionUncalled])

    package typealias Path = Membership.ID

    package struct Body: Codable, Sendable {
        package var tier: Tier
        /// After the first day of the membership, and not after its last.
        package var from: Day
        /// For the complementary contribution: not before today; by default thirty days from now.
        package var dueOn: Day?

        package init(tier: Tier, from: Day, dueOn: Day? = nil) {
            self.tier = tier
            self.from = from
            self.dueOn = dueOn
        }
    }

    package typealias Response = TierChange
}

extension ProblemType {
    package static let contributionUncalled = ProblemType(
        "contribution-uncalled", "The contribution of the year has not been called: call it first", .conflict)
}
