import Crypto
import CryptoExtras
import Foundation

/// Verifies signatures (RFC 6376, 6.1.3) independently of the code that signs.
struct DKIMVerifier {
    /// The records by selector.
    var records: [String: String]

    /// Whether each signature is valid, by selector.
    func verify(_ message: String) -> [String: Bool] {
        guard let split = message.range(of: "\r\n\r\n") else { return [:] }
        let fields = String(message[..<split.lowerBound]).replacingOccurrences(
            of: "\r\n(?=[^ \t])", with: "\u{0}", options: .regularExpression
        ).components(separatedBy: "\u{0}")
        let body = Self.body(String(message[split.upperBound...]))
        var results: [String: Bool] = [:]
        for field in fields where Self.name(field) == "dkim-signature" {
            let tags = Self.tags(String(field.drop { $0 != ":" }.dropFirst()))
            results[tags["s"] ?? ""] = isValid(field, tags, fields.filter { $0 != field }, body)
        }
        return results
    }

    private func isValid(_ field: String, _ tags: [String: String], _ fields: [String], _ body: String) -> Bool {
        guard Data(SHA256.hash(data: Data(body.utf8))).base64EncodedString() == tags["bh"] else { return false }
        var left = Dictionary(grouping: fields, by: Self.name)
        var signed = ""
        for name in (tags["h"] ?? "").components(separatedBy: ":") {
            guard let line = left[name.lowercased()]?.popLast() else { continue }
            signed += Self.relaxed(line) + "\r\n"
        }
        signed += Self.relaxed(field).replacingOccurrences(
            of: "(; *)b *=[^;]*", with: "$1b=", options: .regularExpression)
        let digest = SHA256.hash(data: Data(signed.utf8))
        let record = Self.tags(records[tags["s"] ?? ""] ?? "")
        guard let signature = Data(base64Encoded: tags["b"] ?? ""), let key = Data(base64Encoded: record["p"] ?? "")
        else { return false }
        switch (tags["a"], record["k"]) {
        case ("ed25519-sha256", "ed25519"):
            return (try? Curve25519.Signing.PublicKey(rawRepresentation: key))?
                .isValidSignature(signature, for: Data(digest)) ?? false
        case ("rsa-sha256", "rsa"):
            return (try? _RSA.Signing.PublicKey(derRepresentation: key))?.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: digest, padding: .insecurePKCS1v1_5)
                ?? false
        default: return false
        }
    }

    static func tags(_ text: String) -> [String: String] {
        var tags: [String: String] = [:]
        for part in text.components(separatedBy: ";") {
            guard let sign = part.firstIndex(of: "=") else { continue }
            let value = part[part.index(after: sign)...].unicodeScalars.filter {
                !" \t\r\n".unicodeScalars.contains($0)
            }
            tags[part[..<sign].trimmingCharacters(in: .whitespacesAndNewlines)] = String(value)
        }
        return tags
    }

    private static func name(_ field: String) -> String {
        field.prefix { $0 != ":" }.trimmingCharacters(in: .whitespaces).lowercased()
    }

    private static func relaxed(_ field: String) -> String {
        let value = String(field.drop { $0 != ":" }.dropFirst())
            .replacingOccurrences(of: "[ \t\r\n]+", with: " ", options: .regularExpression)
        return "\(name(field)):\(value.trimmingCharacters(in: .whitespaces))"
    }

    private static func body(_ body: String) -> String {
        var lines = body.components(separatedBy: "\r\n").map { line in
            line.replacingOccurrences(of: "[ \t]+", with: " ", options: .regularExpression)
                .replacingOccurrences(of: " $", with: "", options: .regularExpression)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { "\($0)\r\n" }.joined()
    }
}
