import ClubProtocol
import Postgres
import ServiceKit

/// The outcome of a chunk of rows.
struct ImportOutcome: Sendable {
    private(set) var rows: [ImportRow] = []
    /// Held rows, by number, as they are sent to the database.
    private(set) var held: [(row: Int, text: JSONText)] = []

    mutating func add(_ more: ImportOutcome) {
        rows += more.rows
        held += more.held
    }

    mutating func add(
        _ row: Int, _ outcome: ImportRow.Outcome, _ record: Identifier<ImportRow>?, _ notes: [ImportRow.Fault] = []
    ) {
        rows.append(
            ImportRow(row: row, outcome: outcome, record: record, errors: [], notes: notes.isEmpty ? nil : notes))
    }

    mutating func reject(_ row: Int, _ faults: [ImportRow.Fault]) {
        rows.append(ImportRow(row: row, outcome: .rejected, record: nil, errors: faults))
    }

    mutating func hold(_ row: Int, _ text: JSONText) {
        held.append((row, text))
    }

    func count(_ outcome: ImportRow.Outcome) -> Int {
        rows.count { $0.outcome == outcome }
    }
}

/// Matches rows with existing records, by one policy for every kind of import, and writes them: each step is one
/// statement per chunk.
struct ImportWriter<Row: ImportedRow> {
    /// Without the records of the rows that it writes.
    var matching: ImportMatching
    let header: ImportHeader<Row.Column>
    let principal: Principal

    /// For what the same rows contain about other records.
    func writer<Other: ImportedRow>(of _: Other.Type) -> ImportWriter<Other> {
        .init(matching: matching, header: header.known(to: Other.Column.self), principal: principal)
    }

    /// In rounds: see ``RowQueue``. A row is matched once to know its keys and, if it had to wait, again when it is
    /// ready.
    func write(_ rows: [Row], in transaction: PostgresTransaction) async throws -> ImportOutcome {
        var outcome = ImportOutcome()
        guard !rows.isEmpty else { return outcome }
        try await NameStore.setGiver(by: principal, in: transaction)
        let first = try await Row.match(try JSONText(encoding: rows), for: matching, in: transaction)
        var queue = RowQueue(keys: first.map(\.keys))
        var isFirstRound = true
        while !queue.ready.isEmpty {
            let ready = queue.ready
            let matches =
                isFirstRound
                ? ready.map { first[$0] }
                : try await Row.match(
                    try JSONText(encoding: ready.map { rows[$0] }), for: matching.after(outcome), in: transaction)
            isFirstRound = false
            var taken: Set<Identifier<ImportRow>> = []
            var moved = taken
            var heads = taken
            var done: [Int] = []
            var (new, known): ([Row], [Row]) = ([], [])
            for (place, match) in zip(ready, matches) {
                var row = rows[place]
                if match.isRenaming == true, matching.phase < .settling {
                    done.append(place)
                    outcome.hold(row.row, try JSONText(encoding: row))
                    continue
                }
                let records = match.records ?? []
                // By another key, an earlier row is the same record, and its changes may affect this one.
                let isFirst = taken.isDisjoint(with: records)
                taken.formUnion(records)
                // Of two rows that move within one tree, the later one is validated after the earlier one has been
                // applied.
                let isAlone = heads.isDisjoint(with: records) && match.head.map { !moved.contains($0) } ?? true
                guard isFirst && isAlone else { continue }
                done.append(place)
                if let fault = match.fault {
                    outcome.reject(row.row, [.init(column: nil, detail: fault)])
                    continue
                }
                if match.waits == true {
                    if matching.phase == .last {
                        let detail = "Its head of network is neither in the directory nor in the file."
                        outcome.reject(row.row, [.init(column: nil, detail: detail)])
                    } else {
                        outcome.hold(row.row, try JSONText(encoding: row))
                    }
                    continue
                }
                if let head = match.head {
                    heads.insert(head)
                    moved.formUnion(records)
                }
                switch records.count {
                case 0:
                    if let column = row.missingForNew {
                        let title = header.title(of: column) ?? column.rawValue
                        let unread = row.notes?.first { $0.column == column.rawValue }
                        let detail = unread.map { "\($0.detail): a new \(Row.noun) needs it." }
                        outcome.reject(
                            row.row, [.init(column: title, detail: detail ?? "A new \(Row.noun) needs it.")])
                    } else {
                        row.id = Identifier()
                        new.append(row)
                    }
                case 1:
                    row.id = records[0]
                    known.append(row)
                default:
                    let detail = "Several records match; a number or an address of its own would decide."
                    outcome.reject(row.row, [.init(column: nil, detail: detail)])
                }
            }
            try await write(new: new, known: known, in: transaction, into: &outcome)
            queue.finish(done)
        }
        return outcome
    }

    private func write(
        new: [Row], known: [Row], in transaction: PostgresTransaction, into outcome: inout ImportOutcome
    ) async throws {
        var entries: [Journal.Entry] = []
        if (new + known).contains(where: { $0.consentSource != nil }) {
            let origins = (new + known).compactMap { row in
                row.consentSource.flatMap { source in row.id.map { ($0.text, source) } }
            }
            try await ConsentStore.setProvenance(
                .import, origins: Dictionary(origins) { first, _ in first }, by: principal, in: transaction)
        }
        if !new.isEmpty {
            let texts = try new.map { try JSONText(encoding: $0.withoutNotes) }
            let all = JSONText(array: texts)
            let unsaid = try await Row.insert(all, in: transaction)
            var notes = try await notes(about: new, all, for: .update, in: transaction)
            for left in unsaid { note(left, in: &notes) }
            for (row, text) in zip(new, texts) {
                guard let id = row.id else { continue }
                entries.append(.init(.created, Row.entity, id, version: 1, json: text))
                outcome.add(row.row, .created, id, notes[row.row] ?? [])
            }
        }
        if !known.isEmpty {
            let texts = try known.map { try JSONText(encoding: $0.withoutNotes) }
            let all = JSONText(array: texts)
            var versions: [Identifier<ImportRow>: Int] = [:]
            if matching.existing != .skip {
                let written = try await Row.update(all, filling: matching.existing == .fill, in: transaction)
                for record in written { versions[record.id] = record.version }
            }
            let notes = try await notes(about: known, all, for: matching.existing, in: transaction)
            for (row, text) in zip(known, texts) {
                guard let id = row.id else { continue }
                if let version = versions[id] {
                    entries.append(.init(.changed, Row.entity, id, version: version, json: text))
                }
                outcome.add(row.row, versions[id] == nil ? .skipped : .updated, id, notes[row.row] ?? [])
            }
        }
        try await transaction.record(entries, by: principal)
    }

    /// What the rows contain but was not applied to their records, by row.
    ///
    /// - Parameters:
    ///   - text: the rows.
    ///   - existing: how the rows change existing records; new records take everything.
    private func notes(
        about rows: [Row], _ text: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [Int: [ImportRow.Fault]] {
        var notes: [Int: [ImportRow.Fault]] = [:]
        for row in rows {
            if let unread = row.notes {
                notes[row.row] = unread.map { fault($0.column, "\($0.detail): it was left out") }
            }
        }
        guard rows.contains(where: \.answers) else { return notes }
        for left in try await Row.leftOut(text, for: existing, in: transaction) {
            note(left, in: &notes)
        }
        return notes
    }

    private func note(_ left: ImportLeftOut, in notes: inout [Int: [ImportRow.Fault]]) {
        notes[left.row, default: []] += left.columns.map { fault($0, left.reason.detail) }
    }

    /// By the file's header, if it has the column.
    private func fault(_ name: String, _ detail: String) -> ImportRow.Fault {
        .init(column: Row.Column(rawValue: name).flatMap { header.title(of: $0) } ?? name, detail: detail)
    }
}

extension ImportMatching {
    /// With the records of rows that the ledger does not have yet.
    func after(_ outcome: ImportOutcome) -> ImportMatching {
        guard phase >= .settling else { return self }
        var matching = self
        matching.taken += outcome.rows.compactMap(\.record)
        return matching
    }
}

extension ImportedRow {
    /// What the record gets, and the journal contains.
    fileprivate var withoutNotes: Self {
        var row = self
        row.notes = nil
        return row
    }
}
