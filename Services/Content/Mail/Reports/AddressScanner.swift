import ClubProtocol

/// Finds addresses in texts and in the values of fields.
enum AddressScanner {
    /// The address in a value such as `rfc822; paul@club.example` or `Paul <paul@club.example>`.
    static func first(in value: [UInt8]) -> EmailAddress? {
        // The type of an address (RFC 3464, 2.3.2), where there is one.
        let typed = value.prefix(40).firstIndex(of: UInt8(ascii: ";")).map { value[($0 + 1)...] } ?? value[...]
        return address(typed.trimmed) ?? all(in: value[...], most: 1).first
    }

    /// The addresses in a value, in order.
    static func all(in text: ArraySlice<UInt8>, most: Int) -> [EmailAddress] {
        var found: [EmailAddress] = []
        var rest = text
        while found.count < most, let at = rest.firstIndex(of: UInt8(ascii: "@")) {
            let start = self.start(before: at, in: rest)
            let end = self.end(after: at, in: rest)
            if let address = address(text[start..<end]) { found.append(address) }
            rest = rest[max(end, at + 1)...]
        }
        return found
    }

    /// The address that a text begins with, and what follows it.
    static func leading(_ text: ArraySlice<UInt8>) -> (address: EmailAddress, rest: ArraySlice<UInt8>)? {
        let local = text.prefix(65).prefix(while: isLocal)
        guard !local.isEmpty, local.endIndex < text.endIndex, text[local.endIndex] == UInt8(ascii: "@") else {
            return nil
        }
        let end = end(after: local.endIndex, in: text)
        return address(text[text.startIndex..<end]).map { ($0, text[end...]) }
    }

    private static func address(_ bytes: ArraySlice<UInt8>) -> EmailAddress? {
        var bytes = bytes
        if bytes.first == UInt8(ascii: "<"), let end = bytes.firstIndex(of: UInt8(ascii: ">")) {
            bytes = bytes[..<end].dropFirst()
        }
        guard bytes.count <= 254 else { return nil }
        return try? EmailAddress(validating: String(decoding: bytes, as: UTF8.self))
    }

    private static func start(before at: Int, in text: ArraySlice<UInt8>) -> Int {
        var start = at
        while start > text.startIndex, at - start < 64, isLocal(text[start - 1]) { start -= 1 }
        // `'paul@club.example'`, and a sentence that ends before it.
        while start < at, text[start] == UInt8(ascii: "'") || text[start] == UInt8(ascii: ".") { start += 1 }
        return start
    }

    private static func end(after at: Int, in text: ArraySlice<UInt8>) -> Int {
        var end = at + 1
        while end < text.endIndex, end - at <= 253, isDomain(text[end]) { end += 1 }
        while end > at + 1, !ReplyWords.isLetterOrDigit(text[end - 1]) { end -= 1 }
        return end
    }

    /// Less than RFC 5322 allows: `=` and `/` are in front of addresses in texts (`SMTP=paul@club.example`).
    private static func isLocal(_ byte: UInt8) -> Bool {
        ReplyWords.isLetterOrDigit(byte) || "._+-&~!#$%?'".utf8.contains(byte)
    }

    private static func isDomain(_ byte: UInt8) -> Bool {
        ReplyWords.isLetterOrDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }
}
