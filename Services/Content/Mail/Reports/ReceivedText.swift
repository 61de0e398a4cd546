import ClubProtocol

/// How the bytes of a body are written (RFC 2045, 6).
enum TransferEncoding {
    /// - Parameter limit: of the result, in bytes.
    static func decode(_ body: ArraySlice<UInt8>, as encoding: [UInt8], limit: Int) -> [UInt8] {
        let name = encoding[...].trimmed.folded
        if name.elementsEqual("base64".utf8) { return base64(body.prefix(limit / 2 * 3), limit: limit) }
        guard name.elementsEqual("quoted-printable".utf8) else { return Array(body.prefix(limit)) }
        return Array(unescaped(body.prefix(limit * 3), escape: UInt8(ascii: "="), hasSoftLineEnds: true).prefix(limit))
    }

    /// What is no digit is left out, as RFC 2045 (6.8) asks.
    static func base64(_ text: ArraySlice<UInt8>, limit: Int = .max) -> [UInt8] {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            guard let digit = digit(byte) else { continue }
            bits = bits << 6 | digit
            count += 1
            if count % 4 == 0 {
                bytes += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8)]
                bytes.append(UInt8(truncatingIfNeeded: bits))
                if bytes.count >= limit { return Array(bytes.prefix(limit)) }
            }
        }
        if count % 4 >= 2 { bytes.append(UInt8(truncatingIfNeeded: bits >> (count % 4 == 2 ? 4 : 10))) }
        if count % 4 == 3 { bytes.append(UInt8(truncatingIfNeeded: bits >> 2)) }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// With each escape and its two hexadecimal digits read: `=E9`, `%E9`, and in the identifiers of envelopes `+E9`.
    static func unescaped(_ text: ArraySlice<UInt8>, escape: UInt8, hasSoftLineEnds: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            guard byte == escape else {
                bytes.append(byte)
                continue
            }
            if index + 1 < text.endIndex, let high = Hexadecimal.value(text[index]),
                let low = Hexadecimal.value(text[index + 1])
            {
                bytes.append(high << 4 | low)
                index += 2
            } else if hasSoftLineEnds, let next = softLineEnd(text, at: index) {
                index = next
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// Where the text goes on after the line that an `=` ends.
    private static func softLineEnd(_ text: ArraySlice<UInt8>, at start: Int) -> Int? {
        var index = start
        // No line has more, and a text of blanks must not be gone through for each `=`.
        while index < min(text.endIndex, start + 76), ByteLines.isBlank(text[index]) { index += 1 }
        guard index < text.endIndex, text[index] == 0x0D || text[index] == 0x0A else { return nil }
        let isPair = text[index] == 0x0D && index + 1 < text.endIndex && text[index + 1] == 0x0A
        return index + (isPair ? 2 : 1)
    }
}

/// The character sets of French mail; other bytes are left as they are, and their ASCII can be read.
enum Charset {
    case utf8, ascii, latin9, windows1252, unknown

    init(name: [UInt8]) {
        switch String(decoding: name[...].trimmed.prefix(40).folded, as: UTF8.self) {
        case "utf-8", "utf8": self = .utf8
        // What claims to be Latin-1 is often Windows-1252, which has more characters and no controls.
        case "iso-8859-1", "latin1", "windows-1252", "cp1252": self = .windows1252
        case "iso-8859-15", "latin9": self = .latin9
        case "us-ascii", "ascii": self = .ascii
        default: self = .unknown
        }
    }

    /// - Parameter charset: nil if the sender does not say.
    static func utf8(_ bytes: ArraySlice<UInt8>, charset: Charset?) -> [UInt8] {
        switch charset {
        case .utf8, .unknown: return Array(bytes)
        case .latin9, .windows1252: return transcoded(bytes, isLatin9: charset == .latin9)
        // ASCII has no accents: whoever writes them all the same has UTF-8 or Windows-1252.
        case .ascii, nil:
            guard bytes.contains(where: { $0 >= 0x80 }) else { return Array(bytes) }
            return String(validating: bytes, as: UTF8.self) != nil ? Array(bytes) : transcoded(bytes, isLatin9: false)
        }
    }

    private static func transcoded(_ bytes: ArraySlice<UInt8>, isLatin9: Bool) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            guard byte >= 0x80 else {
                text.append(byte)
                continue
            }
            let scalar = isLatin9 ? charactersOfLatin9[byte] : charactersOfWindows[byte]
            text += String(Unicode.Scalar(scalar ?? UInt32(byte)) ?? "\u{FFFD}").utf8
        }
        return text
    }

    /// Where Latin-9 differs from Latin-1.
    private static let charactersOfLatin9: [UInt8: UInt32] = [
        0xA4: 0x20AC, 0xA6: 0x160, 0xA8: 0x161, 0xB4: 0x17D, 0xB8: 0x17E, 0xBC: 0x152, 0xBD: 0x153, 0xBE: 0x178,
    ]
    private static let charactersOfWindows: [UInt8: UInt32] = [
        0x80: 0x20AC, 0x82: 0x201A, 0x83: 0x192, 0x84: 0x201E, 0x85: 0x2026, 0x86: 0x2020, 0x87: 0x2021, 0x88: 0x2C6,
        0x89: 0x2030, 0x8A: 0x160, 0x8B: 0x2039, 0x8C: 0x152, 0x8E: 0x17D, 0x91: 0x2018, 0x92: 0x2019, 0x93: 0x201C,
        0x94: 0x201D, 0x95: 0x2022, 0x96: 0x2013, 0x97: 0x2014, 0x98: 0x2DC, 0x99: 0x2122, 0x9A: 0x161, 0x9B: 0x203A,
        0x9C: 0x153, 0x9E: 0x17E, 0x9F: 0x178,
    ]
}

/// Encoded words (RFC 2047): `=?utf-8?B?w6l0w6k=?=`.
enum ReceivedWords {
    static func decode(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        var rest = value
        /// Where the last encoded word ended in `text`: blanks between two of them do not count.
        var wordEnd: Int?
        while let byte = rest.first {
            guard byte == UInt8(ascii: "="), let (word, following) = word(rest) else {
                text.append(byte)
                rest.removeFirst()
                continue
            }
            if let wordEnd, text[wordEnd...].allSatisfy(ByteLines.isBlank) { text.removeSubrange(wordEnd...) }
            text += word
            wordEnd = text.count
            rest = following
        }
        return text
    }

    /// The encoded word that the bytes begin with; nil if they do not, or its charset is not known.
    private static func word(_ bytes: ArraySlice<UInt8>) -> ([UInt8], ArraySlice<UInt8>)? {
        guard bytes.starts(with: "=?".utf8) else { return nil }
        // RFC 2047 (2) has 75 at most; some programs write a whole subject as one.
        let parts = bytes.dropFirst(2).prefix(1000).split(
            separator: UInt8(ascii: "?"), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[3].first == UInt8(ascii: "="), parts[1].count == 1 else { return nil }
        // `utf-8*fr` (RFC 2231, 5).
        let charset = Charset(name: Array(parts[0].prefix { $0 != UInt8(ascii: "*") }))
        if case .unknown = charset { return nil }
        let content: [UInt8]
        switch parts[1].folded.first {
        case UInt8(ascii: "b"): content = TransferEncoding.base64(parts[2])
        case UInt8(ascii: "q"):
            let spaced = parts[2].map { $0 == UInt8(ascii: "_") ? 0x20 : $0 }
            content = TransferEncoding.unescaped(spaced[...], escape: UInt8(ascii: "="))
        default: return nil
        }
        return (Charset.utf8(content[...], charset: charset), bytes[(parts[3].startIndex + 1)...])
    }
}
