import HTTPTypes

/// The import of a file, and its progress.
package struct Import: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Import>

    /// The kind of records in the rows.
    package enum Records: String, Codable, CaseIterable, Sendable {
        case experts, organizations, people, ambassadors
    }

    package enum Mode: String, Codable, CaseIterable, Sendable {
        /// Reports, but changes nothing.
        case dryRun
        case apply
    }

    /// How an invalid row affects the others.
    package enum Rejects: String, Codable, CaseIterable, Sendable {
        /// The whole file is refused.
        case refuseFile
        /// Valid rows are imported, a thousand at a time; imported rows are kept if the rest does not arrive.
        case skipRow
    }

    /// How a row affects an existing record. An empty cell never changes anything; with `update`, a cell with `-`
    /// clears an optional field. In no mode does a consent answer without a date turn a no into a yes.
    package enum Existing: String, Codable, CaseIterable, Sendable {
        /// The record takes the values of the row.
        case update
        /// Only empty fields of the record are set; a consent that the row withdraws is withdrawn all the same.
        case fill
        /// The record is left unchanged.
        case skip
    }

    package var id: ID
    package var records: Records
    package var mode: Mode
    package var rejects: Rejects
    package var existing: Existing
    package var state: ImportState
    /// The number of rows read; the sum of the next five.
    package var rows: Int
    package var created: Int
    package var updated: Int
    /// Rows without new information.
    package var skipped: Int
    /// Rows with an error.
    package var rejected: Int
    /// Rows that wait for another one that may come later in the file; none once completed.
    package var held: Int
    /// Headers that were ignored: unknown, or covered better by another column.
    package var unknownColumns: [String]
    /// Why the import was interrupted or refused.
    package var reason: String?
    /// When the results of its rows were deleted, some months after the import's last activity (see the retention
    /// rules). The counts are kept.
    package var rowsForgottenAt: Timestamp?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// The state of an import.
package enum ImportState: String, Codable, CaseIterable, Sendable {
    /// The file is being uploaded, or was when the service stopped.
    case running
    /// The file did not arrive completely. Uploading it again with the same identifier resumes the import.
    case interrupted
    /// Nothing was imported, because the file is not a table of such records or has an invalid row. A corrected file
    /// may be uploaded.
    case refused
    /// The whole file was read and applied, or in a dry run reported.
    case completed

    /// Which transitions are allowed. Uploading the file again takes over from an attempt that seems to be running.
    package func allows(_ next: ImportState) -> Bool {
        switch (self, next) {
        case (.running, _): true
        case (.interrupted, .running), (.refused, .running): true
        case (.interrupted, _), (.refused, _), (.completed, _): false
        }
    }
}

/// The result of one row.
package struct ImportRow: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, CaseIterable, Sendable {
        case created, updated, skipped, rejected
    }

    package struct Fault: Codable, Hashable, Sendable {
        /// The header of the column, as in the file; absent if the row as a whole is invalid.
        package var column: String?
        package var detail: String

        package init(column: String?, detail: String) {
            self.column = column
            self.detail = detail
        }
    }

    /// Counted from 1, without the header and blank lines.
    package var row: Int
    package var outcome: Outcome
    /// The record that was created or matched; absent for a rejected row, and for a new row that was not imported.
    package var record: Identifier<ImportRow>?
    package var errors: [Fault]
    /// What was ignored in an imported row, such as consent that the person has declined, or an invalid postal code;
    /// absent if nothing was.
    package var notes: [Fault]?

    package init(
        row: Int, outcome: Outcome, record: Identifier<ImportRow>?, errors: [Fault], notes: [Fault]? = nil
    ) {
        self.row = row
        self.outcome = outcome
        self.record = record
        self.errors = errors
        self.notes = notes
    }
}

/// Lists imports, latest first.
package enum ListImports: Endpoint {
    package static let operation = Operation(
        .get, "/v1/imports", "Lists imports, the latest first.", access: .roles(.operator))

    package struct Filter: OptionalParameters {
        package var records: Import.Records?
        package var state: ImportState?

        package init() {}

        package init(records: Import.Records? = nil, state: ImportState? = nil) {
            self.records = records
            self.state = state
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Import>
}

/// Shows the progress of an import, also while it is running.
package enum GetImport: Endpoint {
    package static let operation = Operation(
        .get, "/v1/imports/{import}", "Shows how far an import came.", access: .roles(.operator),
        problems: [.notFound])

    package typealias Path = Import.ID
    package typealias Response = Import
}

/// Lists the result of each row of an import, in the order of the file; empty once the results are deleted.
package enum ListImportRows: Endpoint {
    package static let operation = Operation(
        .get, "/v1/imports/{import}/rows", "Lists what became of each row of a file.", access: .roles(.operator),
        problems: [.notFound])

    package typealias Path = Import.ID

    package struct Filter: OptionalParameters {
        package var outcome: ImportRow.Outcome?

        package init() {}

        package init(outcome: ImportRow.Outcome? = nil) {
            self.outcome = outcome
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<ImportRow>
}

extension ProblemType {
    package static let importRunning = ProblemType("import-running", "Another import is running", .conflict)
    package static let anotherFile = ProblemType("another-file", "This is not the file of the import", .conflict)
}
