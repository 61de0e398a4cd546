package import ClubProtocol

/// The output format of a table: RFC 4180 with commas, or as a French Excel expects it.
package struct TableFormat: Equatable, Sendable {
    /// Semicolons and a byte order mark.
    package var isForExcel: Bool

    package init(isForExcel: Bool) {
        self.isForExcel = isForExcel
    }

    /// What comes before the first line.
    package var mark: [UInt8] { isForExcel ? [0xEF, 0xBB, 0xBF] : [] }

    private var separator: UInt8 { isForExcel ? UInt8(ascii: ";") : UInt8(ascii: ",") }

    /// Ends the cell that was written last.
    package func end(isLast: Bool, in line: inout [UInt8]) {
        if isLast { line.append(contentsOf: "\r\n".utf8) } else { line.append(separator) }
    }

    /// One cell: guarded against formulas, and quoted where needed.
    package func append(_ text: some Collection<UInt8>, to line: inout [UInt8]) {
        let places = FormulaGuard.places(in: text)
        let isQuoted =
            !places.isEmpty
            || text.contains { byte in
                byte == separator || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
                    || byte == UInt8(ascii: "\r")
            }
        guard isQuoted else {
            line.append(contentsOf: text)
            return
        }
        line.append(UInt8(ascii: "\""))
        var next = places[...]
        for (offset, byte) in text.enumerated() {
            if offset == next.first {
                line.append(FormulaGuard.mark)
                next.removeFirst()
            }
            if byte == UInt8(ascii: "\"") { line.append(byte) }
            line.append(byte)
        }
        line.append(UInt8(ascii: "\""))
    }

    /// A number that we generated, `-50.00`: not guarded, because a spreadsheet should be able to calculate with it. In
    /// the French format it has a decimal comma.
    package func append(number: some Collection<UInt8>, to line: inout [UInt8]) {
        for byte in number {
            line.append(isForExcel && byte == UInt8(ascii: ".") ? UInt8(ascii: ",") : byte)
        }
    }
}

extension Combined where Second == TableOptions {
    /// How the caller wants the table to be written.
    package var format: TableFormat { TableFormat(isForExcel: second.excel == true) }
}
