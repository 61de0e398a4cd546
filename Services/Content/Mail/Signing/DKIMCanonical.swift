/// A message in the relaxed canonicalization of DKIM (RFC 6376, 3.4.2 and 3.4.4): what a signature is about. White
/// space that servers on the way may change does not count.
///
/// For messages as we write them: with CRLF line endings, and no CR or LF elsewhere.
struct DKIMCanonical {
    /// Each as `name:value` and CRLF, with the name in lower case, in the order of the message.
    private(set) var fields: [ArraySlice<UInt8>] = []
    let body: [UInt8]

    init(_ message: [UInt8]) {
        var rest = message[...]
        var header: [UInt8] = []
        var ends: [Int] = []
        while let end = Self.fieldEnd(in: rest), end > rest.startIndex {
            Self.append(field: rest[..<end], to: &header)
            ends.append(header.count)
            rest = rest[end...]
        }
        body = Self.body(rest.dropFirst(2))
        var start = 0
        for end in ends {
            fields.append(header[start..<end])
            start = end
        }
    }

    /// Behind the CRLF after which neither a blank nor more of the field follows; the start itself for the empty line
    /// that ends a header, nil at the end of a message without one.
    private static func fieldEnd(in message: ArraySlice<UInt8>) -> Int? {
        var index = message.startIndex
        if message.starts(with: "\r\n".utf8) { return index }
        while let lineFeed = message[index...].firstIndex(of: UInt8(ascii: "\n")) {
            index = lineFeed + 1
            guard index < message.endIndex, isBlank(message[index]) else { return index }
        }
        return nil
    }

    /// Appends a field, which may end in CRLF: unfolded, without blanks around the colon and at the end, with other
    /// blanks as one space, and CRLF.
    static func append(field: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        var isName = true
        var isStart = true
        var blank = false
        for byte in field {
            switch byte {
            case UInt8(ascii: "\r"), UInt8(ascii: "\n"): continue
            case _ where isBlank(byte): blank = true
            case UInt8(ascii: ":") where isName:
                bytes.append(byte)
                (isName, isStart, blank) = (false, true, false)
            default:
                if blank, !isStart { bytes.append(0x20) }
                bytes.append(isName && byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte)
                (isStart, blank) = (false, false)
            }
        }
        bytes += "\r\n".utf8
    }

    /// Without blanks at the ends of lines and empty lines at the end, and with other blanks as one space.
    static func body(_ body: ArraySlice<UInt8>) -> [UInt8] {
        body.withUnsafeBufferPointer { source in
            // Nothing is written that was not read, but perhaps the last CRLF.
            [UInt8](unsafeUninitializedCapacity: source.count + 2) { bytes, count in
                func append(_ byte: UInt8) {
                    bytes.initializeElement(at: count, to: byte)
                    count += 1
                }
                var index = 0
                var blank = false
                var lineEnds = 0
                while index < source.count {
                    let byte = source[index]
                    index += 1
                    if isBlank(byte) {
                        blank = true
                    } else if byte == UInt8(ascii: "\r"), index < source.count, source[index] == UInt8(ascii: "\n") {
                        index += 1
                        lineEnds += 1
                        blank = false
                    } else {
                        while lineEnds > 0 {
                            append(UInt8(ascii: "\r"))
                            append(UInt8(ascii: "\n"))
                            lineEnds -= 1
                        }
                        if blank { append(0x20) }
                        blank = false
                        append(byte)
                    }
                }
                if count > 0 {
                    append(UInt8(ascii: "\r"))
                    append(UInt8(ascii: "\n"))
                }
            }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
