import CIdn2

/// A domain name as the DNS has it: labels of letters, digits and hyphens (RFC 1123), those with other letters as A-labels
/// (RFC 5890), in lower case.
package enum DomainName {
    /// What people type or paste, as the DNS has it: `École-Numérique.fr` is `xn--cole-numrique-9gbi.fr`.
    ///
    /// Plain ASCII is checked here. Whatever else, and labels that begin with `xn--`, are read by libidn2: mapped by UTS 46 without
    /// its transitional rules (`straße` stays another name than `strasse`), and refused where IDNA2008 has no such label (an emoji,
    /// undecodable Punycode, letters of both directions).
    ///
    /// - Parameter text: bytes of UTF-8; at most 253 are read, so that what normalising costs is bounded.
    /// - Returns: at least two labels, at most 253 bytes; nil for what is no name of a host on the Internet.
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

    /// A label by itself, as ``ascii(_:)`` has it in a name.
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

    /// RFC 1123, 2.1, and RFC 1035, 2.3.4: labels of 1 to 63 letters, digits and hyphens, none at an end.
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
