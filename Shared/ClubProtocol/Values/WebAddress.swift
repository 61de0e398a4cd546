/// The address of a web page: `http` or `https`, a host, no user information, at most 2,000 bytes. An
/// internationalized host is kept as A-labels, and non-ASCII characters after it are percent-encoded as UTF-8 (RFC
/// 3987, 3.1), as RFC 3986 requires.
package struct WebAddress: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        let refusal = InvalidText("is not a valid web address (https://…)")
        guard text.utf8.count <= 2000 else { throw refusal }
        guard let bytes = Self.encoded(text), bytes.count <= 2000 else { throw refusal }
        guard let scheme = ["https://", "http://"].first(where: { Self.begins(bytes, with: $0) })?.utf8.count else {
            throw refusal
        }
        let end = bytes[scheme...].firstIndex(where: "/?#".utf8.contains) ?? bytes.endIndex
        let authority = bytes[scheme..<end]
        guard bytes[end...].allSatisfy(Self.mayFollow), !authority.contains(UInt8(ascii: "@")) else { throw refusal }
        guard authority.contains(where: { $0 >= 0x80 }) || Self.hasEncodedLabel(authority) else {
            guard authority.allSatisfy(Self.mayFollow), authority.contains(UInt8(ascii: ".")),
                authority.first != UInt8(ascii: "."), authority.last != UInt8(ascii: ".")
            else { throw refusal }
            self.text = String(decoding: bytes, as: UTF8.self)
            return
        }
        let hostEnd = authority.firstIndex(of: UInt8(ascii: ":")) ?? end
        guard let host = DomainName.ascii(authority[..<hostEnd]),
            authority[hostEnd...].dropFirst().allSatisfy({ (0x30...0x39).contains($0) })
        else { throw refusal }
        let kept =
            String(decoding: bytes[..<scheme], as: UTF8.self) + host
            + String(decoding: bytes[hostEnd...], as: UTF8.self)
        guard kept.utf8.count <= 2000 else { throw refusal }
        self.text = kept
    }

    package static var schema: TextSchema {
        TextSchema(format: "uri", maxLength: 2000, example: "https://www.example.org/")
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    /// With everything after the host in ASCII; nil if it has an invisible character.
    static func encoded(_ text: String) -> [UInt8]? {
        guard !text.isASCII else { return Array(text.utf8) }
        var slashes = 0
        var isBehindHost = false
        var encoded: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar == "/" { slashes += 1 }
            isBehindHost = isBehindHost || slashes > 2 || scalar == "?" || scalar == "#"
            guard isBehindHost, !scalar.isASCII else {
                encoded.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
                continue
            }
            guard Text.isVisible(scalar) else { return nil }
            for byte in UTF8.encode(scalar).map(Array.init) ?? [] {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return encoded
    }

    /// Case-insensitive; `prefix` must be in lower case.
    private static func begins(_ bytes: [UInt8], with prefix: String) -> Bool {
        zip(bytes, prefix.utf8).allSatisfy { $0 | ((0x41...0x5A).contains($0) ? 0x20 : 0) == $1 }
            && bytes.count > prefix.utf8.count
    }

    private static func hasEncodedLabel(_ authority: ArraySlice<UInt8>) -> Bool {
        authority.split(separator: UInt8(ascii: ".")).contains { Self.begins(Array($0), with: "xn--") }
    }

    /// Whether a byte is allowed after the scheme.
    private static func mayFollow(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\"<>\\^`{|}".utf8.contains(byte)
    }
}
