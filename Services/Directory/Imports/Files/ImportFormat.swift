import ServiceKit

/// The format of an imported file.
enum ImportFormat: Sendable {
    /// Comma-separated values, with a header.
    case table
    /// vCards: a card is a row.
    case cards

    /// For a sentence about one of its records.
    var noun: String { self == .table ? "row" : "card" }

    /// The error for a file without any record.
    var nothing: String {
        switch self {
        case .table: "The file is empty: its first line must have the headers."
        case .cards: "The file contains no vCard: one begins with BEGIN:VCARD."
        }
    }
}

/// Parses the bytes of a file into records, as they arrive. The first one is the header.
struct RecordReader {
    private var table: CSVReader?
    private var cards: CardReader?

    init(_ format: ImportFormat) {
        switch format {
        case .table: table = CSVReader()
        case .cards: cards = CardReader()
        }
    }

    /// What was ignored in the records, beyond what the header shows.
    var leftOut: [String] { cards?.leftOut ?? [] }

    /// Takes the next bytes of the file and returns the records completed by them.
    mutating func read(_ bytes: some Collection<UInt8>) -> [CSVReader.Record] {
        table?.read(bytes) ?? cards?.read(bytes) ?? []
    }

    /// Returns what is left when the file has ended.
    mutating func finish() -> [CSVReader.Record] { table?.finish() ?? cards?.finish() ?? [] }
}
