import ClubProtocol
import Postgres
import ServiceKit

/// One import under way, in one transaction: rows in batches, matched, then written, counted and recorded.
struct ExpertImporter {
    private static let batch = 1000
    private static let listedErrors = 1000

    let journal: Journal
    let principal: Principal
    let transaction: PostgresTransaction
    let topics: TopicVocabulary
    private(set) var report: ExpertImport

    private var reader: ExpertRowReader?
    private var waiting: [ExpertRow] = []

    init(
        mode: ExpertImport.Mode, topics: TopicVocabulary, journal: Journal, by principal: Principal,
        in transaction: PostgresTransaction
    ) {
        self.topics = topics
        self.journal = journal
        self.principal = principal
        self.transaction = transaction
        report = ExpertImport(
            mode: mode, applied: mode == .apply, rows: 0, created: 0, updated: 0, skipped: 0, rejected: 0, errors: [],
            unknownColumns: [])
    }

    /// Takes the next record of the file; the first one is the header.
    ///
    /// - Throws: 422 when the header is none.
    mutating func take(_ record: CSVReader.Record) async throws {
        guard let reader else {
            try begin(record)
            return
        }
        report.rows += 1
        let (row, errors) = reader.read(record, row: report.rows)
        if errors.isEmpty { waiting.append(row) } else { reject(errors) }
        if waiting.count == Self.batch { try await flush() }
    }

    /// Writes what waits.
    ///
    /// - Throws: 422 when the file had no header.
    mutating func finish() async throws -> ExpertImport {
        guard reader != nil else { throw Problem(.invalid, "The file is empty: its first line must hold the headers.") }
        try await flush()
        report.errors.sort { $0.row < $1.row }
        return report
    }

    private mutating func begin(_ record: CSVReader.Record) throws {
        guard record.fault == nil else { throw Problem(.invalid, "The first line of the file cannot be read.") }
        do throws(HeaderFault) {
            let header = try ExpertHeader(record.cells)
            reader = ExpertRowReader(header: header, topics: topics)
            report.unknownColumns = header.unknown
        } catch {
            throw Problem(.invalid, error.detail)
        }
    }

    private mutating func reject(_ errors: [ExpertImport.RowError]) {
        report.rejected += 1
        report.errors.append(contentsOf: errors.prefix(Self.listedErrors - report.errors.count))
    }

    private mutating func reject(_ row: Int, _ column: ExpertColumn? = nil, _ detail: String) {
        reject([.init(row: row, column: column.map { reader?.header.title(of: $0) ?? $0.rawValue }, detail: detail)])
    }

    /// Matches and writes the rows that wait. A row that could be the same expert as an earlier row of the batch waits for
    /// the next round, when the earlier one can be found.
    private mutating func flush() async throws {
        while !waiting.isEmpty {
            let matches = try await ImportStore.match(try JSONText(encoding: waiting), in: transaction)
            var taken: Set<String> = []
            var later: [ExpertRow] = []
            var (new, known): ([ExpertRow], [ExpertRow]) = ([], [])
            for (var row, match) in zip(waiting, matches) {
                let experts = match.experts ?? []
                let keys = match.keys + experts.map(\.text)
                guard taken.isDisjoint(with: keys) else {
                    later.append(row)
                    taken.formUnion(keys)
                    continue
                }
                taken.formUnion(keys)
                switch experts.count {
                case 0:
                    if let column = row.missingForNew {
                        reject(row.row, column, "A new expert needs it.")
                    } else {
                        row.id = Expert.ID()
                        new.append(row)
                    }
                case 1:
                    row.id = experts[0]
                    known.append(row)
                default:
                    reject(row.row, nil, "Several experts could be meant; a SIRET would tell.")
                }
            }
            try await write(new: new, known: known)
            waiting = later
        }
    }

    private mutating func write(new: [ExpertRow], known: [ExpertRow]) async throws {
        var entries: [Journal.Entry] = []
        if !new.isEmpty {
            try await ImportStore.insert(try JSONText(encoding: new), in: transaction)
            report.created += new.count
            for row in new {
                guard let id = row.id else { continue }
                entries.append(.init(.created, "expert", id, version: 1, values: row))
            }
        }
        if !known.isEmpty {
            let written = try await ImportStore.update(try JSONText(encoding: known), in: transaction)
            report.updated += written.count
            report.skipped += known.count - written.count
            let rows = Dictionary(known.map { ($0.id, $0) }) { _, last in last }
            for expert in written {
                entries.append(.init(.changed, "expert", expert.id, version: expert.version, values: rows[expert.id]))
            }
        }
        if !entries.isEmpty { try await journal.record(entries, by: principal, in: transaction) }
    }
}
