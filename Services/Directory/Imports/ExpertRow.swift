import ClubProtocol
import Foundation

/// What one row of an import says; nil: nothing. It travels to the database as JSON.
struct ExpertRow: Encodable, Equatable {
    /// Counted from 1, without the header.
    var row: Int
    /// Of the expert that the row was matched with, or of the new one.
    var id: Expert.ID?
    var subKind: Expert.SubKind?
    var name: Line?
    var siret: Siret?
    var contactName: Line?
    var email: EmailAddress?
    var telephone: Telephone?
    var postalCode: PostalCode?
    var commune: Line?
    var departement: Departement?
    var departements: [Departement]?
    var topics: [Topic]?
    var brands: [Line]?
    var website: WebAddress?
    var consents: ConsentChoices?

    /// What a new expert needs and this row does not have.
    var missingForNew: ExpertColumn? {
        if name == nil { return .name }
        if subKind == nil { return .subKind }
        if postalCode == nil { return .postalCode }
        if commune == nil { return .commune }
        if departement == nil { return .departement }
        return nil
    }
}

/// Reads the cells of a row by the columns of the header.
struct ExpertRowReader {
    let header: ExpertHeader
    let topics: TopicVocabulary

    /// The row, and everything that is wrong in it.
    func read(_ record: CSVReader.Record, row number: Int) -> (row: ExpertRow, errors: [ExpertImport.RowError]) {
        var row = ExpertRow(row: number)
        var errors: [ExpertImport.RowError] = []
        if let fault = record.fault {
            return (row, [.init(row: number, detail: "The row \(fault).")])
        }
        guard record.cells.count >= header.columns.count,
            record.cells.dropFirst(header.columns.count).allSatisfy({ Self.trimmed($0).isEmpty })
        else {
            let detail = "The row has \(record.cells.count) cells, the header \(header.columns.count)."
            return (row, [.init(row: number, detail: detail)])
        }
        var consents = ConsentChoices()
        for (index, column) in header.columns.enumerated() {
            guard let column else { continue }
            let cell = FormulaGuard.removed(from: Self.trimmed(record.cells[index]))
            guard !cell.isEmpty else { continue }
            do throws(InvalidText) {
                try read(cell, as: column, into: &row, &consents)
            } catch {
                errors.append(.init(row: number, column: header.titles[index], detail: error.reason))
            }
        }
        if consents != ConsentChoices() { row.consents = consents }
        if errors.isEmpty, row.departement == nil, let code = row.postalCode {
            row.departement = Departement(postalCode: code)
        }
        if errors.isEmpty, row.name == nil, row.siret == nil, row.email == nil {
            errors.append(.init(row: number, detail: "The row has neither name nor SIRET nor e-mail."))
        }
        return (row, errors)
    }

    private func read(
        _ cell: String, as column: ExpertColumn, into row: inout ExpertRow, _ consents: inout ConsentChoices
    ) throws(InvalidText) {
        switch column {
        case .name: row.name = try Self.line(cell)
        case .siret: row.siret = try Siret(validating: cell.filter { !$0.isWhitespace })
        case .subKind: row.subKind = try Self.subKind(cell)
        case .contactName: row.contactName = try Self.line(cell)
        case .email: row.email = try EmailAddress(validating: cell)
        case .telephone: row.telephone = try Self.telephone(cell)
        case .postalCode: row.postalCode = try PostalCode(validating: Self.padded(cell, to: 5))
        case .commune: row.commune = try Self.line(cell)
        case .departement: row.departement = try Self.departement(cell)
        case .departements:
            row.departements = try Self.list(cell, "/") { part throws(InvalidText) in
                try Self.departement(part)
            }
        case .topics: row.topics = try Self.list(cell, "/") { part throws(InvalidText) in try topics.code(of: part) }
        case .brands: row.brands = try Self.list(cell) { part throws(InvalidText) in try Self.line(part) }
        case .website: row.website = try WebAddress(validating: cell.contains("://") ? cell : "https://\(cell)")
        case .flashInfo: consents.flashInfo = try Self.yes(cell)
        case .eventInvitations: consents.eventInvitations = try Self.yes(cell)
        case .publicDirectory: consents.publicDirectory = try Self.yes(cell)
        case .partnerOffers: consents.partnerOffers = try Self.yes(cell)
        }
    }

    private static func trimmed(_ cell: String) -> String {
        cell.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Line breaks and runs of blanks, which spreadsheets bring, become one blank; one that does not break stays.
    private static func line(_ cell: String) throws(InvalidText) -> Line {
        try Line(
            validating: cell.split { $0 == " " || $0 == "\t" || $0.isNewline }.joined(separator: " "))
    }

    /// A spreadsheet takes the zeros of `01000` and `0559…` away.
    private static func padded(_ cell: String, to length: Int) -> String {
        let digits = cell.filter { !$0.isWhitespace }
        return digits.utf8.count == length - 1 ? "0\(digits)" : digits
    }

    private static func telephone(_ cell: String) throws(InvalidText) -> Telephone {
        let number = try Telephone(validating: cell.filter { $0 != "/" })
        guard number.text.utf8.count == 9, let first = number.text.utf8.first, (0x31...0x39).contains(first) else {
            return number
        }
        return try Telephone(validating: "0\(number.text)")
    }

    /// `64`, `1` for `01`, or `64 - Pyrénées-Atlantiques`.
    private static func departement(_ cell: String) throws(InvalidText) -> Departement {
        let code = cell.prefix { $0.isLetter || $0.isNumber }.uppercased()
        return try Departement(validating: code.utf8.count == 1 ? "0\(code)" : code)
    }

    private static func subKind(_ cell: String) throws(InvalidText) -> Expert.SubKind {
        switch Folding.key(cell) {
        case "webagency", "webagencies", "agenceweb", "agence", "agency": return .webAgency
        case "reseller", "resellers", "revendeur", "distributeur", "revendeurinformatique": return .reseller
        default: throw InvalidText("is neither web agency (agence web) nor reseller (revendeur)")
        }
    }

    private static func yes(_ cell: String) throws(InvalidText) -> Bool {
        switch Folding.key(cell) {
        case "oui", "o", "yes", "y", "vrai", "true", "1", "x", "ok": return true
        case "non", "n", "no", "faux", "false", "0": return false
        default: throw InvalidText("is neither oui (yes) nor non (no)")
        }
    }

    /// Cuts at separators outside of quotes; a part in quotes, `"Durand, Fils"`, loses them.
    private static func parts(of cell: String, separators: String) -> [String] {
        var parts = [""]
        var isQuoted = false
        var afterQuote = false
        for character in cell {
            if character == "\"", isQuoted || afterQuote || parts[parts.count - 1].allSatisfy(\.isWhitespace) {
                // The second of two quotes within quotes is one that is meant.
                if afterQuote { parts[parts.count - 1].append(character) }
                afterQuote = isQuoted
                isQuoted.toggle()
            } else {
                afterQuote = false
                if !isQuoted, separators.contains(character) {
                    parts.append("")
                } else {
                    parts[parts.count - 1].append(character)
                }
            }
        }
        return parts
    }

    /// The parts of a cell that holds several values: `64, 40`, `64;40`, `64|40`, or one a line.
    private static func list<Value>(
        _ cell: String, _ more: String = "", _ read: (String) throws(InvalidText) -> Value
    ) throws(InvalidText) -> [Value] where Value: Hashable {
        var values: [Value] = []
        for part in parts(of: cell, separators: ",;|\n\r" + more) {
            let text = trimmed(part)
            guard !text.isEmpty else { continue }
            let value = try read(text)
            if !values.contains(value) { values.append(value) }
            guard values.count <= 200 else { throw InvalidText("has more than 200 values") }
        }
        return values
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
        guard let code = codes[Folding.key(text)] else { throw InvalidText("has a topic that the vocabulary has not") }
        return code
    }
}
