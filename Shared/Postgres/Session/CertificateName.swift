import Glibc
import NIOSSL

/// Whether a certificate was issued for a host, by libpq's rules (PostgreSQL documentation, 34.19.1).
enum CertificateName {
    /// - Parameter host: a name, or an address, which only a certificate for the address is good for.
    static func matches(_ certificate: NIOSSLCertificate, _ host: String) -> Bool {
        let address = address(host)
        var hasKind = false
        for name in certificate._subjectAlternativeNames() {
            let contents = Array(name.contents)
            switch name.nameType {
            case .dnsName:
                if address == nil { hasKind = true }
                if matches(String(decoding: contents, as: UTF8.self), host) { return true }
            case .ipAddress:
                if address != nil { hasKind = true }
                if contents == address { return true }
            default: break
            }
        }
        // Only certificates without names of the host's kind are identified by their subject.
        guard !hasKind, let common = certificate.subjectName.first(where: { $0.type == .commonName }) else {
            return false
        }
        return matches(common.value, host)
    }

    /// Names are equal whatever the case of their letters. `*.` at the beginning stands for one label.
    static func matches(_ pattern: String, _ host: String) -> Bool {
        let (pattern, host) = (pattern.utf8.map(lowercase), host.utf8.map(lowercase))
        if pattern == host { return true }
        guard pattern.count >= 3, pattern.starts(with: "*.".utf8), let dot = host.firstIndex(of: UInt8(ascii: ".")),
            dot > 0
        else { return false }
        return host[dot...] == pattern[1...]
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// The 4 or 16 bytes of an address; nil for a name.
    private static func address(_ host: String) -> [UInt8]? {
        var four = [UInt8](repeating: 0, count: 4)
        if unsafe inet_pton(AF_INET, host, &four) == 1 { return four }
        var six = [UInt8](repeating: 0, count: 16)
        return unsafe inet_pton(AF_INET6, host, &six) == 1 ? six : nil
    }
}
