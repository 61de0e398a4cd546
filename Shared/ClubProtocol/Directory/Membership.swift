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

/// Lists memberships, the latest first.
package enum ListMemberships: Endpoint {
    package static let operation = Operation(
        .get, "/v1/memberships", "Lists memberships, latest first.",
        access: .roles(.operator, .editor, .auditor, .service, .representative))

    package struct Query: Codable, Sendable, PagedQuery {
        package var organization: Organization.ID?
        package var tier: Tier?
        /// Memberships that hold on this day.
        package var asOf: Day?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            organization: Organization.ID? = nil, tier: Tier? = nil, asOf: Day? = nil, limit: PageLimit? = nil,
            cursor: Cursor? = nil
        ) {
            self.organization = organization
            self.tier = tier
            self.asOf = asOf
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Membership>
}

/// Shows one membership.
package enum GetMembership: Endpoint {
    package static let operation = Operation(
        .get, "/v1/memberships/{membership}", "Shows a membership.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = MembershipPath
    package typealias Response = Membership
}

/// Changes a membership by a merge patch.
package enum ChangeMembership: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/memberships/{membership}", "Changes a membership.", access: .roles(.operator),
        problems: [.notFound, .membershipOverlaps], requiresIfMatch: true)

    package typealias Path = MembershipPath

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

/// `/v1/memberships/{membership}`
package struct MembershipPath: Codable, Sendable {
    package var membership: Membership.ID

    package init(membership: Membership.ID) {
        self.membership = membership
    }
}

extension ProblemType {
    package static let membershipOverlaps = ProblemType(
        "membership-overlaps", "The organization has a membership on some of these days", .conflict)
}
