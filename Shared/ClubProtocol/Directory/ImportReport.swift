import HTTPTypes

/// The options of an import.
package struct ImportQuery: Codable, Sendable {
    /// The identifier of the import, to follow it and to resume it by uploading the file again; a new one by default.
    package var `import`: Import.ID?
    /// `dryRun` by default.
    package var mode: Import.Mode?
    /// `refuseFile` by default.
    package var rejects: Import.Rejects?
    /// `update` by default.
    package var existing: Import.Existing?

    package init(
        import: Import.ID? = nil, mode: Import.Mode? = nil, rejects: Import.Rejects? = nil,
        existing: Import.Existing? = nil
    ) {
        self.import = `import`
        self.mode = mode
        self.rejects = rejects
        self.existing = existing
    }
}

/// Imports experts from a table: UTF-8 or Windows-1252; comma, semicolon or tab; French or English headers. A row
/// with the `id` of an export is about that expert, and is rejected if the identifier is unknown. Other rows are
/// matched by SIRET, else by e-mail, else by name and postal code, ignoring case and accents. E-mail and name do not
/// match if the SIRET differs, or the name is in another town: such a row is a separate expert. An empty cell leaves
/// a field unchanged; `-` clears an optional field.
///
/// A consent answer fills in one that was never given, or withdraws consent; it does not turn a no into a yes, and
/// the report names the row. To do so, a newer answer must state when and where it was given, in the columns
/// `consentDate` and `consentSource`.
///
/// No row is rejected for its location. A country column says which country's postal code it is; what cannot be
/// parsed is ignored and noted, but a new expert needs a postal code.
///
/// Uploading the same file again with the same identifier resumes where the last attempt ended; nothing is imported
/// twice.
package enum ImportExperts: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/experts", "Imports experts from a CSV file.", access: .roles(.operator),
        problems: [.importRunning, .anotherFile], consumes: .csv)

    package typealias Query = ImportQuery
    package typealias Response = ImportReport
}

/// Imports organizations from a table in the same way as experts: matched by `id`, by SIRET, else by e-mail, else by
/// name and postal code. A column may name the head of network by its SIRET or SIREN, which may also come later in
/// the file.
package enum ImportOrganizations: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/organizations", "Imports organizations from a CSV file.", access: .roles(.operator),
        problems: [.importRunning, .anotherFile], consumes: .csv)

    package struct Options: Codable, Sendable {
        /// The kind of new organizations if the table does not state it.
        package var kind: Organization.Kind?

        package init(kind: Organization.Kind? = nil) {
            self.kind = kind
        }
    }

    package typealias Query = Combined<ImportQuery, Options>
    package typealias Response = ImportReport
}

/// Imports people from a table: matched by `id`, by e-mail, else by name within the organization. The organization is
/// given by its SIRET or, if only one has it, by its name, ignoring case and accents. A row is rejected if its e-mail
/// belongs to someone with another given name, or if it matches a person by name only and has another telephone. One
/// cell may hold a full name. Consent and `-` work as in tables of experts.
///
/// Or from cards: vCard 4.0, 3.0, or 2.1 as written by old phones. A card is a row: `UID` is the identifier, `ORG`
/// the organization. Missing properties change nothing, and cards carry no consent. Properties that are not stored,
/// such as addresses, birthdays and pictures, are listed in `unknownColumns`.
package enum ImportPeople: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/people", "Imports people from a CSV file or from vCards.", access: .roles(.operator),
        problems: [.importRunning, .anotherFile], consumes: .csv, alsoConsumes: [.vcard])

    package typealias Query = ImportQuery
    package typealias Response = ImportReport
}

/// Imports ambassadors from a table with the columns of people plus topics, départements served and the day of
/// enrolment. The person is matched or created as in an import of people, and enrolled unless already or formerly an
/// ambassador. The organization is the one they advise and, for a new person, where they work. The column `id` is the
/// ambassador's, and `person` the person's.
package enum ImportAmbassadors: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/ambassadors", "Imports ambassadors from a CSV file.", access: .roles(.operator),
        problems: [.importRunning, .anotherFile], consumes: .csv)

    package typealias Query = ImportQuery
    package typealias Response = ImportReport
}

/// What an import did or, for a dry run, would do.
package struct ImportReport: Codable, Hashable, Sendable {
    /// One thing that is wrong in a row, or was ignored.
    package struct RowError: Codable, Hashable, Sendable {
        /// Counted from 1, without the header and blank lines.
        package var row: Int
        /// The header of the column, as in the file; absent if the row as a whole is invalid.
        package var column: String?
        package var detail: String

        package init(row: Int, column: String?, detail: String) {
            self.row = row
            self.column = column
            self.detail = detail
        }
    }

    /// The identifier by which it can be looked up later, row by row.
    package var `import`: Import.ID
    package var mode: Import.Mode
    /// Whether the directory was changed; false for a dry run, and if the file was refused for its invalid rows.
    package var applied: Bool
    package var rows: Int
    package var created: Int
    package var updated: Int
    /// Rows without new information.
    package var skipped: Int
    /// Rows with an error.
    package var rejected: Int
    /// In row order; the first thousand.
    package var errors: [RowError]
    /// What was ignored in imported rows, such as consent that the person has declined, or an invalid postal code; in
    /// row order, the first thousand. Absent if nothing was.
    package var notes: [RowError]?
    /// Headers that were ignored: unknown, or covered better by another column.
    package var unknownColumns: [String]

    package init(of import: Import, errors: [RowError], notes: [RowError] = []) {
        self.import = `import`.id
        mode = `import`.mode
        applied = `import`.mode == .apply && `import`.state == .completed
        rows = `import`.rows
        created = `import`.created
        updated = `import`.updated
        skipped = `import`.skipped
        rejected = `import`.rejected
        self.errors = errors
        self.notes = notes.isEmpty ? nil : notes
        unknownColumns = `import`.unknownColumns
    }
}
