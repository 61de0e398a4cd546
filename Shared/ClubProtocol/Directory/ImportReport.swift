import HTTPTypes

/// How a file is to be taken.
package struct ImportQuery: Codable, Sendable {
    /// The identifier of the import, by which it is followed, and gone on with when the file is sent again; a new one
    /// unless said.
    package var `import`: Import.ID?
    /// `dryRun` unless said.
    package var mode: Import.Mode?
    /// `refuseFile` unless said.
    package var rejects: Import.Rejects?
    /// `update` unless said.
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

/// Takes experts from a table as people have it: UTF-8 or Windows-1252, comma, semicolon or tab, French or English
/// headers. The `id` of an export says which expert a row is about, and a row of which nobody has the identifier is rejected;
/// otherwise it is matched by SIRET, else by e-mail, else by name and postal code without case and accents. E-mail and name are not
/// enough where the SIRET is another, or the name in another town: such a row is an expert of its own. A cell that is empty
/// leaves what is there, and `-` empties what may be empty.
///
/// An answer on consent fills what was never answered, and withdraws; it makes no yes of a no, and the report names the row. A
/// newer one says when and where it was given, in the columns `consentDate` and `consentSource`.
///
/// No row is rejected for its place: a column for the country says whose code a postal code is, and what cannot be read is left out
/// and noted, but a new expert needs a postal code.
///
/// The same file sent again under the same identifier goes on where the last attempt ended, and nothing is taken twice.
package enum ImportExperts: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/experts", "Takes experts from a CSV file.", access: .roles(.operator),
        problems: [.importRunning, .anotherFile], consumes: .csv)

    package typealias Query = ImportQuery
    package typealias Response = ImportReport
}

/// Takes organizations from a table, as experts are taken: matched by `id`, by SIRET, else by e-mail, else by name and postal code.
/// A column may name the head of network by its SIRET or SIREN, which may also come later in the file.
package enum ImportOrganizations: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/organizations", "Takes organizations from a CSV file.", access: .roles(.operator),
        problems: [.importRunning, .anotherFile], consumes: .csv)

    package struct Query: Codable, Sendable {
        /// The identifier of the import, by which it is followed and gone on with; a new one unless said.
        package var `import`: Import.ID?
        /// `dryRun` unless said.
        package var mode: Import.Mode?
        /// `refuseFile` unless said.
        package var rejects: Import.Rejects?
        /// `update` unless said.
        package var existing: Import.Existing?
        /// The kind of those new ones of which the table does not say it.
        package var kind: Organization.Kind?

        package init(
            import: Import.ID? = nil, mode: Import.Mode? = nil, rejects: Import.Rejects? = nil,
            existing: Import.Existing? = nil, kind: Organization.Kind? = nil
        ) {
            self.import = `import`
            self.mode = mode
            self.rejects = rejects
            self.existing = existing
            self.kind = kind
        }
    }

    package typealias Response = ImportReport
}

/// Takes people from a table: matched by `id`, by e-mail, else by name within the organization, which its SIRET says, else its
/// name without case and accents, where only one has it. A row with the address of somebody with another given name, or with a
/// name alone of a person with another telephone, is rejected. One cell may hold a whole name. Consent and `-` are as in tables of experts.
///
/// Or from cards: vCard 4.0, 3.0, or 2.1 as old telephones write it. A card is a row: `UID` is the identifier, `ORG` the
/// organization. What is not there it does not say, and it says nothing of consent. Properties that are not kept, as addresses,
/// birthdays and pictures, are listed in `unknownColumns`.
package enum ImportPeople: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/people", "Takes people from a CSV file or from vCards.", access: .roles(.operator),
        problems: [.importRunning, .anotherFile], consumes: .csv, alsoConsumes: [.vcard])

    package typealias Query = ImportQuery
    package typealias Response = ImportReport
}

/// Takes ambassadors from a table with the columns of people, and topics, départements served and the day of their enrolment. The
/// person is matched or made as an import of people does it, and enrolled unless it is an ambassador already, or was; the
/// organization is the one for which it advises, and where a new person works. The column `id` is the ambassador's, and `person`
/// the person's.
package enum ImportAmbassadors: Endpoint {
    package static let operation = Operation(
        .post, "/v1/imports/ambassadors", "Takes ambassadors from a CSV file.", access: .roles(.operator),
        problems: [.importRunning, .anotherFile], consumes: .csv)

    package typealias Query = ImportQuery
    package typealias Response = ImportReport
}

/// What an import did or, in a dry run, would do.
package struct ImportReport: Codable, Hashable, Sendable {
    /// One thing that is wrong in one row, or was left out of it.
    package struct RowError: Codable, Hashable, Sendable {
        /// Counted from 1, the header not counted; blank lines not either.
        package var row: Int
        /// The header of the column, as it stands in the file; absent when the row as a whole is wrong.
        package var column: String?
        package var detail: String
    }

    /// By which it can be looked at later, row by row.
    package var `import`: Import.ID
    package var mode: Import.Mode
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
    /// What was left out of rows that were taken, as a yes to what the person has declined, or what is no postal code; in the order of rows, the first
    /// thousand. Absent when nothing was.
    package var notes: [RowError]?
    /// Headers of the file that the import left aside: it does not know them, or another one says the same better.
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
