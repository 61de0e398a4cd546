import HTTPTypes

// The records of treasurer and secretary as tables, with the filters and visibility rules of the lists. Days are
// written `2027-03-14`. Amounts are euros with two decimals, after a dot, or with `excel` after a comma as French
// spreadsheets expect.

/// Exports present and former members as a table, with their credit for callers who may see it.
package enum ExportMembers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/members.csv", "Writes the members as a table, with how they stand on a day.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        /// Today by default.
        package var asOf: Day?
        package var status: Standing.Status?
        package var kind: Organization.Kind?
        /// Members with this tier on the day.
        package var tier: Tier?
        /// Semicolons, decimal commas and a byte order mark, so that French Excel opens the file correctly on
        /// double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The same filters as a query of the list.
        package var filter: ListMembers.Query { .init(asOf: asOf, status: status, kind: kind, tier: tier) }
    }

    package typealias Response = TextDocument
}

/// Exports memberships as a table.
package enum ExportMemberships: Endpoint {
    package static let operation = Operation(
        .get, "/v1/memberships.csv", "Writes the memberships as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var tier: Tier?
        /// Memberships in force on this day.
        package var asOf: Day?
        /// Semicolons and a byte order mark, so that French Excel opens the file correctly on double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The same filters as a query of the list.
        package var filter: ListMemberships.Query { .init(organization: organization, tier: tier, asOf: asOf) }
    }

    package typealias Response = TextDocument
}

/// Exports contributions as a table.
package enum ExportContributions: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions.csv", "Writes the contributions as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var year: Int?
        package var state: Contribution.State?
        /// Semicolons, decimal commas and a byte order mark, so that French Excel opens the file correctly on
        /// double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The same filters as a query of the list.
        package var filter: ListContributions.Query { .init(organization: organization, year: year, state: state) }
    }

    package typealias Response = TextDocument
}

/// Exports the payments of all contributions as a table, latest first: the treasurer's journal.
package enum ExportPayments: Endpoint {
    package static let operation = Operation(
        .get, "/v1/payments.csv", "Writes the payments of all contributions as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        package var contribution: Contribution.ID?
        package var organization: Organization.ID?
        /// The year of the contribution.
        package var year: Int?
        package var means: Payment.Means?
        /// Paid on or after this day.
        package var paidFrom: Day?
        /// Paid on or before this day.
        package var paidUntil: Day?
        /// Semicolons, decimal commas and a byte order mark, so that French Excel opens the file correctly on
        /// double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }
    }

    package typealias Response = TextDocument
}

/// Exports what was added to the credit of organizations, and what was used or refunded, as a table, latest first.
package enum ExportCreditEntries: Endpoint {
    package static let operation = Operation(
        .get, "/v1/credit-entries.csv", "Writes the credit entries of all organizations as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var kind: CreditEntry.Kind?
        /// On or after this day.
        package var from: Day?
        /// On or before this day.
        package var until: Day?
        /// Semicolons, decimal commas and a byte order mark, so that French Excel opens the file correctly on
        /// double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }
    }

    package typealias Response = TextDocument
}

/// Exports receipts as a table.
package enum ExportReceipts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts.csv", "Writes the receipts as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        /// The year of issue.
        package var year: Int?
        package var organization: Organization.ID?
        /// Semicolons, decimal commas and a byte order mark, so that French Excel opens the file correctly on
        /// double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The same filters as a query of the list.
        package var filter: ListReceipts.Query { .init(year: year, organization: organization) }
    }

    package typealias Response = TextDocument
}
