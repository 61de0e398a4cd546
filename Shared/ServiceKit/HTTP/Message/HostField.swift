/// The host of a request: `uri-host [ ":" port ]` (RFC 9110, 7.2), with the grammar of RFC 3986, 3.2.2.
enum HostField {
    /// Whether `text` can be the value of `Host`, which may be empty.
    ///
    /// A comma is refused although the grammar allows it: no host name contains one, and two `Host` fields that a proxy
    /// joined look like it.
    static func isValid(_ text: some StringProtocol) -> Bool {
        text.utf8.withContiguousStorageIfAvailable(isValid) ?? Array(text.utf8).withUnsafeBufferPointer(isValid)
    }

    private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    private static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let text = bytes[...]
        guard text.first == UInt8(ascii: "[") else {
            let end = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
            return isName(text[..<end]) && isPort(text[end...])
        }
        guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return false }
        return isLiteral(text[text.index(after: text.startIndex)..<end]) && isPort(text[text.index(after: end)...])
    }

    /// Nothing, or a colon and digits, of which there may be none.
    private static func isPort(_ text: Bytes) -> Bool {
        guard let colon = text.first else { return true }
        return colon == UInt8(ascii: ":") && text.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isName(_ text: Bytes) -> Bool {
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst(), let low = rest.popFirst(), isHex(high), isHex(low) else {
                    return false
                }
            } else if !isPlain(byte) {
                return false
            }
        }
        return true
    }

    /// An IPv6 address without a zone, or the form of a later version (`v7.…`).
    private static func isLiteral(_ text: Bytes) -> Bool {
        guard text.first == UInt8(ascii: "v") || text.first == UInt8(ascii: "V") else {
            return IPAddress(ascii: text)?.bytes.count == 16
        }
        guard let dot = text.firstIndex(of: UInt8(ascii: ".")) else { return false }
        let (version, address) = (text[..<dot].dropFirst(), text[text.index(after: dot)...])
        return !version.isEmpty && version.allSatisfy(isHex)
            && !address.isEmpty && address.allSatisfy { isPlain($0) || $0 == UInt8(ascii: ":") }
    }

    /// `unreserved` and `sub-delims` without the comma.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: ";"), UInt8(ascii: "="),
            // & ' ( ) * +
            0x26...0x2B:
            true
        default: false
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
