import HTTPTypes

/// What a change of tier within a year came to.
package struct TierChange: Codable, Hashable, Sendable {
    /// The membership that ends the day before.
    package var ended: Membership
    /// The one that goes on, in the other tier; what it entitles to holds from its first day.
    package var begun: Membership
    /// What is owed for it; absent where the other tier costs no more than was called for the year.
    package var contribution: Contribution?

    package init(ended: Membership, begun: Membership, contribution: Contribution?) {
        self.ended = ended
        self.begun = begun
        self.contribution = contribution
    }
}

/// Changes the tier of a membership from a day on, within the year of that day. Where the other tier costs more than what was called for
/// the year, a complementary contribution is called at once, numbered like the others: the difference of its fee to the highest that was
/// called for (as that was then, without what is cancelled), by the months that are left of the membership's year or whole, as the other
/// tier says. What was called and paid before stays as it is, and nothing goes back where the
/// other tier costs less.
package enum ChangeMembershipTier: Endpoint {
    package static let operation = Operation(
        .post, "/v1/memberships/{membership}/tier-changes", "Changes the tier of a membership from a day on.",
        access: .roles(.operator), problems: [.notFound, .membershipCalled, .contributionUncalled])

    package typealias Path = MembershipPath

    package struct Body: Codable, Sendable {
        package var tier: Tier
        /// After the first day of the membership, and not after its last.
        package var from: Day
        /// Of the complementary contribution: not before today; without it, thirty days from now.
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
