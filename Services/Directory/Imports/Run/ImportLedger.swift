import ClubProtocol
import FoundationEssentials
import HTTPTypes
import Postgres
import ServiceKit

/// The state of imports: how far each came, and what became of its rows.
enum ImportLedger {
    /// What a caller asked for.
    struct Order: Sendable {
        /// Nil: a new import, or that of an earlier request with the same key.
        var id: Import.ID?
        /// The request's `Idempotency-Key`, and its sender.
        var key: String?
        var actor: String
        var records: Import.Records
        var mode: Import.Mode
        var rejects: Import.Rejects
        var existing: Import.Existing

        /// Whether the file is one transaction, instead of one per chunk.
        var isWhole: Bool { mode == .dryRun || rejects == .refuseFile }

        /// The error for a file that is not the import's.
        var anotherFile: Problem {
            id == nil
                ? Problem(.keyReused, "That request was for another file.")
                : Problem(.anotherFile, "Its rows are not those that were imported under this identifier.")
        }

        /// Whether the import is finished: the same file gets the same report. A corrected file may be sent with the
        /// identifier of a refused import, but not with the key of its request.
        fileprivate func isAnswered(in state: ImportState, rows: Int) -> Bool {
            state == .completed || id == nil && state == .refused && rows > 0
        }
    }

    /// The right to send the file of an import, until it is sent again.
    struct Claim: Sendable {
        var id: Import.ID
        var attempt: Int
        /// How many rows earlier attempts have taken.
        var rows: Int
        /// Of those rows.
        var digest: Int
        /// Whether there is nothing left to do: those are all rows of the file.
        var isAnswered: Bool
    }

    /// How far an import has come with a chunk.
    struct Advance: Sendable {
        var rows: Int
        var digest: Int
        var unknownColumns: [String]
    }

    static let columns: SQL = """
        id, records, mode, rejects, existing, state, rows, created, updated, skipped, rejected, held,
        unknown_columns as "unknownColumns", reason, rows_forgotten_at as "rowsForgottenAt", version, created_at as "createdAt", updated_at as "updatedAt"
        """

    /// The import of a request: the one it names, or the one of the last 24 hours with its key.
    private static func identifier(
        of order: Order, on executor: any PostgresExecutor
    ) async throws -> Import.ID? {
        guard order.id == nil, let key = order.key else { return order.id }
        return try await executor.first(
            """
            select id from import
            where requested_by = \(order.actor) and request_key = \(key) and records = \(order.records.rawValue)
                and created_at > now() - interval '24 hours'
            order by created_at desc limit 1
            """)?["id"]
    }

    /// The import of a request, if its report is already available.
    static func answered(_ order: Order, on executor: any PostgresExecutor) async throws -> Claim? {
        guard let id = try await identifier(of: order, on: executor) else { return nil }
        let row = try await executor.first(
            """
            select state, attempt, rows, digest from import
            where id = \(id) and records = \(order.records.rawValue) and mode = \(order.mode.rawValue)
                and rejects = \(order.rejects.rawValue) and existing = \(order.existing.rawValue)
            """)
        guard let row, let state = ImportState(rawValue: try row["state"]),
            order.isAnswered(in: state, rows: try row["rows"])
        else { return nil }
        return Claim(
            id: id, attempt: try row["attempt"], rows: try row["rows"], digest: try row["digest"], isAnswered: true)
    }

    /// Begins an import, or takes over from the last attempt.
    ///
    /// - Throws: 409 if the identifier is that of another import, and while a request with the same key is beginning
    ///   one; 422 if the key is another import's.
    static func claim(_ order: Order, in transaction: PostgresTransaction) async throws -> Claim {
        if let key = order.key {
            // Two requests with one key run one after the other, so that the second finds what the first began. It
            // fails instead of waiting: the first may be a request whose commit is not confirmed.
            let lock = "directory.import.key.\(order.actor).\(key)"
            let row = try await transaction.first(
                "select pg_try_advisory_xact_lock(hashtextextended(\(lock), 0)) as mine")
            guard try row?["mine", as: Bool.self] == true else {
                throw Problem(.stillRunning, headers: [.retryAfter: "1"])
            }
        }
        let id = try await identifier(of: order, on: transaction) ?? Import.ID()
        let key = order.id == nil ? order.key : nil
        let made = try await transaction.execute(
            """
            insert into import (id, records, mode, rejects, existing, state, request_key, requested_by)
            values (
                \(id), \(order.records.rawValue), \(order.mode.rawValue), \(order.rejects.rawValue),
                \(order.existing.rawValue), 'running', \(key), \(key == nil ? nil : order.actor))
            on conflict (id) do nothing
            """)
        let row = try await transaction.first(
            """
            select state, attempt, rows, digest, held > 0 and rows_forgotten_at is not null as torn,
                (records, mode, rejects, existing) = (
                    \(order.records.rawValue), \(order.mode.rawValue), \(order.rejects.rawValue),
                    \(order.existing.rawValue)) as same
            from import where id = \(id) for update
            """)
        guard let row else { throw Problem(.conflict) }
        guard try row["same", as: Bool.self] else {
            guard order.id != nil else { throw Problem(.keyReused, "That request was for an import in another mode.") }
            throw Problem(.anotherFile, "An import of other records, or in another mode, has this identifier.")
        }
        var claim = Claim(
            id: id, attempt: try row["attempt"], rows: try row["rows"], digest: try row["digest"],
            isAnswered: false)
        guard made == 0 else { return claim }
        guard let state = ImportState(rawValue: try row["state"]), state.allows(.running),
            !order.isAnswered(in: state, rows: claim.rows)
        else {
            claim.isAnswered = true
            return claim
        }
        claim.attempt += 1
        // What an earlier attempt wrote of a whole file was rolled back; and held rows may have been forgotten.
        if try order.isWhole || row["torn"] {
            (claim.rows, claim.digest) = (0, 0)
            try await startAnew(id, in: transaction)
        }
        try await transaction.execute(
            """
            update import set state = 'running', attempt = attempt + 1, reason = null, rows_forgotten_at = null,
                version = version + 1, updated_at = now()
            where id = \(id)
            """)
        return claim
    }

    /// Resets it as if nothing of its file had been read.
    static func startAnew(_ id: Import.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute("delete from import_row where import = \(id)")
        try await transaction.execute(
            """
            update import set rows = 0, created = 0, updated = 0, skipped = 0, rejected = 0, held = 0, digest = 0
            where id = \(id)
            """)
    }

    /// Holds rows that wait for another one, in the transaction that has read them.
    static func hold(_ claim: Claim, _ outcome: ImportOutcome, in transaction: PostgresTransaction) async throws {
        guard !outcome.held.isEmpty else { return }
        try await transaction.execute(
            """
            insert into import_held (import, number, row)
            select \(claim.id), number, row
            from unnest(\(outcome.held.map(\.row)), \(outcome.held.map(\.text.text))::jsonb[]) as held (number, row)
            """)
    }

    /// The next held rows, after one of them.
    static func held<Row: ImportedRow>(
        _ claim: Claim, after number: Int, atMost count: Int, as row: Row.Type, in transaction: PostgresTransaction
    ) async throws -> [Row] {
        let rows = try await transaction.query(
            """
            select row::text as row from import_held where import = \(claim.id) and number > \(number)
            order by number limit \(count)
            """)
        return try rows.map { held in
            let text: String = try held["row"]
            return try JSONDecoder().decode(Row.self, from: Data(text.utf8))
        }
    }

    /// Removes rows that are no longer held.
    static func release(_ claim: Claim, _ outcome: ImportOutcome, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            "delete from import_held where import = \(claim.id) and number = any(\(outcome.rows.map(\.row)))")
    }

    /// Records a chunk, in the transaction that writes it unless the whole file is one transaction.
    ///
    /// - Parameter advance: how far the file was read; nil for held rows.
    ///
    /// - Throws: 409 if the file is being sent again by another request.
    static func advance(
        _ claim: Claim, to advance: Advance?, _ outcome: ImportOutcome, in transaction: PostgresTransaction
    ) async throws {
        let held = advance == nil ? -outcome.rows.count : outcome.held.count
        let updated = try await transaction.execute(
            """
            update import set rows = coalesce(\(advance?.rows), rows), digest = coalesce(\(advance?.digest), digest),
                held = held + \(held),
                created = created + \(outcome.count(.created)), updated = updated + \(outcome.count(.updated)),
                skipped = skipped + \(outcome.count(.skipped)), rejected = rejected + \(outcome.count(.rejected)),
                unknown_columns = coalesce(\(advance?.unknownColumns), unknown_columns), version = version + 1, updated_at = now()
            where id = \(claim.id) and attempt = \(claim.attempt) and state = 'running'
            """)
        let faults: [String?] = try outcome.rows.map { row in
            row.errors.isEmpty ? nil : try JSONText(encoding: row.errors).text
        }
        let notes: [String?] = try outcome.rows.map { row in try row.notes.map { try JSONText(encoding: $0).text } }
        guard updated == 1 else { throw Problem(.importRunning, "Another request is sending this file again.") }
        try await transaction.execute(
            """
            insert into import_row (import, number, outcome, record, errors, notes)
            select \(claim.id), number, outcome, record, coalesce(errors, '[]'), coalesce(notes, '[]') from unnest(
                \(outcome.rows.map(\.row)), \(outcome.rows.map(\.outcome.rawValue)),
                \(outcome.rows.map(\.record))::uuid[],
                \(faults)::jsonb[], \(notes)::jsonb[]
            ) as row (number, outcome, record, errors, notes)
            """)
    }

    /// Ends an attempt; one that has lost its claim changes nothing, and returns false.
    @discardableResult
    static func end(
        _ claim: Claim, _ state: ImportState, reason: String? = nil, on executor: any PostgresExecutor
    ) async throws -> Bool {
        try await executor.execute(
            """
            update import set state = \(state.rawValue), reason = left(\(reason), 500), version = version + 1,
                updated_at = now()
            where id = \(claim.id) and attempt = \(claim.attempt) and state = 'running'
            """) == 1
    }

    /// Forgets the records of new rows, after a rollback.
    static func forgetNew(_ claim: Claim, on executor: any PostgresExecutor) async throws {
        try await executor.execute(
            "update import_row set record = null where import = \(claim.id) and outcome = 'created'")
    }

    /// An import as shown to its sender, with its first faults.
    static func report(_ id: Import.ID, on executor: any PostgresExecutor) async throws -> ImportReport {
        let found = try await executor.first("select \(columns) from import where id = \(id)")
        guard let found = try found?.decode(Import.self) else { throw Problem(.notFound) }
        let errors = try await executor.query(
            """
            select number as row, fault ->> 'column' as "column", fault ->> 'detail' as detail
            from import_row, jsonb_array_elements(errors) with ordinality as fault (fault, place)
            where import = \(id) and outcome = 'rejected'
            order by number, place limit 1000
            """
        ).decode(ImportReport.RowError.self)
        let notes = try await executor.query(
            """
            select number as row, note ->> 'column' as "column", note ->> 'detail' as detail
            from import_row, jsonb_array_elements(notes) with ordinality as note (note, place)
            where import = \(id) and notes <> '[]'
            order by number, place limit 1000
            """
        ).decode(ImportReport.RowError.self)
        return ImportReport(of: found, errors: errors, notes: notes)
    }

    static func get(_ id: Import.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from import where id = \(id)")
    }

    static func list(
        _ query: ListImports.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let records = query.records { rules.append("records = \(records.rawValue)") }
        if let state = query.state { rules.append("state = \(state.rawValue)") }
        if let after = try page.position(of: Import.self) {
            rules.append("(created_at, id) < (\(after.key)::text::timestamptz, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns), created_at::text as "_key" from import
            where \(rules.all) order by created_at desc, id desc limit \(page.limit + 1)
            """)
    }

    /// - Throws: 404 if the import is not found.
    static func rows(
        of id: Import.ID, _ query: ListImportRows.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        guard try await executor.first("select 1 as found from import where id = \(id)") != nil else {
            throw Problem(.notFound)
        }
        var rules: [SQL] = ["import = \(id)"]
        if let outcome = query.outcome { rules.append("outcome = \(outcome.rawValue)") }
        if let number = try page.place(of: 1, { Int($0[0]) }) { rules.append("number > \(number)") }
        return try await executor.query(
            """
            select number as row, outcome, record, errors, nullif(notes, '[]') as notes, number::text as "_key"
            from import_row
            where \(rules.all) order by number limit \(page.limit + 1)
            """)
    }
}
