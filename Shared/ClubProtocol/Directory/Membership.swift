import HTTPTypes

/// An organization's dated membership of the club. The periods of one organization do not overlap.
package struct Membership: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Membership>

    package var id: ID
    package var organization: Organization.ID
    package var tier: Tier
    /// The first day.
    package var from: Day
    /// The last day.
    package var until: Day
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Makes an organization a member for a period.
package enum CreateMembership: Endpoint {
    package static let operation = Operation(
        .post, "/v1/memberships", "Makes an organization a member for a period.", success: .created,
        access: .roles(.operator), problems: [.membershipOverlaps])

    package struct Body: Codable, Sendable {
        package var organization: Organization.ID
        package var tier: Tier
        package var from: Day
        package var until: Day

        package init(organization: Organization.ID, tier: Tier, from: Day, until: Day) {
            self.organization = organization
            self.tier = tier
            self.from = from
            self.until = until
        }
    }

    package typealias Response = Membership
}

/// Lists memberships, latest first.
package enum ListMemberships: Endpoint {
    package static let operation = Operation(
        .get, "/v1/memberships", "Lists memberships, latest first.",
        access: .roles(.operator, .editor, .auditor, .service, .representative))

    package struct Filter: OptionalParameters {
        package var organization: Organization.ID?
        package var tier: Tier?
        /// Memberships in force on this day.
        package var asOf: Day?

        package init() {}

        package init(organization: Organization.ID? = nil, tier: Tier? = nil, asOf: Day? = nil) {
            self.organization = organization
            self.tier = tier
            self.asOf = asOf
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Membership>
}

/// Shows one membership.
package enum GetMembership: Endpoint {
    package static let operation = Operation(
        .get, "/v1/memberships/{membership}", "Shows a membership.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = Membership.ID
    package typealias Response = Membership
}

/// Changes a membership by a merge patch. Once a contribution was called for it, it keeps its tier and the days it
/// has in the contribution's year: moving those would revoke the membership. It may be extended, or end earlier, for
/// example when a member resigns; the contribution stays owed, and the previous year then belongs to another
/// membership. If the contribution was cancelled, it keeps at least one day of the year.
package enum ChangeMembership: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/memberships/{membership}", "Changes a membership.", access: .roles(.operator),
        problems: [.notFound, .membershipOverlaps, .membershipCalled], requiresIfMatch: true)

    package typealias Path = Membership.ID

    package struct Body: Codable, Sendable {
        package var tier: Tier?
        package var from: Day?
        package var until: Day?

        package init(tier: Tier? = nil, from: Day? = nil, until: Day? = nil) {
            self.tier = tier
            self.from = from
            self.until = until
        }
    }

    package typealias Response = Membership
}

/// Deletes a membership that was entered by mistake, if no contribution was called for it. To end one, change its
/// last day.
package enum DeleteMembership: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/memberships/{membership}", "Deletes a membership for which no contribution was called.",
        success: .noContent, access: .roles(.operator), problems: [.notFound, .membershipCalled],
        requiresIfMatch: true)

    package typealias Path = Membership.ID
}

/// Renews each membership that runs to the last day of a year and has no successor: for the whole next year, in the
/// same tier. Calling it again adds nothing for members who already have one.
package enum RenewMemberships: Endpoint {
    package static let operation = Operation(
        .post, "/v1/membership-renewals", "Renews the memberships of a year for the next, in the same tier.",
        access: .roles(.operator))

    package struct Body: Codable, Sendable, BoundedFields {
        /// The year that ends, 2000 to 2998.
        package var year: Int

        package static let bounds: KeyValuePairs<String, FieldBound> = ["year": .values(2000...2998)]

        package init(year: Int) {
            self.year = year
        }
    }

    package typealias Response = MembershipRenewal
}

/// The result of a renewal.
package struct MembershipRenewal: Codable, Hashable, Sendable {
    /// The year that ends.
    package var year: Int
    /// The number of memberships created.
    package var renewed: Int
    /// Members not renewed because their last membership ended earlier in the year.
    package var endedEarlier: Int

    package init(year: Int, renewed: Int, endedEarlier: Int) {
        self.year = year
        self.renewed = renewed
        self.endedEarlier = endedEarlier
    }
}

extension ProblemType {
    package static let membershipOverlaps = ProblemType(
        "membership-overlaps", "The organization has a membership on some of these days", .conflict)
    package static let membershipCalled = ProblemType(
        "membership-called", "A contribution was called for this membership", .conflict)
}
