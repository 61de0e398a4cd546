import HTTPTypes

/// Imports an address list of another tool into the suppression list: UTF-8, UTF-16 or Windows-1252; comma, semicolon or
/// tab; French or English headers, or a plain list of addresses without any.
///
/// A row's reason is recognized by the words of common tools: `unsubscribed`, `désinscrit`, `optout`; `bounced`, `hard`,
/// `cleaned`, `blacklisted`; `complaint`, `spam`, `abuse`, `plainte`; `blocked`, `manual`, `exclu`. A row with another
/// word is rejected. A date says since when; one without a time counts until its end, and a row without a date is of now.
///
/// No row weakens what a reader said: see ``CreateSuppression``. A consent that is newer than the date of a departure
/// lifts it, as it lifts any other. Rejected rows do not hold up the others, and importing a file again changes nothing.
package enum ImportSuppressions: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/suppressions", "Imports the addresses that another tool must not mail.",
        access: .roles(.operator), consumes: .csv)

    package struct Query: OptionalParameters {
        /// `dryRun` by default.
        package var mode: Import.Mode?
        /// Of the rows that have none; `unsubscribed` by default.
        package var reason: Suppression.Reason?

        package init() {}

        package init(mode: Import.Mode? = nil, reason: Suppression.Reason? = nil) {
            self.mode = mode
            self.reason = reason
        }
    }

    package typealias Response = SuppressionImportReport
}

/// What an import of suppressions did or, for a dry run, would do.
package struct SuppressionImportReport: Codable, Hashable, Sendable {
    package var mode: Import.Mode
    /// The number of rows read; the sum of the next four.
    package var rows: Int
    package var created: Int
    /// Suppressions that have a stronger reason or a later departure now.
    package var updated: Int
    /// Rows that say nothing new.
    package var skipped: Int
    /// Rows with an error.
    package var rejected: Int
    /// In row order; the first thousand.
    package var errors: [ImportReport.RowError]
    /// Headers that were ignored.
    package var unknownColumns: [String]

    package init(
        mode: Import.Mode, rows: Int, created: Int = 0, updated: Int = 0, skipped: Int = 0, rejected: Int = 0,
        errors: [ImportReport.RowError] = [], unknownColumns: [String] = []
    ) {
        self.mode = mode
        self.rows = rows
        self.created = created
        self.updated = updated
        self.skipped = skipped
        self.rejected = rejected
        self.errors = errors
        self.unknownColumns = unknownColumns
    }
}
