import ClubProtocol

/// A column of an import. The raw value is its name in the API.
protocol ImportColumn: Hashable, CaseIterable, RawRepresentable<String>, Sendable {
    /// The headers that people use for it, French and English, folded by ``Folding/key(_:)``. If a table has two of
    /// them, the one that comes first here is used. Its own name takes precedence over all, unless it is in the list.
    var aliases: [String] { get }
    /// The columns that can identify a record: a table needs one of them.
    static var identifying: Set<Self> { get }
    /// The same, in words.
    static var identifyingNames: String { get }
    /// Whether it holds the directory's identifiers.
    var isIdentifier: Bool { get }
    /// Whether no import can clear it: it is the club's own fact, or it is not stored by itself.
    var isFact: Bool { get }
    /// Whether the club's own tables contain it.
    var isExported: Bool { get }
}

extension ImportColumn {
    var isIdentifier: Bool { rawValue == "id" }
    var isFact: Bool { false }
    var isExported: Bool { true }
}

/// The first record of a file: the meaning of each cell.
struct ImportHeader<Column: ImportColumn> {
    /// By the position of the cell; nil: ignored.
    let columns: [Column?]
    let titles: [String]
    /// Whether there are headers that none of the club's tables has.
    let isForeign: Bool

    /// Columns of exports that imports ignore, folded.
    private static var exported: Set<String> { ["agency", "enrolledon", "lefton", "confirmedon"] }

    /// Unknown columns, and those that duplicate a better one.
    var unused: [String] {
        zip(columns, titles).compactMap { column, title in column == nil && !title.isEmpty ? title : nil }
    }

    /// The header of a column, as written in the file.
    func title(of column: Column) -> String? {
        columns.firstIndex(of: column).map { titles[$0] }
    }

    /// - Throws: ``HeaderFault`` if a known header appears twice, or there is none that can identify a record.
    init(_ cells: [String]) throws(HeaderFault) {
        var known: [String: (column: Column, rank: Int)] = [:]
        for column in Column.allCases {
            let own = column.rawValue.asciiLowercased
            let aliases = column.aliases.contains(own) ? column.aliases : [own] + column.aliases
            for (rank, alias) in aliases.enumerated() { known[alias] = (column, rank) }
        }
        titles = cells.map { String($0.trimmingBlanks.prefix(scalars: 100)) }
        guard !titles.contains(where: { $0.utf8.contains(0) }) else {
            throw HeaderFault(detail: "The first line is not text: it contains U+0000.")
        }
        var seen: Set<String> = []
        var isForeign = false
        var best: [Column: (place: Int, rank: Int)] = [:]
        for (place, title) in titles.enumerated() {
            let key = Folding.key(title)
            guard let (column, rank) = known[key] else {
                if !title.isEmpty && !Self.exported.contains(key) { isForeign = true }
                continue
            }
            if !column.isExported { isForeign = true }
            guard seen.insert(key).inserted else {
                // It is unknown which of them is the directory's: none is used.
                if column.isIdentifier {
                    best[column] = nil
                    isForeign = true
                    continue
                }
                throw HeaderFault(detail: "Two columns have the same meaning; the second is “\(title)”.")
            }
            if let other = best[column], other.rank < rank { continue }
            best[column] = (place, rank)
        }
        var columns: [Column?] = titles.map { _ in nil }
        for (column, choice) in best { columns[choice.place] = column }
        self.columns = columns
        self.isForeign = isForeign
        let isNaming = !isForeign && best.keys.contains { $0.isIdentifier }
        guard isNaming || !Column.identifying.isDisjoint(with: best.keys) else {
            throw HeaderFault(
                detail: "The first line has no column for \(Column.identifyingNames): it must have the headers.")
        }
    }

    /// For cards: their identifiers may have been made by another program.
    ///
    /// - Parameter unused: the ignored properties.
    init(ofCards unused: [String]) {
        columns = CardReader.columns.map { Column(rawValue: $0.name) } + unused.map { _ in nil }
        titles = CardReader.columns.map(\.title) + unused
        isForeign = true
    }

    private init(columns: [Column?], titles: [String], isForeign: Bool) {
        self.columns = columns
        self.titles = titles
        self.isForeign = isForeign
    }

    /// The same cells, as far as rows of another kind know them.
    func known<Other: ImportColumn>(to _: Other.Type) -> ImportHeader<Other> {
        .init(
            columns: columns.map { $0.flatMap { Other(rawValue: $0.rawValue) } }, titles: titles, isForeign: isForeign)
    }
}

struct HeaderFault: Error {
    var detail: String
}
