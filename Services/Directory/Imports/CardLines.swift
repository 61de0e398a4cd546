/// Makes whole lines of the bytes of a vCard file, as they arrive: what was folded is one line again (RFC 6350, 3.2), and what
/// quoted-printable has broken, too (RFC 2045, 6.7; vCard 2.1, 2.1.3). A line ends with CRLF, LF or CR. Its memory is one line of
/// at most ``longest`` bytes.
struct CardLines {
    struct Line: Equatable {
        /// Without its end; of one that is too long the first ones.
        var bytes: [UInt8]
        var isTooLong: Bool
        /// Where the value's colon stands, outside of quotes; nil where there is none.
        var colon: Int?
    }

    /// In bytes, once it is whole.
    static let longest = 64 << 10

    /// Whether the blank at the beginning of a line that goes on is a part of the text, as in 2.1 (2.1.3).
    var keepsBlanks = false

    private var bytes: [UInt8] = []
    private var length = 0
    private var colon: Int?
    private var isQuoted = false
    private var isQuotedPrintable = false
    private var last: UInt8 = 0
    /// Behind the end of a line, which the next one may go on with.
    private var isAtEnd = false
    private var afterCarriageReturn = false

    /// The next line that is whole, of the bytes from an index on, which is moved behind what was read; nil when there are no more.
    mutating func next(in bytes: [UInt8], from index: inout Int) -> Line? {
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if let line = step(byte) { return line }
        }
        return nil
    }

    /// What is left when the file has ended.
    mutating func finish() -> Line? { end() }

    /// - Returns: the line before, where this byte shows that it was whole.
    private mutating func step(_ byte: UInt8) -> Line? {
        let isLineFeed = byte == UInt8(ascii: "\n")
        let wasCarriageReturn = afterCarriageReturn
        afterCarriageReturn = byte == UInt8(ascii: "\r")
        if isLineFeed && wasCarriageReturn { return nil }
        var line: Line?
        if isAtEnd {
            isAtEnd = false
            if (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")) && length > 0 {
                if keepsBlanks { append(byte) }
                return nil
            }
            line = end()
        }
        if !isLineFeed && !afterCarriageReturn {
            append(byte)
        } else if isQuotedPrintable && last == UInt8(ascii: "=") {
            if length <= Self.longest { bytes.removeLast() }
            length -= 1
            last = 0
        } else {
            isAtEnd = true
        }
        return line
    }

    private mutating func append(_ byte: UInt8) {
        length += 1
        last = byte
        guard length <= Self.longest else { return }
        if colon == nil {
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: ":") && !isQuoted {
                colon = bytes.count
                isQuotedPrintable = CardProperty.isQuotedPrintable(bytes)
            }
        }
        bytes.append(byte)
    }

    /// Nil for an empty line.
    private mutating func end() -> Line? {
        defer {
            bytes.removeAll(keepingCapacity: true)
            length = 0
            colon = nil
            isQuoted = false
            isQuotedPrintable = false
            last = 0
        }
        return length > 0 ? Line(bytes: bytes, isTooLong: length > Self.longest, colon: colon) : nil
    }
}
