/// Keeps what is in a cell from being taken for a formula (OWASP, CSV Injection): an apostrophe goes before what begins one.
///
/// A table is opened with whatever separator the spreadsheet is set to, so a formula may begin at the start of the cell and after
/// anything in it that parts cells somewhere: `;`, `,`, a tab, `|`, the end of a line; with quotation marks and blanks before its
/// sign or not. Signs are those of ASCII and their full-width forms, which spreadsheets of the Far East read alike.
///
/// Where apostrophes stand before such a sign already, one more does: so taking one away at each place gives the text as it was,
/// whatever it was.
enum FormulaGuard {
    static let mark = UInt8(ascii: "'")

    /// What a formula may begin after.
    private enum Border {
        /// The start of the cell, or a separator.
        case cell
        case lineEnd
    }

    /// Where the mark goes in a text, as offsets in bytes, in their order.
    static func places(in text: some Collection<UInt8>) -> [Int] {
        var places: [Int] = []
        // The border that nothing but blanks and quotation marks stands behind yet, and the offset of what follows it.
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
    static func removed(from cell: String) -> String {
        let bytes = Array(cell.utf8)
        // A mark that was added stands where the text without it needs it; what follows a border does not depend on the marks at
        // others.
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

    /// What spreadsheets drop, or take for the beginning of a text in quotes; and the mark itself.
    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\"") || byte == mark
    }

    /// The length of a blank beyond ASCII, or 0: those that do not break, and the full-width one.
    private static func lengthOfWideBlank(_ rest: some Collection<UInt8>) -> Int {
        if rest.starts(with: [0xC2, 0xA0]) { return 2 }
        return rest.starts(with: [0xE2, 0x80, 0xAF]) || rest.starts(with: [0xE3, 0x80, 0x80]) ? 3 : 0
    }

    private static func isSign(_ rest: some Collection<UInt8>, after border: Border) -> Bool {
        switch rest.first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "|"),
            UInt8(ascii: "\t"):
            true
        // A blank line begins no formula.
        case UInt8(ascii: "\r"), UInt8(ascii: "\n"): border == .cell
        // U+FF1D, U+FF0B, U+FF0D, U+FF20
        case 0xEF:
            rest.starts(with: [0xEF, 0xBC, 0x9D]) || rest.starts(with: [0xEF, 0xBC, 0x8B])
                || rest.starts(with: [0xEF, 0xBC, 0x8D]) || rest.starts(with: [0xEF, 0xBC, 0xA0])
        default: false
        }
    }
}
