import ClubProtocol
import Foundation

/// Reads what people write into the cells of a table. Throws a reason that fits behind the name of a column.
enum Cell {
    static func trimmed(_ cell: String) -> String {
        cell.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Whether a cell says in words that it says nothing, as spreadsheets and public tables do.
    static func isNothing(_ cell: String) -> Bool {
        ["", "#n/d", "#n/a", "non public", "non communiqué", "non renseigné"].contains(cell.lowercased())
    }

    /// What empties a field.
    static let emptying: [UInt8] = [UInt8(ascii: "-")]

    /// An identifier of the directory.
    static func identifier(_ cell: String) throws(InvalidText) -> Identifier<ImportRow> {
        do throws(InvalidText) {
            return try Identifier(validating: cell)
        } catch {
            throw InvalidText(
                "is no identifier of the directory: if it is another system's, give the column another name")
        }
    }

    /// Line breaks and runs of blanks, which spreadsheets bring, become one blank; one that does not break stays.
    static func line(_ cell: String) throws(InvalidText) -> Line {
        try Line(
            validating: cell.split { $0 == " " || $0 == "\t" || $0.isNewline }.joined(separator: " "))
    }

    /// A spreadsheet takes the zeros of `01000` and `0559…` away.
    static func padded(_ cell: String, to length: Int) -> String {
        var digits = cell.filter { !$0.isWhitespace }
        // A table that was a data frame once has numbers for codes: `84200.0`.
        if digits.hasSuffix(".0") { digits.removeLast(2) }
        return digits.utf8.count == length - 1 ? "0\(digits)" : digits
    }

    static func telephone(_ cell: String) throws(InvalidText) -> Telephone {
        let number = try Telephone(validating: cell.filter { $0 != "/" })
        guard number.text.utf8.count == 9, let first = number.text.utf8.first, (0x31...0x39).contains(first) else {
            return number
        }
        return try Telephone(validating: "0\(number.text)")
    }

    /// `64`, `1` for `01`, or `64 - Pyrénées-Atlantiques`.
    static func departement(_ cell: String) throws(InvalidText) -> Departement {
        let code = cell.prefix { $0.isLetter || $0.isNumber }.uppercased()
        return try Departement(validating: code.utf8.count == 1 ? "0\(code)" : code)
    }

    /// `2027-03-14`, or `14/3/2027`, as French spreadsheets write it.
    static func day(_ cell: String) throws(InvalidText) -> Day {
        let parts = cell.split(separator: "/")
        guard parts.count == 3 else { return try Day(validating: cell) }
        let (day, month) = (padded(String(parts[0]), to: 2), padded(String(parts[1]), to: 2))
        return try Day(validating: "\(parts[2])-\(month)-\(day)")
    }

    static func yes(_ cell: String) throws(InvalidText) -> Bool {
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
    static func list<Value>(
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
