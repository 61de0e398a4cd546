import ClubProtocol
import Postgres
import ServiceKit

/// The data of one row of an import; nil means not given. It is sent to the database as JSON; a row held there for a
/// later row is decoded from it.
protocol ImportedRow: Codable, Sendable {
    associatedtype Column: ImportColumn

    /// For the journal: `expert`.
    static var entity: EntityName { get }
    /// For a sentence: `expert`.
    static var noun: String { get }

    /// Starting at 1, without the header.
    var row: Int { get set }
    /// The matched record, or the new one.
    var id: Identifier<ImportRow>? { get set }
    /// The identifier of the row's record, if given: it takes precedence over all other keys.
    var identifier: Identifier<ImportRow>? { get set }
    /// Whether the table has columns that the club's own tables do not have, so that its identifiers may be another
    /// system's.
    var isForeign: Bool? { get set }
    /// The fields that it clears, by their names in the API.
    var emptied: [String]? { get set }
    /// What it contains but is not applied to its record.
    var notes: [ImportNote]? { get set }
    /// When its answers on consent were given, and their source.
    var consentDate: Day? { get }
    var consentSource: Line? { get }
    /// The columns that may be cleared.
    static var emptiable: Set<Column> { get }
    /// What a new record needs and this row does not have.
    var missingForNew: Column? { get }

    /// Takes the content of a cell, which is not empty.
    mutating func read(_ cell: String, as column: Column, _ topics: TopicVocabulary) throws(InvalidText)
    /// Marks a field as cleared.
    mutating func empty(_ column: Column)
    /// Derives values from the row as a whole.
    ///
    /// - Throws: a sentence about what is wrong with it.
    mutating func conclude() throws(InvalidText)

    /// Writes rows, after what they contain about other records.
    static func write(
        _ rows: [Self], by writer: ImportWriter<Self>, in transaction: PostgresTransaction
    ) async throws -> ImportOutcome
    /// The records that each row may refer to: one result per row, in their order.
    ///
    /// - Parameter matching: how the rows change existing records, and so what they may contradict; and what else is
    ///   known of the file.
    static func match(
        _ rows: JSONText, for matching: ImportMatching, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch]
    /// - Returns: the rows of which something was not applied.
    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [ImportLeftOut]
    /// Sets the rows' values, or with `filling` only those of empty fields; returns the changed records.
    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten]
    /// Whether it contains answers on consent.
    var answers: Bool { get }
    /// Answers of written or skipped rows that differ from the records' present answers.
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

    /// An answer that is to take precedence over another must have a date and a source: the club has to be able to
    /// prove both (GDPR, article 7, 1).
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

/// How far a file has been processed: some rows can be decided only after others.
enum ImportPhase: Int, Comparable {
    /// Its rows are being read.
    case reading
    /// All are read, and the rows waiting for their heads of network are processed.
    case waiting
    /// Rows that would rename a record, known only by its address, are processed: no other row is about it.
    case settling
    /// There are no more rows to wait for.
    case last

    /// The phase after this one, if there is one.
    var next: ImportPhase { ImportPhase(rawValue: rawValue + 1) ?? self }

    static func < (left: ImportPhase, right: ImportPhase) -> Bool { left.rawValue < right.rawValue }
}

/// What matching needs besides the rows.
struct ImportMatching {
    let existing: Import.Existing
    let id: Import.ID
    let phase: ImportPhase
    /// The records matched by earlier rows of the batch, which the ledger does not have yet.
    var taken: [Identifier<ImportRow>] = []
}

/// The record that a row was matched with.
struct ImportMatch: Decodable {
    var row: Int
    /// One record: a match; several: ambiguous; nil: none, the row is a new record.
    var records: [Identifier<ImportRow>]?
    /// What is wrong with the row, given the existing records.
    var fault: String?
    /// Whether it refers to a record that is not found, and may come later in the file.
    var waits: Bool?
    /// Whether it would rename the record, and only an address identifies it.
    var isRenaming: Bool?
    /// The new parent of the record in a tree, if it changes.
    var head: Identifier<ImportRow>?
    /// The keys by which a later row of the same batch would be matched with this one.
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
    /// A row without any data.
    let blank: Row
    let topics: TopicVocabulary

    /// The row, and all its faults.
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
            // A card is taken literally: it did not go through a spreadsheet, and nothing in it clears a field.
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
                // A value too short for a directory identifier is another system's number.
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
        guard let code = codes[Cell.key(text)] else { throw InvalidText("has a topic that is not in the vocabulary") }
        return code
    }
}
