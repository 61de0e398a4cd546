/// Measures tags of XML in an encoding of which ASCII is a part, wherever the pieces are cut in which it comes.
struct TagMeter {
    /// Bytes from `<` to `>`; the longest of camt.053 names a schema and its place, in some 200.
    static let longest = 2 << 10

    private enum Place {
        case outside
        /// In a tag, a comment, a CDATA section or an instruction, which are told apart by what comes next.
        case begun
        case tag(quote: UInt8?)
    }

    private var place = Place.outside
    private var length = 0

    /// - Returns: whether all is well so far. It is not, either, where a byte is zero, as in UTF-16 and UTF-32.
    mutating func take(_ bytes: [UInt8]) -> Bool {
        for byte in bytes {
            guard byte != 0 else { return false }
            switch (place, byte) {
            case (.outside, UInt8(ascii: "<")):
                place = .begun
                length = 0
            case (.outside, _): break
            // What is in these is no tag; a tag that ends in one begins within it, for this count, and is long at the most.
            case (.begun, UInt8(ascii: "!")), (.begun, UInt8(ascii: "?")): place = .outside
            case (.begun, _): place = .tag(quote: nil)
            case (.tag(quote: nil), UInt8(ascii: ">")): place = .outside
            case (.tag(quote: nil), UInt8(ascii: "\"")), (.tag(quote: nil), UInt8(ascii: "'")):
                place = .tag(quote: byte)
            case (.tag(let quote?), byte) where quote == byte: place = .tag(quote: nil)
            case (.tag, _): break
            }
            if case .tag = place {
                length += 1
                guard length <= Self.longest else { return false }
            }
        }
        return true
    }
}
