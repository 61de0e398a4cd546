import ClubProtocol
import Postgres

/// What one row of an import says; what is nil it does not say. It travels to the database as JSON; one that has to
/// wait there for a later row comes back as such.
protocol ImportedRow: Codable, Sendable {
    associatedtype Column: ImportColumn

    /// In the journal: `expert`.
    static var entity: String { get }
    /// In a sentence: `expert`.
    static var noun: String { get }

    /// Counted from 1, without the header.
    var row: Int { get set }
    /// Of the record that the row was matched with, or of the new one.
    var id: Identifier<ImportRow>? { get set }
    /// Of the record that the row is about, if it says so: this comes before whatever else it could be known by.
    var identifier: Identifier<ImportRow>? { get set }
    /// Whether the table has columns that the club's own have not, so that its identifiers may be another system's.
    var isForeign: Bool? { get set }
    /// The fields that it empties, by their names in the API.
    var emptied: [String]? { get set }
    /// What it says and its record does not get.
    var notes: [ImportNote]? { get set }
    /// When it says that its answers on consent were given, and from where they are.
    var consentDate: Day? { get }
    var consentSource: Line? { get }
    /// The columns of what may be empty.
    static var emptiable: Set<Column> { get }
    /// What a new record needs and this row does not have.
    var missingForNew: Column? { get }

    /// Takes what a cell says, which is not empty.
    mutating func read(_ cell: String, as column: Column, _ topics: TopicVocabulary) throws(InvalidText)
    /// Takes it that a field is to be empty.
    mutating func empty(_ column: Column)
    /// Draws conclusions from the row as a whole.
    ///
    /// - Throws: a sentence about what is wrong with it.
    mutating func conclude() throws(InvalidText)

    /// Writes rows, and first what they say about other records, if they do.
    static func write(
        _ rows: [Self], by writer: ImportWriter<Self>, in transaction: PostgresTransaction
    ) async throws -> ImportOutcome
    /// With which records the rows could be meant, one answer for each row, in their order.
    ///
    /// - Parameter matching: what the rows mean for those, and so what they would contradict; and what else of the file is known.
    static func match(
        _ rows: JSONText, for matching: ImportMatching, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch]
    /// - Returns: of which rows something did not become as it does where they say nothing of it.
    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [ImportLeftOut]
    /// Sets what the rows say, or with `filling` only what is empty; gives the records that this changed.
    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten]
    /// Whether it answers on consent.
    var answers: Bool { get }
    /// Answers of rows that were written, or passed over, and that their records do not give now.
    static func leftOut(
        _ rows: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportLeftOut]
}

extension ImportedRow {
    static var emptiable: Set<Column> { [] }
    var identifier: Identifier<ImportRow>? {
        get { nil }
        set {}
    }
    var isForeign: Bool? {
        get { nil }
        set {}
    }
    var emptied: [String]? {
        get { nil }
        set {}
    }
    var notes: [ImportNote]? {
        get { nil }
        set {}
    }
    var answers: Bool { false }
    var consentDate: Day? { nil }
    var consentSource: Line? { nil }

    mutating func empty(_ column: Column) {
        emptied = (emptied ?? []) + [column.rawValue]
    }

    static func leftOut(
        _ rows: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportLeftOut] {
        []
    }

    /// An answer that is to count before another says when it was given, and where: the club has to show both (GDPR, article 7, 1).
    ///
    /// - Throws: a sentence about the date.
    func checkConsent() throws(InvalidText) {
        guard consentDate == nil || consentSource != nil else {
            throw InvalidText("A date of consent needs its source (consentSource, sourceConsentement).")
        }
    }

    static func write(
        _ rows: [Self], by writer: ImportWriter<Self>, in transaction: PostgresTransaction
    ) async throws -> ImportOutcome {
        try await writer.write(rows, in: transaction)
    }
}

/// How far a file has come: some rows can be judged only when others have been.
enum ImportPhase: Int, Comparable {
    /// Its rows are being read.
    case reading
    /// All are read, and those that wait for their heads of network follow them.
    case waiting
    /// The rows that would give a record another name, by its address alone, are taken: no other row is about it.
    case settling
    /// There is no further row that one could wait for.
    case last

    /// The phase after this one, if there is one.
    var next: ImportPhase { ImportPhase(rawValue: rawValue + 1) ?? self }

    static func < (left: ImportPhase, right: ImportPhase) -> Bool { left.rawValue < right.rawValue }
}

/// What matching has to know besides the rows.
struct ImportMatching {
    let existing: Import.Existing
    let id: Import.ID
    let phase: ImportPhase
    /// The records that earlier rows of the batch were about: the ledger does not have those yet.
    var taken: [Identifier<ImportRow>] = []
}

/// With whom a row was matched.
struct ImportMatch: Decodable {
    var row: Int
    /// One record: it is that one; several: who knows; absent: nobody, the row is a new one.
    var records: [Identifier<ImportRow>]?
    /// What is wrong with the row, as the records that are there say.
    var fault: String?
    /// Whether it is about a record that is not there, and may come later in the file.
    var waits: Bool?
    /// Whether it would give the records another name, and nothing but an address says that it is about them.
    var isRenaming: Bool?
    /// The record above it in a tree, where that is not the one that is there already.
    var head: Identifier<ImportRow>?
    /// By what a later row of the same batch would be matched with this one.
    var keys: [String]
}

struct ImportWritten: Decodable {
    var id: Identifier<ImportRow>
    var version: Int
}

/// Reads the cells of a row by the columns of the header.
struct ImportReader<Row: ImportedRow> {
    let format: ImportFormat
    let header: ImportHeader<Row.Column>
    /// A row that says nothing yet.
    let blank: Row
    let topics: TopicVocabulary

    /// The row, and everything that is wrong in it.
    func read(_ record: CSVReader.Record, row number: Int) -> (row: Row, faults: [ImportRow.Fault]) {
        var row = blank
        row.row = number
        row.isForeign = header.isForeign ? true : nil
        var faults: [ImportRow.Fault] = []
        if let fault = record.fault { return (row, [.init(column: nil, detail: "The \(format.noun) \(fault).")]) }
        guard record.cells.count >= header.columns.count,
            record.cells.dropFirst(header.columns.count).allSatisfy({ Cell.trimmed($0).isEmpty })
        else {
            let detail = "The row has \(record.cells.count) cells, the header \(header.columns.count)."
            return (row, [.init(column: nil, detail: detail)])
        }
        for (index, column) in header.columns.enumerated() {
            guard let column else { continue }
            let text = Cell.trimmed(record.cells[index])
            // A card says what it says: no spreadsheet has been at it, and nothing in it empties anything.
            let isLiteral = format == .cards
            if !isLiteral, text.utf8.elementsEqual(Cell.emptying) {
                if Row.emptiable.contains(column) {
                    row.empty(column)
                } else if !column.isFact {
                    faults.append(.init(column: header.titles[index], detail: "cannot be emptied"))
                }
                continue
            }
            let cell = isLiteral ? text : FormulaGuard.removed(from: text)
            guard isLiteral ? !cell.isEmpty : !Cell.isNothing(cell) else { continue }
            do throws(InvalidText) {
                try row.read(cell, as: column, topics)
            } catch {
                // What is too short for an identifier of the directory is another system's number.
                if column.isIdentifier, header.isForeign || cell.utf8.count < 30 { continue }
                faults.append(.init(column: header.titles[index], detail: error.reason))
            }
        }
        if faults.isEmpty {
            do throws(InvalidText) {
                try row.conclude()
            } catch {
                faults.append(.init(column: nil, detail: error.reason))
            }
        }
        return (row, faults)
    }
}

/// The managed vocabulary, by code and by label.
struct TopicVocabulary {
    private var codes: [String: Topic] = [:]

    init(_ topics: [(code: Topic, label: String)]) {
        for topic in topics {
            codes[Folding.key(topic.code.text)] = topic.code
            codes[Folding.key(topic.label)] = topic.code
        }
    }

    func code(of text: String) throws(InvalidText) -> Topic {
        guard let code = codes[Cell.key(text)] else { throw InvalidText("has a topic that the vocabulary has not") }
        return code
    }
}
