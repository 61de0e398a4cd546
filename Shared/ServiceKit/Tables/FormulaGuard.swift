/// Keeps a spreadsheet from interpreting a cell as a formula (OWASP, CSV Injection): an apostrophe is put before
/// whatever could begin one.
///
/// Spreadsheets open a table with whatever separator they are set to, so a formula may begin at the start of the cell
/// and after any possible separator in it: `;`, `,`, a tab, `|`, a line end; with or without quotation marks and spaces
/// before its first character. That character may be ASCII or its full-width form, which East Asian spreadsheets treat
/// alike.
///
/// Where there are apostrophes before such a character already, one more is added: so removing one at each place always
/// restores the original text.
package enum FormulaGuard {
    package static let mark = UInt8(ascii: "'")

    /// What a formula may begin after.
    private enum Border {
        /// The start of the cell, or a separator.
        case cell
        case lineEnd
    }

    /// Where the mark goes in a text, as byte offsets in ascending order.
    package static func places(in text: some Collection<UInt8>) -> [Int] {
        var places: [Int] = []
        // The last border, if only spaces and quotation marks have followed it so far, and the offset of what follows
        // it.
        var border: (kind: Border, offset: Int)? = (.cell, 0)
        var (index, offset) = (text.startIndex, 0)
        while index != text.endIndex {
            let byte = text[index]
            if let open = border {
                let blank = byte < 0x80 ? isBlank(byte) ? 1 : 0 : lengthOfWideBlank(text[index...])
                if blank > 0 {
                    index = text.index(index, offsetBy: blank)
                    offset += blank
                    continue
                }
                border = nil
                if isSign(text[index...], after: open.kind) { places.append(open.offset) }
            }
            index = text.index(after: index)
            offset += 1
            switch byte {
            case UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: "|"): border = (.cell, offset)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): border = (.lineEnd, offset)
            default: break
            }
        }
        return places
    }

    /// The text of a cell as it was before an export.
    package static func removed(from cell: String) -> String {
        let bytes = Array(cell.utf8)
        // A mark was added where the text without it needs one; each place depends only on its own border, not on marks
        // at others.
        let added = places(in: bytes).filter { bytes[$0] == mark }
        guard !added.isEmpty else { return cell }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var next = added[...]
        for (offset, byte) in bytes.enumerated() {
            if offset == next.first { next.removeFirst() } else { text.append(byte) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What spreadsheets drop, or take for an opening quotation mark; and the mark itself.
    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\"") || byte == mark
    }

    /// The length of a non-ASCII space, or 0: the no-break spaces and the full-width one.
    private static func lengthOfWideBlank(_ rest: some Collection<UInt8>) -> Int {
        if rest.starts(with: [0xC2, 0xA0]) { return 2 }
        return rest.starts(with: [0xE2, 0x80, 0xAF]) || rest.starts(with: [0xE3, 0x80, 0x80]) ? 3 : 0
    }

    private static func isSign(_ rest: some Collection<UInt8>, after border: Border) -> Bool {
        switch rest.first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "|"),
            UInt8(ascii: "\t"):
            true
        // A blank line does not begin a formula.
        case UInt8(ascii: "\r"), UInt8(ascii: "\n"): border == .cell
        // U+FF1D, U+FF0B, U+FF0D, U+FF20
        case 0xEF:
            rest.starts(with: [0xEF, 0xBC, 0x9D]) || rest.starts(with: [0xEF, 0xBC, 0x8B])
                || rest.starts(with: [0xEF, 0xBC, 0x8D]) || rest.starts(with: [0xEF, 0xBC, 0xA0])
        default: false
        }
    }
}
