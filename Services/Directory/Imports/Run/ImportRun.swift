import ClubProtocol
import NIOCore
import Postgres
import ServiceKit
import Synchronization

/// Imports one file: as a whole, in one transaction, or chunk by chunk, each of which also records the progress.
struct ImportRun<Row: ImportedRow> {
    let order: ImportLedger.Order
    var format = ImportFormat.table
    /// The initial value of every row.
    let blank: Row
    let database: PostgresClient
    let principal: Principal

    /// Rolls a transaction back.
    private struct Undone: Error {}

    /// - Throws: 409 while another import of such records is running, or if it is not the import's file; 422 if it is
    ///   not a table of such records; 503 when there is no room for it; what reading the body throws.
    func take(_ body: UploadBody) async throws -> ImportReport {
        if let answered = try await ImportLedger.answered(order, on: database) {
            try await compare(body, with: answered)
            return try await ImportLedger.report(answered.id, on: database)
        }
        // No transaction waits for the network while holding locks.
        let id = order.isWhole ? try await takeWhole(SpooledFile.taking(body)) : try await takeChunks(body)
        return try await ImportLedger.report(id, on: database)
    }

    /// - Throws: 409, or 422 with a key, if a file is not the one that an import has taken.
    private func compare(
        _ body: some AsyncSequence<ByteBuffer, any Error>, with claim: ImportLedger.Claim
    ) async throws {
        var records = RecordReader(format)
        var digest = RowDigest()
        // The first record is not a row.
        var count = -1
        for try await buffer in body {
            for record in records.read(buffer.readableBytesView) {
                digest.add(record)
                count += 1
            }
        }
        for record in records.finish() {
            digest.add(record)
            count += 1
        }
        guard count == claim.rows, digest.value == claim.digest else { throw order.anotherFile }
    }

    /// All or nothing. What was written to the ledger meanwhile is kept, so the transaction is not retried.
    private func takeWhole(_ body: SpooledFile) async throws -> Import.ID {
        let mine = Mutex<ImportLedger.Claim?>(nil)
        do {
            let claim = try await database.transaction(retries: 0) { transaction in
                // Before the claim: otherwise a second attempt could take the claim away from a running one, then find
                // the lock held, and neither could finish.
                guard try await lock(in: transaction) else { throw Problem(.importRunning) }
                let claim = try await database.transaction { try await ImportLedger.claim(order, in: $0) }
                guard !claim.isAnswered else { return claim }
                mine.withLock { $0 = claim }
                var file = ImportFile(
                    format, of: blank, topics: try await vocabulary(in: transaction), order, after: claim)
                var rejected = 0
                for try await buffer in body {
                    for chunk in try file.take(buffer.readableBytesView) {
                        rejected += try await applyToWhole(chunk, claim, in: transaction)
                    }
                }
                for chunk in try file.finish() {
                    rejected += try await applyToWhole(chunk, claim, in: transaction)
                }
                rejected += try await takeHeld { after, phase in
                    let outcome = try await writeHeld(claim, file.header, after: after, in: phase, in: transaction)
                    if let outcome {
                        try await database.transaction {
                            try await ImportLedger.advance(claim, to: nil, outcome, in: $0)
                        }
                    }
                    return outcome
                }
                if order.mode == .dryRun || rejected > 0 { throw Undone() }
                // Commits only if this is still the current attempt.
                guard try await ImportLedger.end(claim, .completed, on: transaction) else {
                    throw Problem(.importRunning, "Another request is sending this file again.")
                }
                return claim
            }
            if mine.withLock({ $0 == nil }) { try await compare(body, with: claim) }
            return claim.id
        } catch {
            guard let claim = mine.withLock({ $0 }) else { throw error }
            guard error is Undone else {
                await end(claim, after: error)
                throw error
            }
            try await database.transaction { transaction in
                try await ImportLedger.forgetNew(claim, on: transaction)
                let isRefused = order.mode == .apply
                try await ImportLedger.end(
                    claim, isRefused ? .refused : .completed, reason: isRefused ? "It has bad rows." : nil,
                    on: transaction)
            }
            return claim.id
        }
    }

    private func takeChunks(_ body: UploadBody) async throws -> Import.ID {
        let claim = try await database.transaction { try await ImportLedger.claim(order, in: $0) }
        guard !claim.isAnswered else {
            try await compare(body, with: claim)
            return claim.id
        }
        do {
            var file = ImportFile(format, of: blank, topics: try await vocabulary(in: database), order, after: claim)
            for try await buffer in body {
                for chunk in try file.take(buffer.readableBytesView) { try await apply(chunk, claim) }
            }
            for chunk in try file.finish() { try await apply(chunk, claim) }
            let header = file.header
            try await takeHeld { after, phase in
                try await inTurn { transaction in
                    let outcome = try await writeHeld(claim, header, after: after, in: phase, in: transaction)
                    if let outcome { try await ImportLedger.advance(claim, to: nil, outcome, in: transaction) }
                    return outcome
                }
            }
            try await ImportLedger.end(claim, .completed, on: database)
        } catch {
            await end(claim, after: error)
            throw error
        }
        return claim.id
    }

    private func end(_ claim: ImportLedger.Claim, after error: any Error) async {
        let problem = error as? Problem
        let isRefused = problem?.type == .invalid
        let reason = problem.map { $0.detail ?? $0.type.title } ?? "The import was interrupted before its end."
        // This task may have been cancelled because the client disconnected; the end must be recorded all the same.
        _ = await Task { [database, order] in
            try? await database.transaction { transaction in
                let isMine = try await ImportLedger.end(
                    claim, isRefused ? .refused : .interrupted, reason: reason, on: transaction)
                // The ledger's records of a whole file were rolled back.
                if isMine, order.isWhole { try await ImportLedger.startAnew(claim.id, in: transaction) }
            }
        }.value
    }

    /// Returns the number of rejected rows.
    private func applyToWhole(
        _ chunk: ImportFile<Row>.Chunk, _ claim: ImportLedger.Claim, in transaction: PostgresTransaction
    ) async throws -> Int {
        let outcome = try await write(chunk, claim, in: transaction)
        // In a transaction of its own: progress is visible immediately, and kept if this transaction is rolled back.
        try await database.transaction {
            try await ImportLedger.advance(claim, to: chunk.advance, outcome, in: $0)
        }
        return outcome.count(.rejected)
    }

    private func apply(_ chunk: ImportFile<Row>.Chunk, _ claim: ImportLedger.Claim) async throws {
        try await inTurn { transaction in
            let outcome = try await write(chunk, claim, in: transaction)
            try await ImportLedger.advance(claim, to: chunk.advance, outcome, in: transaction)
        }
    }

    private func write(
        _ chunk: ImportFile<Row>.Chunk, _ claim: ImportLedger.Claim, in transaction: PostgresTransaction
    ) async throws -> ImportOutcome {
        var outcome = ImportOutcome()
        for (row, faults) in chunk.rejected { outcome.reject(row, faults) }
        try await ConsentStore.setProvenance(.import, by: principal, in: transaction)
        try await write(chunk.rows, by: writer(claim, chunk.header, .reading), in: transaction, into: &outcome)
        // The next chunk looks its rows up among those of this one.
        try await transaction.execute("select directory.renew_estimates()")
        try await ImportLedger.hold(claim, outcome, in: transaction)
        return outcome
    }

    /// Together; if the database refuses them because of one of them, one by one, so that the error names this one.
    private func write(
        _ rows: [Row], by writer: ImportWriter<Row>, in transaction: PostgresTransaction,
        into outcome: inout ImportOutcome
    ) async throws {
        do {
            outcome.add(try await transaction.savepoint { try await Row.write(rows, by: writer, in: $0) })
        } catch let error as PostgresError where error.blamesRow {
            guard rows.count == 1, let row = rows.first else {
                for row in rows {
                    var writer = writer
                    writer.matching = writer.matching.after(outcome)
                    try await write([row], by: writer, in: transaction, into: &outcome)
                }
                return
            }
            let isUnique = error.sqlState == SQLState.uniqueViolation
            let detail =
                isUnique
                ? "A number or an address in it already belongs to another record."
                : "It contradicts the rest of the record."
            outcome.reject(row.row, [.init(column: nil, detail: detail)])
        }
    }

    private func writer(
        _ claim: ImportLedger.Claim, _ header: ImportHeader<Row.Column>, _ phase: ImportPhase
    ) -> ImportWriter<Row> {
        ImportWriter(
            matching: .init(existing: order.existing, id: claim.id, phase: phase), header: header, principal: principal)
    }

    /// The maximum depth of a network whose branches come before their heads in the file.
    private static var levels: Int { 10 }

    /// Processes the held rows: those waiting for a head of network, level by level, and then those waiting for all
    /// other rows of the file. Rows that still wait for a head when a round makes no progress are rejected.
    ///
    /// - Parameter batch: processes the rows after a given row; returns nil if there are none.
    /// - Returns: the number of rejected rows.
    @discardableResult
    private func takeHeld(
        _ batch: (_ after: Int, _ phase: ImportPhase) async throws -> ImportOutcome?
    ) async throws -> Int {
        var rejected = 0
        var phase = ImportPhase.waiting
        for level in 1... {
            var (after, taken, waiting) = (0, 0, 0)
            while let outcome = try await batch(after, phase) {
                after = max(after, outcome.rows.map(\.row).max() ?? 0, outcome.held.map(\.row).max() ?? 0)
                taken += outcome.rows.count
                waiting += outcome.held.count
                rejected += outcome.count(.rejected)
            }
            if waiting == 0 { break }
            if taken == 0 || level >= Self.levels { phase = phase.next }
        }
        return rejected
    }

    private func writeHeld(
        _ claim: ImportLedger.Claim, _ header: ImportHeader<Row.Column>?, after number: Int,
        in phase: ImportPhase, in transaction: PostgresTransaction
    ) async throws -> ImportOutcome? {
        let rows = try await ImportLedger.held(claim, after: number, atMost: 1000, as: Row.self, in: transaction)
        guard let header, !rows.isEmpty else { return nil }
        var outcome = ImportOutcome()
        try await ConsentStore.setProvenance(.import, by: principal, in: transaction)
        try await write(rows, by: writer(claim, header, phase), in: transaction, into: &outcome)
        try await ImportLedger.release(claim, outcome, in: transaction)
        return outcome
    }

    /// One at a time: two concurrent imports could both take the same record for new.
    private func lock(in transaction: PostgresTransaction) async throws -> Bool {
        // Importing ambassadors also imports people.
        let records = order.records == .ambassadors ? Import.Records.people : order.records
        let name = "directory.imports.\(records.rawValue)"
        let row = try await transaction.first(
            "select pg_try_advisory_xact_lock(hashtextextended(\(name), 0)) as mine")
        return try row?["mine", as: Bool.self] == true
    }

    /// Runs `body` in a transaction of its own, when no other import of such records is running. While waiting it holds
    /// no connection, since there are few.
    ///
    /// - Throws: 409 after a minute; what `body` throws.
    private func inTurn<T: Sendable>(_ body: (PostgresTransaction) async throws -> T) async throws -> T {
        let end = ContinuousClock.now.advanced(by: .seconds(60))
        while true {
            let done: T? = try await database.transaction { transaction in
                guard try await lock(in: transaction) else { return nil }
                return try await body(transaction)
            }
            if let done { return done }
            guard .now < end else { throw Problem(.importRunning) }
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...80)))
        }
    }

    private func vocabulary(in executor: any PostgresExecutor) async throws -> TopicVocabulary {
        let rows = try await executor.query("select code, label from topic")
        return TopicVocabulary(try rows.map { row in (try row["code"], try row["label"]) })
    }
}

extension PostgresError {
    /// Whether the content of a row is to blame: it violates a constraint, or has a value that the database cannot
    /// store.
    fileprivate var blamesRow: Bool {
        isConstraintViolation || sqlState.map(SQLState.blamesValue) == true
    }
}
