import HTTPTypes

/// How an organization stands with the club on a day. It follows from memberships, contributions and payments, and is
/// written nowhere.
package struct Standing: Codable, Hashable, Sendable {
    package enum Status: String, Codable, CaseIterable, Sendable {
        /// A member who owes nothing that is overdue.
        case active
        /// A member with a contribution overdue.
        case late
        /// Was a member, and is none on this day.
        case lapsed
    }

    package var status: Status
    /// The membership that holds on this day, its tier, and what that entitles to.
    package var membership: Membership.ID?
    package var tier: Tier?
    package var entitlements: Entitlements?
    /// What had been called and not been paid on this day.
    package var owed: Money
}

/// What a tier entitles to.
package struct Entitlements: Codable, Hashable, Sendable {
    /// Seats at each monthly meeting.
    package var monthlySeats: Int
    /// Workshop seats in a year.
    package var workshopSeats: Int
    /// Flash info insertions in a year.
    package var insertions: Int

    package init(monthlySeats: Int, workshopSeats: Int, insertions: Int) {
        self.monthlySeats = monthlySeats
        self.workshopSeats = workshopSeats
        self.insertions = insertions
    }
}

/// Says how an organization stands with the club.
package enum GetStanding: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations/{organization}/standing", "Says how an organization stands with the club on a day.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = OrganizationPath

    package struct Query: Codable, Sendable {
        /// Without it, today.
        package var asOf: Day?

        package init(asOf: Day? = nil) {
            self.asOf = asOf
        }
    }

    package typealias Response = Standing
}

/// An organization that is or was a member, and how it stands on a day.
package struct MemberStanding: Codable, Hashable, Sendable {
    package var organization: Organization.ID
    package var name: Line
    package var kind: Organization.Kind
    package var status: Standing.Status
    /// The membership that holds on this day, and its tier.
    package var membership: Membership.ID?
    package var tier: Tier?
    /// What had been called and not been paid on this day.
    package var owed: Money
    /// The first day of its first membership.
    package var since: Day
}

/// Lists those who are or were members, by name, with how they stand on a day.
package enum ListMembers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/members", "Lists members by name, with how they stand with the club on a day.",
        access: .roles(.operator, .editor, .auditor, .service, .representative))

    package struct Query: Codable, Sendable, PagedQuery {
        /// Without it, today.
        package var asOf: Day?
        package var status: Standing.Status?
        package var kind: Organization.Kind?
        /// The tier that is held on this day.
        package var tier: Tier?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            asOf: Day? = nil, status: Standing.Status? = nil, kind: Organization.Kind? = nil, tier: Tier? = nil,
            limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.asOf = asOf
            self.status = status
            self.kind = kind
            self.tier = tier
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<MemberStanding>
}
