import ClubProtocol

/// The value of `Content-Type` (RFC 9110, 8.3.1): a media type, and the one parameter that matters here.
struct ContentType {
    /// In lower case: `application/json`.
    let name: String
    /// In lower case and without quotes.
    private(set) var charset: String?

    /// - Returns: nil for what is not a media type, and for one that names two character sets.
    init?(_ text: String) {
        var rest = Substring(text).utf8
        Self.skipBlanks(&rest)
        guard let type = Self.token(&rest), rest.popFirst() == UInt8(ascii: "/"), let subtype = Self.token(&rest) else {
            return nil
        }
        name = "\(type)/\(subtype)".asciiLowercased
        while true {
            Self.skipBlanks(&rest)
            guard let next = rest.popFirst() else { return }
            guard next == UInt8(ascii: ";") else { return nil }
            Self.skipBlanks(&rest)
            // An empty parameter is allowed, and ignored (RFC 9110, 5.6.6).
            if rest.isEmpty || rest.first == UInt8(ascii: ";") { continue }
            guard let parameter = Self.token(&rest), rest.popFirst() == UInt8(ascii: "="),
                let value = rest.first == UInt8(ascii: "\"") ? Self.quoted(&rest) : Self.token(&rest).map(String.init)
            else { return nil }
            guard parameter.isField("charset") else { continue }
            guard charset == nil else { return nil }
            charset = value.asciiLowercased
        }
    }

    private static func skipBlanks(_ rest: inout Substring.UTF8View) {
        while let first = rest.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { rest.removeFirst() }
    }

    private static func token(_ rest: inout Substring.UTF8View) -> Substring? {
        let end = rest.firstIndex { !isToken($0) } ?? rest.endIndex
        guard end > rest.startIndex else { return nil }
        defer { rest = rest[end...] }
        return Substring(rest[..<end])
    }

    private static func quoted(_ rest: inout Substring.UTF8View) -> String? {
        rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                bytes.append(escaped)
            default: bytes.append(byte)
            }
        }
        return nil
    }

    /// `tchar` (RFC 9110, 5.6.2).
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: marks.contains(byte)
        }
    }

    private static let marks = Array("!#$%&'*+-.^_`|~".utf8)
}
