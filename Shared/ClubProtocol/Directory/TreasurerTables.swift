import HTTPTypes

// The records of treasurer and secretary as tables, with the filters and visibility rules of the lists. Days are
// written `2027-03-14`. Amounts are euros with two decimals, after a dot, or with `excel` after a comma as French
// spreadsheets expect.

/// Exports present and former members as a table, with their credit for callers who may see it.
package enum ExportMembers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/members.csv", "Exports the members as a table, with their standing on a day.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), produces: .csv)

    package typealias Query = Table<ListMembers.Filter>
    package typealias Response = TextDocument
}

/// Exports memberships as a table.
package enum ExportMemberships: Endpoint {
    package static let operation = Operation(
        .get, "/v1/memberships.csv", "Exports the memberships as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), produces: .csv)

    package typealias Query = Table<ListMemberships.Filter>
    package typealias Response = TextDocument
}

/// Exports contributions as a table.
package enum ExportContributions: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions.csv", "Exports the contributions as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package typealias Query = Table<ListContributions.Filter>
    package typealias Response = TextDocument
}

/// Exports the payments of all contributions as a table, latest first: the treasurer's journal.
package enum ExportPayments: Endpoint {
    package static let operation = Operation(
        .get, "/v1/payments.csv", "Exports the payments of all contributions as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Filter: OptionalParameters {
        package var contribution: Contribution.ID?
        package var organization: Organization.ID?
        /// The year of the contribution.
        package var year: Int?
        package var means: Payment.Means?
        /// Paid on or after this day.
        package var paidFrom: Day?
        /// Paid on or before this day.
        package var paidUntil: Day?

        package init() {}

        package init(
            contribution: Contribution.ID? = nil, organization: Organization.ID? = nil, year: Int? = nil,
            means: Payment.Means? = nil, paidFrom: Day? = nil, paidUntil: Day? = nil
        ) {
            self.contribution = contribution
            self.organization = organization
            self.year = year
            self.means = means
            self.paidFrom = paidFrom
            self.paidUntil = paidUntil
        }
    }

    package typealias Query = Table<Filter>
    package typealias Response = TextDocument
}

/// Exports what was added to the credit of organizations, and what was used or refunded, as a table, latest first.
package enum ExportCreditEntries: Endpoint {
    package static let operation = Operation(
        .get, "/v1/credit-entries.csv", "Exports the credit entries of all organizations as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Filter: OptionalParameters {
        package var organization: Organization.ID?
        package var kind: CreditEntry.Kind?
        /// On or after this day.
        package var from: Day?
        /// On or before this day.
        package var until: Day?

        package init() {}

        package init(
            organization: Organization.ID? = nil, kind: CreditEntry.Kind? = nil, from: Day? = nil, until: Day? = nil
        ) {
            self.organization = organization
            self.kind = kind
            self.from = from
            self.until = until
        }
    }

    package typealias Query = Table<Filter>
    package typealias Response = TextDocument
}

/// Exports receipts as a table.
package enum ExportReceipts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts.csv", "Exports the receipts as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package typealias Query = Table<ListReceipts.Filter>
    package typealias Response = TextDocument
}
