import CIdn2

/// A domain name as in the DNS: labels of letters, digits and hyphens (RFC 1123), internationalized ones as A-labels
/// (RFC 5890), in lower case.
package enum DomainName {
    /// Converts what people type or paste to its DNS form: `École-Numérique.fr` becomes `xn--cole-numrique-9gbi.fr`.
    ///
    /// Plain ASCII is checked here. Anything else, and labels beginning with `xn--`, go through libidn2: UTS 46
    /// non-transitional mapping (`straße` and `strasse` stay different names). Labels that IDNA2008 does not allow
    /// are refused (an emoji, undecodable Punycode, mixed text directions).
    ///
    /// - Parameter text: UTF-8; at most 253 bytes are read, which bounds the cost of normalization.
    /// - Returns: at least two labels, at most 253 bytes; nil if it is not the name of an Internet host.
    package static func ascii(_ text: some Collection<UInt8>) -> String? {
        let bytes = Array(text.prefix(254))
        guard !bytes.isEmpty, bytes.count <= 253, !bytes.contains(0) else { return nil }
        let lowered = bytes.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        if bytes.allSatisfy({ $0 < 0x80 }), !hasEncodedLabel(lowered) {
            return isHostName(lowered) ? name(lowered) : nil
        }
        guard let name = mapped(lowered), isHostName(Array(name.utf8)) else { return nil }
        return name
    }

    /// One label, converted as by ``ascii(_:)``.
    static func label(_ text: some Collection<UInt8>) -> String? {
        guard !text.contains(UInt8(ascii: ".")) else { return nil }
        return ascii(Array(text.prefix(254)) + ".example".utf8).map { String($0.dropLast(8)) }
    }

    private static func name(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func hasEncodedLabel(_ lowered: [UInt8]) -> Bool {
        lowered.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).contains {
            $0.starts(with: "xn--".utf8)
        }
    }

    private static func mapped(_ bytes: [UInt8]) -> String? {
        var result: UnsafeMutablePointer<CChar>?
        let outcome = (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { domain in
            domain.baseAddress.map { cidn2_to_ascii($0, &result) }
        }
        guard let result else { return nil }
        defer { idn2_free(result) }
        return outcome == IDN2_OK.rawValue ? String(validatingCString: result) : nil
    }

    /// RFC 1123, 2.1, and RFC 1035, 2.3.4: labels of 1 to 63 letters, digits and hyphens, with no hyphen at either
    /// end.
    private static func isHostName(_ bytes: [UInt8]) -> Bool {
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return bytes.count <= 253 && labels.count >= 2
            && labels.allSatisfy { label in
                let hyphen = UInt8(ascii: "-")
                return (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                    && label.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == hyphen }
            }
    }
}
