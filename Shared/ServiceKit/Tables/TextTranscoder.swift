package import ClubProtocol

/// Converts the bytes of a file to UTF-8, or to an encoding in which every delimiter is the same byte: removes a byte
/// order mark and converts UTF-16 (Excel's "Unicode text"). UTF-16 without a mark is recognized by zero bytes in its
/// first two letters. Buffers at most three bytes between two calls.
package struct TextTranscoder {
    private enum Encoding {
        case unknown
        /// UTF-8 or Windows-1252: decided for each field, see ``CSVReader``.
        case bytes
        case utf16(bigEndian: Bool)
    }

    private var encoding = Encoding.unknown
    private var pending: [UInt8] = []

    package init() {}

    package mutating func transcode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        pending.append(contentsOf: bytes)
        if case .unknown = encoding {
            guard pending.count >= 4 else { return [] }
            detect()
        }
        return take(final: false)
    }

    package mutating func finish() -> [UInt8] {
        if case .unknown = encoding { detect() }
        return take(final: true)
    }

    private mutating func detect() {
        if pending.starts(with: [0xEF, 0xBB, 0xBF]) {
            encoding = .bytes
            pending.removeFirst(3)
        } else if pending.starts(with: [0xFF, 0xFE]) {
            encoding = .utf16(bigEndian: false)
            pending.removeFirst(2)
        } else if pending.starts(with: [0xFE, 0xFF]) {
            encoding = .utf16(bigEndian: true)
            pending.removeFirst(2)
        } else if pending.count >= 4, pending[0] != 0, pending[1] == 0, pending[2] != 0, pending[3] == 0 {
            encoding = .utf16(bigEndian: false)
        } else if pending.count >= 4, pending[0] == 0, pending[1] != 0, pending[2] == 0, pending[3] != 0 {
            encoding = .utf16(bigEndian: true)
        } else {
            encoding = .bytes
        }
    }

    private mutating func take(final: Bool) -> [UInt8] {
        guard case .utf16(let bigEndian) = encoding else {
            defer { pending.removeAll(keepingCapacity: true) }
            return pending
        }
        var units: [UInt16] = []
        units.reserveCapacity(pending.count / 2)
        var index = 0
        while index + 1 < pending.count {
            let (first, second) = (UInt16(pending[index]), UInt16(pending[index + 1]))
            units.append(bigEndian ? first << 8 | second : second << 8 | first)
            index += 2
        }
        // Half a surrogate pair waits for the other half.
        if !final, let last = units.last, last & 0xFC00 == 0xD800 {
            units.removeLast()
            index -= 2
        }
        pending.removeFirst(index)
        if final { pending.removeAll() }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    // MARK: The text of a field

    /// UTF-8 if the bytes are valid, otherwise Windows-1252, in which every byte is a character.
    package static func text(_ bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map(windows1252)))
    }

    /// The same, for bytes with a declared character set, if not UTF-8: in upper case.
    ///
    /// - Throws: for any other than those of Western Europe.
    package static func text(_ bytes: [UInt8], charset: String?) throws(InvalidText) -> String {
        switch charset {
        case nil, "UTF-8", "UTF8", "US-ASCII", "ASCII", "ISO-8859-1", "ISO8859-1", "LATIN1", "WINDOWS-1252", "CP1252":
            return text(bytes)
        case "ISO-8859-15", "ISO8859-15", "LATIN9":
            return String(validating: bytes, as: UTF8.self)
                ?? String(String.UnicodeScalarView(bytes.map { latin9[$0] ?? windows1252($0) }))
        default:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw InvalidText("is in an unsupported character set")
            }
            return text
        }
    }

    /// Where ISO 8859-15 differs from ISO 8859-1.
    private static let latin9: [UInt8: Unicode.Scalar] = [
        0xA4: "€", 0xA6: "Š", 0xA8: "š", 0xB4: "Ž", 0xB8: "ž", 0xBC: "Œ", 0xBD: "œ", 0xBE: "Ÿ",
    ]

    private static func windows1252(_ byte: UInt8) -> Unicode.Scalar {
        guard (0x80...0x9F).contains(byte) else { return Unicode.Scalar(byte) }
        return Unicode.Scalar(windows1252High[Int(byte - 0x80)]) ?? "\u{FFFD}"
    }

    /// 0x80 to 0x9F (WHATWG Encoding Standard, index windows-1252).
    private static let windows1252High: [UInt16] = [
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D,
        0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0x009D, 0x017E, 0x0178,
    ]
}
