import Foundation

/// What a column of an import can say. The raw value is its name in the API.
protocol ImportColumn: Hashable, CaseIterable, RawRepresentable<String>, Sendable {
    /// The headers by which people know it, French and English, folded by ``Folding/key(_:)``; besides, its own name.
    var aliases: [String] { get }
    /// By which a record can be known: a table needs one of them.
    static var identifying: Set<Self> { get }
    /// Those, in words.
    static var identifyingNames: String { get }
}

/// Text without accents, case and signs, for comparing what people typed with what is known.
enum Folding {
    static func key(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.decomposedStringWithCompatibilityMapping.lowercased().unicodeScalars.filter {
                    ("a"..."z").contains($0) || ("0"..."9").contains($0)
                }))
    }
}

/// The first record of a file: which cell says what.
struct ImportHeader<Column: ImportColumn> {
    /// By the place of the cell; nil: unknown, left aside.
    let columns: [Column?]
    let titles: [String]

    var unknown: [String] {
        zip(columns, titles).compactMap { column, title in column == nil && !title.isEmpty ? title : nil }
    }

    /// The header of the file for a column, as it stands there.
    func title(of column: Column) -> String? {
        columns.firstIndex(of: column).map { titles[$0] }
    }

    /// - Throws: ``HeaderFault`` when two cells say the same, or none by which a record could be known.
    init(_ cells: [String]) throws(HeaderFault) {
        var byHeader: [String: Column] = [:]
        for column in Column.allCases {
            for alias in [column.rawValue.lowercased()] + column.aliases { byHeader[alias] = column }
        }
        titles = cells.map { String($0.trimmingCharacters(in: .whitespacesAndNewlines).prefix(100)) }
        columns = titles.map { byHeader[Folding.key($0)] }
        var seen: Set<Column> = []
        for (column, title) in zip(columns, titles) {
            guard let column else { continue }
            guard seen.insert(column).inserted else {
                throw HeaderFault(detail: "Two columns say the same; the second is “\(title)”.")
            }
        }
        guard !seen.isDisjoint(with: Column.identifying) else {
            throw HeaderFault(
                detail: "The first line has no column for \(Column.identifyingNames): it must hold the headers.")
        }
    }
}

struct HeaderFault: Error {
    var detail: String
}
