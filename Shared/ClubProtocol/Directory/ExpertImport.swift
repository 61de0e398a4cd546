import HTTPTypes

/// Takes experts from a table as people have it: UTF-8 or Windows-1252, comma, semicolon or tab, French or English
/// headers. A row is matched with an expert by SIRET, else by e-mail, else by name and postal code without case and
/// accents; a cell that is empty leaves what is there.
package enum ImportExperts: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/experts", "Takes experts from a CSV file.", access: .roles(.operator),
        problems: [.importRunning], consumes: .csv)

    package struct Query: Codable, Sendable {
        /// `dryRun` unless said.
        package var mode: ExpertImport.Mode?
        /// `refuseFile` unless said.
        package var rejects: ExpertImport.Rejects?

        package init(mode: ExpertImport.Mode? = nil, rejects: ExpertImport.Rejects? = nil) {
            self.mode = mode
            self.rejects = rejects
        }
    }

    package typealias Response = ExpertImport
}

/// What an import did or, in a dry run, would do.
package struct ExpertImport: Codable, Hashable, Sendable {
    package enum Mode: String, Codable, CaseIterable, Sendable {
        /// Reports and changes nothing.
        case dryRun
        case apply
    }

    /// What one bad row means for the others.
    package enum Rejects: String, Codable, CaseIterable, Sendable {
        /// Nothing of the file is taken.
        case refuseFile
        /// The good rows are taken.
        case skipRow
    }

    /// One thing that is wrong in one row.
    package struct RowError: Codable, Hashable, Sendable {
        /// Counted from 1, the header not counted; blank lines not either.
        package var row: Int
        /// The header of the column, as it stands in the file; absent when the row as a whole is wrong.
        package var column: String?
        package var detail: String

        package init(row: Int, column: String? = nil, detail: String) {
            self.row = row
            self.column = column
            self.detail = detail
        }
    }

    package var mode: Mode
    /// Whether the directory was changed; false in a dry run, and when the file was refused for its bad rows.
    package var applied: Bool
    package var rows: Int
    package var created: Int
    package var updated: Int
    /// Rows that say nothing new.
    package var skipped: Int
    /// Rows with an error.
    package var rejected: Int
    /// In the order of rows; the first thousand.
    package var errors: [RowError]
    /// Headers of the file that the import does not know and left aside.
    package var unknownColumns: [String]

    package init(
        mode: Mode, applied: Bool, rows: Int, created: Int, updated: Int, skipped: Int, rejected: Int,
        errors: [RowError], unknownColumns: [String]
    ) {
        self.mode = mode
        self.applied = applied
        self.rows = rows
        self.created = created
        self.updated = updated
        self.skipped = skipped
        self.rejected = rejected
        self.errors = errors
        self.unknownColumns = unknownColumns
    }
}

extension ProblemType {
    package static let importRunning = ProblemType("import-running", "Another import is running", .conflict)
}
