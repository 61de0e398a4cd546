import ClubProtocol
import NIOCore
import ServiceKit

/// Another tool's list, read as it arrives: its rows, and what is wrong with the others. A list of addresses is small
/// enough to be in memory, and so its rows are written together.
struct SuppressionFile {
    /// More than the club will ever have readers.
    static let mostRows = 100_000
    /// Of the errors that are reported.
    static let mostErrors = 1000

    /// Of each address and purpose one row, the strongest; in the order of the file.
    private(set) var rows: [SuppressionRow] = []
    private(set) var count = 0
    private(set) var rejected = 0
    private(set) var errors: [ImportReport.RowError] = []
    var unknownColumns: [String] { columns?.unknown ?? [] }

    private let standard: Suppression.Reason
    private var reader = CSVReader()
    private var columns: SuppressionColumns?
    /// Where the row of an address and purpose is.
    private var places: [Key: Int] = [:]

    private struct Key: Hashable {
        var email: String
        var purpose: Suppression.Purpose?
    }

    /// - Parameter standard: the reason of rows that have none.
    init(standard: Suppression.Reason) {
        self.standard = standard
    }

    /// - Throws: 422 if it is no such list, or a longer one.
    static func taking(
        _ body: some AsyncSequence<ByteBuffer, any Error>, standard: Suppression.Reason
    ) async throws -> SuppressionFile {
        var file = SuppressionFile(standard: standard)
        for try await buffer in body {
            for record in file.reader.read(buffer.readableBytesView) { try file.accept(record) }
        }
        for record in file.reader.finish() { try file.accept(record) }
        guard file.columns != nil else { throw Problem(.invalid, "The file is empty.") }
        return file
    }

    private mutating func accept(_ record: CSVReader.Record) throws(Problem) {
        guard let columns else { return try begin(record) }
        count += 1
        guard count <= Self.mostRows else {
            throw Problem(.invalid, "The file has more than \(Self.mostRows) rows: import it in parts.")
        }
        if let fault = record.fault { return reject(count, nil, "it \(fault)") }
        do throws(SuppressionRow.Fault) {
            add(try SuppressionRow(record.cells, number: count, in: columns, standard: standard))
        } catch {
            reject(count, error.place.flatMap(columns.title), error.detail)
        }
    }

    private mutating func begin(_ record: CSVReader.Record) throws(Problem) {
        if let fault = record.fault {
            throw Problem(.invalid, "The first line of the file cannot be read: it \(fault).")
        }
        let columns = try SuppressionColumns(record.cells)
        self.columns = columns
        if columns.isPlain { try accept(record) }
    }

    /// Of two rows that say the same thing, the one that says more is written.
    private mutating func add(_ row: SuppressionRow) {
        let key = Key(email: row.suppression.email.text.asciiLowercased, purpose: row.suppression.purpose)
        guard let place = places[key] else {
            places[key] = rows.count
            rows.append(row)
            return
        }
        let known = rows[place].suppression
        if row.suppression.reason == .complaint {
            if known.reason != .complaint { rows[place] = row }
        } else if row.suppression.purpose != nil, let at = known.at, row.suppression.at.map({ $0 > at }) ?? true {
            rows[place] = row
        }
    }

    mutating func reject(_ row: Int, _ column: String?, _ detail: String) {
        rejected += 1
        if errors.count < Self.mostErrors { errors.append(.init(row: row, column: column, detail: detail)) }
    }
}
