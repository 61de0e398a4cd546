import HTTPTypes

/// An organization's standing with the club on a day. It is computed from memberships, contributions and payments,
/// and never stored.
package struct Standing: Codable, Hashable, Sendable {
    package enum Status: String, Codable, CaseIterable, Sendable {
        /// A member with nothing overdue.
        case active
        /// A member with an overdue contribution.
        case late
        /// A former member, no longer one on this day.
        case lapsed
    }

    package var status: Status
    /// The membership in force on this day, its tier, and its entitlements.
    package var membership: Membership.ID?
    package var tier: Tier?
    package var entitlements: Entitlements?
    /// What had been called but not paid on this day.
    package var owed: Money
}

/// The entitlements of a tier.
package struct Entitlements: Codable, Hashable, Sendable {
    /// Seats at each monthly meeting.
    package var monthlySeats: Int
    /// Workshop seats per year.
    package var workshopSeats: Int
    /// Flash info insertions per year.
    package var insertions: Int

    package init(monthlySeats: Int, workshopSeats: Int, insertions: Int) {
        self.monthlySeats = monthlySeats
        self.workshopSeats = workshopSeats
        self.insertions = insertions
    }
}

/// Shows an organization's standing with the club.
package enum GetStanding: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations/{organization}/standing", "Shows an organization's standing with the club on a day.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = Organization.ID

    package struct Query: Codable, Sendable {
        /// Today by default.
        package var asOf: Day?

        package init(asOf: Day? = nil) {
            self.asOf = asOf
        }
    }

    package typealias Response = Standing
}

/// A present or former member, and its standing on a day.
package struct MemberStanding: Codable, Hashable, Sendable {
    package var organization: Organization.ID
    package var name: Line
    package var kind: Organization.Kind
    package var status: Standing.Status
    /// The membership in force on this day, and its tier.
    package var membership: Membership.ID?
    package var tier: Tier?
    /// What had been called but not paid on this day.
    package var owed: Money
    /// The first day of its first membership.
    package var since: Day
}

/// Lists present and former members by name, with their standing on a day.
package enum ListMembers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/members", "Lists members by name, with their standing on a day.",
        access: .roles(.operator, .editor, .auditor, .service, .representative))

    package struct Filter: OptionalParameters {
        /// Today by default.
        package var asOf: Day?
        package var status: Standing.Status?
        package var kind: Organization.Kind?
        /// Members with this tier on the day.
        package var tier: Tier?

        package init() {}

        package init(
            asOf: Day? = nil, status: Standing.Status? = nil, kind: Organization.Kind? = nil, tier: Tier? = nil
        ) {
            self.asOf = asOf
            self.status = status
            self.kind = kind
            self.tier = tier
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<MemberStanding>
}
