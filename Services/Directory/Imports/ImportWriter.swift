import ClubProtocol
import Postgres
import ServiceKit

/// What became of a chunk of rows.
struct ImportOutcome: Sendable {
    private(set) var rows: [ImportRow] = []

    mutating func add(_ row: Int, _ outcome: ImportRow.Outcome, _ record: Identifier<ImportRow>?) {
        rows.append(ImportRow(row: row, outcome: outcome, record: record, errors: []))
    }

    mutating func reject(_ row: Int, _ faults: [ImportRow.Fault]) {
        rows.append(ImportRow(row: row, outcome: .rejected, record: nil, errors: faults))
    }

    func count(_ outcome: ImportRow.Outcome) -> Int {
        rows.count { $0.outcome == outcome }
    }
}

/// Matches rows with what is there, by one policy for every intake, and writes them: each step one statement a chunk.
struct ImportWriter<Row: ImportedRow> {
    let existing: Import.Existing
    let header: ImportHeader<Row.Column>
    let journal: Journal
    let principal: Principal

    /// A row that could be the same record as an earlier row of the chunk waits for the next round, when the earlier one
    /// can be found.
    func write(
        _ rows: [Row], in transaction: PostgresTransaction, into outcome: inout ImportOutcome
    ) async throws {
        var waiting = rows
        while !waiting.isEmpty {
            let matches = try await Row.match(try JSONText(encoding: waiting), in: transaction)
            var taken: Set<String> = []
            var later: [Row] = []
            var (new, known): ([Row], [Row]) = ([], [])
            for (var row, match) in zip(waiting, matches) {
                if let fault = match.fault {
                    outcome.reject(row.row, [.init(column: nil, detail: fault)])
                    continue
                }
                let records = match.records ?? []
                let keys = match.keys + records.map(\.text)
                let isFirst = taken.isDisjoint(with: keys)
                taken.formUnion(keys)
                guard isFirst else {
                    later.append(row)
                    continue
                }
                switch records.count {
                case 0:
                    if let column = row.missingForNew {
                        let title = header.title(of: column) ?? column.rawValue
                        outcome.reject(row.row, [.init(column: title, detail: "A new \(Row.noun) needs it.")])
                    } else {
                        row.id = Identifier()
                        new.append(row)
                    }
                case 1:
                    row.id = records[0]
                    known.append(row)
                default:
                    let detail = "Several records could be meant; a number or an address of its own would tell."
                    outcome.reject(row.row, [.init(column: nil, detail: detail)])
                }
            }
            try await write(new: new, known: known, in: transaction, into: &outcome)
            waiting = later
        }
    }

    private func write(
        new: [Row], known: [Row], in transaction: PostgresTransaction, into outcome: inout ImportOutcome
    ) async throws {
        var entries: [Journal.Entry] = []
        if !new.isEmpty {
            try await Row.insert(try JSONText(encoding: new), in: transaction)
            for row in new {
                guard let id = row.id else { continue }
                entries.append(.init(.created, Row.entity, id, version: 1, values: row))
                outcome.add(row.row, .created, id)
            }
        }
        if !known.isEmpty {
            var versions: [Identifier<ImportRow>: Int] = [:]
            if existing != .skip {
                let written = try await Row.update(
                    try JSONText(encoding: known), filling: existing == .fill, in: transaction)
                for record in written { versions[record.id] = record.version }
            }
            for row in known {
                guard let id = row.id else { continue }
                if let version = versions[id] {
                    entries.append(.init(.changed, Row.entity, id, version: version, values: row))
                }
                outcome.add(row.row, versions[id] == nil ? .skipped : .updated, id)
            }
        }
        if !entries.isEmpty { try await journal.record(entries, by: principal, in: transaction) }
    }
}
