import HTTPTypes

// What the treasurer and the secretary keep, as tables: the filters of the lists, and their rules of who sees what. Days are
// `2027-03-14`. Amounts are euros with two decimals: after a dot, or with `excel` after a comma, as a French spreadsheet reads a
// number.

/// Writes those who are or were members as a table; with what they have to their credit, for those who see it.
package enum ExportMembers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/members.csv", "Writes the members as a table, with how they stand on a day.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        /// Without it, today.
        package var asOf: Day?
        package var status: Standing.Status?
        package var kind: Organization.Kind?
        /// The tier that is held on this day.
        package var tier: Tier?
        /// Semicolons, decimal commas and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The filters, as the list has them.
        package var filter: ListMembers.Query { .init(asOf: asOf, status: status, kind: kind, tier: tier) }
    }

    package typealias Response = TextDocument
}

/// Writes memberships as a table.
package enum ExportMemberships: Endpoint {
    package static let operation = Operation(
        .get, "/v1/memberships.csv", "Writes the memberships as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var tier: Tier?
        /// Memberships that hold on this day.
        package var asOf: Day?
        /// Semicolons and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The filters, as the list has them.
        package var filter: ListMemberships.Query { .init(organization: organization, tier: tier, asOf: asOf) }
    }

    package typealias Response = TextDocument
}

/// Writes contributions as a table.
package enum ExportContributions: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions.csv", "Writes the contributions as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var year: Int?
        package var state: Contribution.State?
        /// Semicolons, decimal commas and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The filters, as the list has them.
        package var filter: ListContributions.Query { .init(organization: organization, year: year, state: state) }
    }

    package typealias Response = TextDocument
}

/// Writes the payments of all contributions as a table, the latest first: the journal of a treasurer.
package enum ExportPayments: Endpoint {
    package static let operation = Operation(
        .get, "/v1/payments.csv", "Writes the payments of all contributions as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        package var contribution: Contribution.ID?
        package var organization: Organization.ID?
        /// Of the contribution.
        package var year: Int?
        package var means: Payment.Means?
        /// Paid on this day or later.
        package var paidFrom: Day?
        /// Paid on this day or before.
        package var paidUntil: Day?
        /// Semicolons, decimal commas and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }
    }

    package typealias Response = TextDocument
}

/// Writes what came onto the credit of organizations, and what was used or paid back, as a table, the latest first.
package enum ExportCreditEntries: Endpoint {
    package static let operation = Operation(
        .get, "/v1/credit-entries.csv", "Writes the credit entries of all organizations as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var kind: CreditEntry.Kind?
        /// On this day or later.
        package var from: Day?
        /// On this day or before.
        package var until: Day?
        /// Semicolons, decimal commas and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }
    }

    package typealias Response = TextDocument
}

/// Writes receipts as a table.
package enum ExportReceipts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts.csv", "Writes the receipts as a table.",
        access: .roles(.operator, .auditor, .service, .representative), produces: .csv)

    package struct Query: Codable, Sendable {
        /// In which they were issued.
        package var year: Int?
        package var organization: Organization.ID?
        /// Semicolons, decimal commas and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The filters, as the list has them.
        package var filter: ListReceipts.Query { .init(year: year, organization: organization) }
    }

    package typealias Response = TextDocument
}
