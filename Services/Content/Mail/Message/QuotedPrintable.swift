/// The encoding of texts (RFC 2045, 6.7): lines of at most 76 characters that are readable where they are ASCII.
enum QuotedPrintable {
    private static let hexadecimal = Array("0123456789ABCDEF".utf8)
    /// After it there may be the `=` of a soft line break.
    private static let columns = 75

    /// Line endings are LF or CRLF; a CR elsewhere is a character.
    static func encode(_ text: String, into bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { encode($0, into: &bytes) }
    }

    private static func encode(_ source: UnsafeBufferPointer<UInt8>, into bytes: inout [UInt8]) {
        var index = 0
        var column = 0
        while index < source.count {
            let end = literals(in: source, from: index, upTo: min(source.count, index + columns - column), column)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: source[index..<end]))
            column += end - index
            index = end
            guard index < source.count else { return }
            if endsLine(source, at: index) {
                bytes += "\r\n".utf8
                index += source[index] == UInt8(ascii: "\r") ? 2 : 1
                column = 0
            } else if column + 3 > columns {
                bytes += "=\r\n".utf8
                column = 0
            } else {
                bytes.append(UInt8(ascii: "="))
                bytes.append(hexadecimal[Int(source[index] >> 4)])
                bytes.append(hexadecimal[Int(source[index] & 15)])
                index += 1
                column += 3
            }
        }
    }

    /// The end of the bytes that stand for themselves; what follows them is a line ending, to be escaped, or beyond the
    /// last column.
    private static func literals(
        in source: UnsafeBufferPointer<UInt8>, from start: Int, upTo limit: Int, _ column: Int
    ) -> Int {
        var end = start
        while end < limit, isLiteral(source[end]) { end += 1 }
        guard end > start, endsLine(source, at: end) else { return end }
        // Mail servers remove blanks before a line ending, and take a line with only a dot for the end of the message
        // (RFC 5321, 4.5.2) where one of them forgets to double it.
        let last = source[end - 1]
        let isLoneDot = last == UInt8(ascii: ".") && column == 0 && end == start + 1
        return isBlank(last) || isLoneDot ? end - 1 : end
    }

    private static func isLiteral(_ byte: UInt8) -> Bool {
        byte &- 0x21 <= 0x7E - 0x21 && byte != UInt8(ascii: "=") || isBlank(byte)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// Whether nothing of a line is left: LF, CRLF or the end of the text.
    private static func endsLine(_ source: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        guard index < source.count else { return true }
        guard source[index] == UInt8(ascii: "\r") else { return source[index] == UInt8(ascii: "\n") }
        return index + 1 < source.count && source[index + 1] == UInt8(ascii: "\n")
    }
}
