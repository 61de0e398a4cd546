/// How a table goes out: RFC 4180 with commas, or as a French Excel wants it.
struct TableFormat: Equatable {
    /// Semicolons and a byte order mark.
    var isForExcel: Bool

    /// What stands before the first line.
    var mark: [UInt8] { isForExcel ? [0xEF, 0xBB, 0xBF] : [] }

    private var separator: UInt8 { isForExcel ? UInt8(ascii: ";") : UInt8(ascii: ",") }

    /// Ends the cell that was written last.
    func end(isLast: Bool, in line: inout [UInt8]) {
        if isLast { line.append(contentsOf: "\r\n".utf8) } else { line.append(separator) }
    }

    /// One cell: harmless to a spreadsheet, and in quotes where that or its text needs them.
    func append(_ text: some Collection<UInt8>, to line: inout [UInt8]) {
        let isFormula = FormulaGuard.isNeeded(text)
        let isQuoted =
            isFormula
            || text.contains { byte in
                byte == separator || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
                    || byte == UInt8(ascii: "\r")
            }
        if isQuoted { line.append(UInt8(ascii: "\"")) }
        if isFormula { line.append(FormulaGuard.mark) }
        guard isQuoted else {
            line.append(contentsOf: text)
            return
        }
        for byte in text {
            if byte == UInt8(ascii: "\"") { line.append(byte) }
            line.append(byte)
        }
        line.append(UInt8(ascii: "\""))
    }
}

/// Keeps a cell from being taken for a formula (OWASP, CSV Injection): an apostrophe goes before a sign that begins one.
///
/// What begins with apostrophes and such a sign gets one more, so that taking one away always gives the text as it was.
enum FormulaGuard {
    static let mark = UInt8(ascii: "'")

    static func isNeeded(_ text: some Sequence<UInt8>) -> Bool {
        switch text.first(where: { $0 != mark && $0 != UInt8(ascii: " ") }) {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "|"),
            UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            true
        default: false
        }
    }

    /// The text of a cell as it was before an export.
    static func removed(from cell: String) -> String {
        guard cell.utf8.first == mark, isNeeded(cell.utf8) else { return cell }
        return String(cell.dropFirst())
    }
}
