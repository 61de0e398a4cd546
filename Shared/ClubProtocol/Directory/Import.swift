import HTTPTypes

/// A file that is taken, or was: how far it came.
package struct Import: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Import>

    /// What the rows are.
    package enum Records: String, Codable, CaseIterable, Sendable {
        case experts, organizations, people, ambassadors
    }

    package enum Mode: String, Codable, CaseIterable, Sendable {
        /// Reports and changes nothing.
        case dryRun
        case apply
    }

    /// What one bad row means for the others.
    package enum Rejects: String, Codable, CaseIterable, Sendable {
        /// Nothing of the file is taken.
        case refuseFile
        /// The good rows are taken, a thousand at a time: what has been taken stays when the rest does not come.
        case skipRow
    }

    /// What a row means for a record that is there already. An empty cell never means anything; one that holds `-` empties a
    /// field that may be empty, with `update`. In all of them, an answer on consent of which the file does not say when it was
    /// given never makes a yes of a no.
    package enum Existing: String, Codable, CaseIterable, Sendable {
        /// The record gets what the row says.
        case update
        /// The record gets it where it has nothing; a consent that the row withdraws is withdrawn all the same.
        case fill
        /// The record stays as it is.
        case skip
    }

    package var id: ID
    package var records: Records
    package var mode: Mode
    package var rejects: Rejects
    package var existing: Existing
    package var state: ImportState
    /// Rows that were read; the sum of the five that follow.
    package var rows: Int
    package var created: Int
    package var updated: Int
    /// Rows that say nothing new.
    package var skipped: Int
    /// Rows with an error.
    package var rejected: Int
    /// Rows that were read and wait for one that may come later in the file; none when it is completed.
    package var held: Int
    /// Headers of the file that the import left aside: it does not know them, or another one says the same better.
    package var unknownColumns: [String]
    /// Why it was interrupted or refused.
    package var reason: String?
    /// When what became of each row was forgotten, which is some months after the last of it (see the retention rules);
    /// the counts stay.
    package var rowsForgottenAt: Timestamp?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Where an import stands.
package enum ImportState: String, Codable, CaseIterable, Sendable {
    /// Its file is being sent, or was when the service ended.
    case running
    /// The file did not come to its end. Sent again under the same identifier, it goes on.
    case interrupted
    /// Nothing was taken, for the file is no table of such records or has a bad row. A mended one may come.
    case refused
    /// The whole file was read, and what it says is done; in a dry run, said.
    case completed

    /// Which state may follow which. Sending the file again takes over from an attempt that seems to be running.
    package func allows(_ next: ImportState) -> Bool {
        switch (self, next) {
        case (.running, _): true
        case (.interrupted, .running), (.refused, .running): true
        case (.interrupted, _), (.refused, _), (.completed, _): false
        }
    }
}

/// What became of one row.
package struct ImportRow: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, CaseIterable, Sendable {
        case created, updated, skipped, rejected
    }

    package struct Fault: Codable, Hashable, Sendable {
        /// The header of the column, as it stands in the file; absent when the row as a whole is wrong.
        package var column: String?
        package var detail: String

        package init(column: String?, detail: String) {
            self.column = column
            self.detail = detail
        }
    }

    /// Counted from 1, the header not counted; blank lines not either.
    package var row: Int
    package var outcome: Outcome
    /// The record that was made or matched; absent for a rejected row, and for a new one of which nothing came.
    package var record: Identifier<ImportRow>?
    package var errors: [Fault]
    /// What was left out of a row that was taken, as a yes to what the person has declined, or what is no postal code; absent when nothing was.
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

/// Lists imports, the latest first.
package enum ListImports: Endpoint {
    package static let operation = Operation(
        .get, "/v1/imports", "Lists imports, the latest first.", access: .roles(.operator))

    package struct Query: Codable, Sendable, PagedQuery {
        package var records: Import.Records?
        package var state: ImportState?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            records: Import.Records? = nil, state: ImportState? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.records = records
            self.state = state
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Import>
}

/// Shows how far an import came, also while it is running.
package enum GetImport: Endpoint {
    package static let operation = Operation(
        .get, "/v1/imports/{import}", "Shows how far an import came.", access: .roles(.operator),
        problems: [.notFound])

    package typealias Path = ImportPath
    package typealias Response = Import
}

/// Lists what became of each row of an import, in the order of the file; nothing once that is forgotten.
package enum ListImportRows: Endpoint {
    package static let operation = Operation(
        .get, "/v1/imports/{import}/rows", "Lists what became of each row of a file.", access: .roles(.operator),
        problems: [.notFound])

    package typealias Path = ImportPath

    package struct Query: Codable, Sendable, PagedQuery {
        package var outcome: ImportRow.Outcome?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(outcome: ImportRow.Outcome? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.outcome = outcome
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<ImportRow>
}

/// `/v1/imports/{import}`
package struct ImportPath: Codable, Sendable {
    package var `import`: Import.ID

    package init(import: Import.ID) {
        self.import = `import`
    }
}

extension ProblemType {
    package static let importRunning = ProblemType("import-running", "Another import is running", .conflict)
    package static let anotherFile = ProblemType("another-file", "This is not the file of the import", .conflict)
}
