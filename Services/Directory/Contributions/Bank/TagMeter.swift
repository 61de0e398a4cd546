/// Measures XML tags, and other constructs read as a whole, in any ASCII-compatible encoding, however the input is
/// split into pieces.
struct TagMeter {
    /// Bytes from `<` to `>`; the longest of camt.053 gives a schema and its location, in about 200.
    static let longest = 2 << 10
    /// Bytes of a comment or a processing instruction, which may contain anything but are buffered until they end.
    static let longestRemark = 64 << 10

    private enum Place: Equatable {
        case outside
        /// After `<`.
        case begun
        case tag(quote: UInt8?)
        /// After `<!`, with what has been read so far of the opening of a comment or a CDATA section.
        case declaration([UInt8])
        /// Within a construct that ends with `end`, of which `matched` bytes have been read.
        case remark(end: [UInt8], matched: Int, isBounded: Bool)
    }

    private static let comment = Array("--".utf8)
    private static let section = Array("[CDATA[".utf8)

    private var place = Place.outside
    private var length = 0

    /// - Returns: whether all is well so far. A zero byte, as in UTF-16 and UTF-32, is not.
    mutating func take(_ bytes: [UInt8]) -> Bool {
        for byte in bytes {
            guard byte != 0 else { return false }
            step(byte)
            switch place {
            case .tag:
                length += 1
                guard length <= Self.longest else { return false }
            case .remark(_, _, isBounded: true):
                length += 1
                guard length <= Self.longestRemark else { return false }
            default: break
            }
        }
        return true
    }

    private mutating func step(_ byte: UInt8) {
        switch (place, byte) {
        case (.outside, UInt8(ascii: "<")): begin(.begun)
        case (.outside, _): break
        case (.begun, UInt8(ascii: "!")): begin(.declaration([]))
        case (.begun, UInt8(ascii: "?")): begin(.remark(end: Array("?>".utf8), matched: 0, isBounded: true))
        case (.begun, _): place = .tag(quote: nil)
        case (.declaration(let before), _): declare(before + [byte])
        case (.remark(let end, let matched, let isBounded), _):
            let next = Self.matched(end, matched, byte)
            place = next == end.count ? .outside : .remark(end: end, matched: next, isBounded: isBounded)
        case (.tag(quote: nil), UInt8(ascii: ">")): place = .outside
        case (.tag(quote: nil), UInt8(ascii: "\"")), (.tag(quote: nil), UInt8(ascii: "'")):
            place = .tag(quote: byte)
        case (.tag(let quote?), byte) where quote == byte: place = .tag(quote: nil)
        case (.tag, _): break
        }
    }

    private mutating func begin(_ next: Place) {
        place = next
        length = 0
    }

    /// A document type, or anything unknown, is refused by the parser: its content counts as if it were outside.
    private mutating func declare(_ text: [UInt8]) {
        if text == Self.comment {
            begin(.remark(end: Array("-->".utf8), matched: 0, isBounded: true))
        } else if text == Self.section {
            begin(.remark(end: Array("]]>".utf8), matched: 0, isBounded: false))
        } else if Self.comment.starts(with: text) || Self.section.starts(with: text) {
            place = .declaration(text)
        } else {
            place = text.last == UInt8(ascii: "<") ? .begun : .outside
        }
    }

    /// How much of the end of a remark is matched after one more byte: `--->` ends a comment just as `-->` does.
    private static func matched(_ end: [UInt8], _ count: Int, _ byte: UInt8) -> Int {
        if byte == end[count] { return count + 1 }
        // What still matches: after `--` and one more dash the last two, otherwise this byte alone.
        if count == end.count - 1, count > 1, byte == end[0] { return count }
        return byte == end[0] ? 1 : 0
    }
}
