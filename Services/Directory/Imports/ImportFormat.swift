/// What the file of an import is.
enum ImportFormat: Sendable {
    /// Comma-separated values, with a header.
    case table
    /// vCards: a card is a row.
    case cards

    /// In a sentence about one of its records.
    var noun: String { self == .table ? "row" : "card" }

    /// What a file without any record is told.
    var nothing: String {
        switch self {
        case .table: "The file is empty: its first line must hold the headers."
        case .cards: "The file contains no vCard: one begins with BEGIN:VCARD."
        }
    }
}

/// Makes records of the bytes of a file, as they arrive. The first one is the header.
struct RecordReader {
    private var table: CSVReader?
    private var cards: CardReader?

    init(_ format: ImportFormat) {
        switch format {
        case .table: table = CSVReader()
        case .cards: cards = CardReader()
        }
    }

    /// What of the records was left aside, as far as the header does not say it.
    var leftOut: [String] { cards?.leftOut ?? [] }

    /// Takes the next bytes of the file and gives the records that are complete by now.
    mutating func read(_ bytes: some Collection<UInt8>) -> [CSVReader.Record] {
        table?.read(bytes) ?? cards?.read(bytes) ?? []
    }

    /// Gives what is left when the file has ended.
    mutating func finish() -> [CSVReader.Record] { table?.finish() ?? cards?.finish() ?? [] }
}
