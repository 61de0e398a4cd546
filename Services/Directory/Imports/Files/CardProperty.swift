import ClubProtocol
import ServiceKit

/// One property of a card: `item1.TEL;TYPE=work,voice;PREF=1:+33559000000`.
struct CardProperty {
    /// In upper case, without its group.
    let name: String
    /// In upper case; including the bare types of 2.1, without `TYPE=`.
    private(set) var types: [String] = []
    /// From 1, the most preferred; 101 if not given (RFC 6350, 5.3).
    private(set) var preference = 101
    /// Whether the value is encoded binary data, such as a picture.
    private(set) var isData = false
    /// Whether the value is a URI.
    private(set) var isAddress = false
    private var isQuotedPrintable = false
    private var charset: String?
    /// As written in the file.
    private let value: ArraySlice<UInt8>

    /// The maximum length of a name, in bytes.
    private static let longestName = 60
    private static let mostParameters = 50

    /// Nil if the line is not a property.
    init?(_ line: CardLines.Line) {
        guard let colon = line.colon else { return nil }
        let parameters = Self.parts(of: line.bytes[..<colon])
        guard let first = parameters.first else { return nil }
        let name = first.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).last ?? []
        guard (1...Self.longestName).contains(name.count), name.allSatisfy(Self.isOfName) else { return nil }
        self.name = String(decoding: name, as: UTF8.self).asciiUppercased
        value = line.bytes[(colon + 1)...]
        for parameter in parameters.dropFirst().prefix(Self.mostParameters) { take(parameter) }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The name and the parameters: separated by semicolons outside quotes.
    private static func parts(of head: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var isQuoted = false
        return head.split(omittingEmptySubsequences: false) { byte in
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            return byte == UInt8(ascii: ";") && !isQuoted
        }
    }

    private mutating func take(_ parameter: ArraySlice<UInt8>) {
        // No parameter that is read is longer, or contains anything but ASCII.
        guard parameter.count <= 200, parameter.allSatisfy({ $0 < 0x80 }) else { return }
        let text = String(decoding: parameter.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self).asciiUppercased
        let pair = text.split(atByte: UInt8(ascii: "="), maxSplits: 1)
        let (name, value) = pair.count == 2 ? (pair[0], pair[1]) : ("TYPE", text[...])
        switch name.trimmingBlanks {
        case "TYPE":
            for type in value.split(atByte: UInt8(ascii: ","), omittingEmpty: true) {
                take(type: String(type.trimmingBlanks), isNamed: pair.count == 2)
            }
        case "PREF": if let number = Int(value.trimmingBlanks) { preference = min(max(number, 1), 100) }
        case "ENCODING": take(encoding: value.trimmingBlanks)
        case "VALUE": isAddress = value.trimmingBlanks == "URI"
        case "CHARSET": charset = String(value.trimmingBlanks)
        default: break
        }
    }

    /// - Parameter isNamed: whether it comes after `TYPE=`; in 2.1 that may be omitted, as may `ENCODING=`.
    private mutating func take(type: String, isNamed: Bool) {
        switch type {
        case "PREF": preference = 1
        case "QUOTED-PRINTABLE", "BASE64", "B": if !isNamed { take(encoding: type[...]) }
        default: types.append(type)
        }
    }

    private mutating func take(encoding: Substring) {
        switch encoding {
        case "QUOTED-PRINTABLE": isQuotedPrintable = true
        case "BASE64", "B": isData = true
        default: break
        }
    }

    /// Whether the value after this is quoted-printable, which has its own line breaks.
    static func isQuotedPrintable(_ head: [UInt8]) -> Bool {
        parts(of: head[...]).dropFirst().prefix(mostParameters).contains { parameter in
            let text = String(decoding: parameter.suffix(30), as: UTF8.self).asciiUppercased
            return text.hasSameBytes(as: "QUOTED-PRINTABLE") || text.hasSameBytes(as: "ENCODING=QUOTED-PRINTABLE")
        }
    }

    // MARK: The value

    /// In bytes.
    var size: Int { value.count }

    /// The value as text, still escaped.
    ///
    /// - Throws: if it cannot be read as text; the reason reads well after the name of the property.
    func text() throws(InvalidText) -> String {
        guard !isData else { throw InvalidText("is not text") }
        let bytes = isQuotedPrintable ? Self.decoded(value) : Array(value)
        let text = try TextTranscoder.text(bytes, charset: charset)
        guard StreamSafe.accepts(text) else { throw InvalidText(StreamSafe.refusal) }
        return text
    }

    /// RFC 2045, 6.7; invalid sequences are kept unchanged.
    private static func decoded(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.count)
        var index = value.startIndex
        while index < value.endIndex {
            if value[index] == UInt8(ascii: "="), index + 2 < value.endIndex,
                let high = Hexadecimal.value(value[index + 1]), let low = Hexadecimal.value(value[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(value[index])
                index += 1
            }
        }
        return bytes
    }

    /// The parts of a value between unescaped separators; at most `most`, the rest is dropped.
    static func parts(_ text: String, at separator: UInt8, most: Int) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if byte == separator && !isEscaped {
                parts.append(String(decoding: part, as: UTF8.self))
                guard parts.count < most else { return parts }
                part = []
            } else {
                part.append(byte)
            }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return parts + [String(decoding: part, as: UTF8.self)]
    }

    /// Unescapes a text (RFC 6350, 3.4); a backslash before any other character is a backslash.
    static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var isEscaped = false
        for byte in text.utf8 {
            guard isEscaped else {
                isEscaped = byte == UInt8(ascii: "\\")
                if !isEscaped { bytes.append(byte) }
                continue
            }
            isEscaped = false
            switch byte {
            case UInt8(ascii: "n"), UInt8(ascii: "N"): bytes.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "\\"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"): bytes.append(byte)
            default: bytes += [UInt8(ascii: "\\"), byte]
            }
        }
        if isEscaped { bytes.append(UInt8(ascii: "\\")) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
