/// Splits the bytes of a vCard file into lines as they arrive: unfolds them (RFC 6350, 3.2), and joins quoted-printable
/// soft line breaks (RFC 2045, 6.7; vCard 2.1, 2.1.3). A line ends with CRLF, LF or CR. Its memory is one line of at
/// most ``longest`` bytes.
struct CardLines {
    struct Line: Equatable {
        /// Without its line end; truncated if too long.
        var bytes: [UInt8]
        var isTooLong: Bool
        /// The position of the colon before the value, outside quotes; nil if there is none.
        var colon: Int?
    }

    /// In bytes, after unfolding.
    static let longest = 64 << 10

    /// Whether the space that begins a continuation line is part of the text, as in 2.1 (2.1.3).
    var keepsBlanks = false

    private var bytes: [UInt8] = []
    private var length = 0
    private var colon: Int?
    private var isQuoted = false
    private var isQuotedPrintable = false
    private var last: UInt8 = 0
    /// After a line end, which may turn out to be folding.
    private var isAtEnd = false
    private var afterCarriageReturn = false

    /// The next complete line in the bytes from `index`, which is moved past what was read; nil if there are no more.
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

    /// - Returns: the line before, if this byte shows that it was complete.
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
