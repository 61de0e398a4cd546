import ClubProtocol
import Crypto
import FoundationEssentials

/// Signs mails for their domain (DKIM, RFC 6376), with every key of `DKIM_KEYS_FILE`: receivers that do not know
/// Ed25519 (RFC 8463) verify RSA.
struct DKIMSigner: Sendable {
    /// A field that is signed as often as it is there.
    private struct SignedField: Sendable {
        var name: String
        /// Whether it is named once more than it is there, so that one added later makes the signature invalid: readers
        /// might show the added one, or follow it.
        var isOversigned = false
    }

    private static let signedFields = [
        SignedField(name: "From", isOversigned: true), SignedField(name: "To", isOversigned: true),
        SignedField(name: "Subject", isOversigned: true), SignedField(name: "Date", isOversigned: true),
        SignedField(name: "Message-ID", isOversigned: true), SignedField(name: "Reply-To", isOversigned: true),
        SignedField(name: "List-Unsubscribe", isOversigned: true),
        SignedField(name: "List-Unsubscribe-Post", isOversigned: true),
        SignedField(name: "Content-Type", isOversigned: true), SignedField(name: "MIME-Version"),
        SignedField(name: "Content-Transfer-Encoding"), SignedField(name: "List-Id"),
    ]

    let domain: String
    let keys: [DKIMKey]

    init(keysFile: String) throws(DKIMKeysInvalid) {
        let file = try DKIMKeys(path: keysFile)
        domain = file.domain
        keys = file.keys
    }

    /// Whether mails from an address are signed: if it is of the domain or of one below it. Any other signature counts
    /// for nothing, as it would not say that the sender is who it seems (RFC 7489, 3.1.1).
    func signs(for sender: EmailAddress) -> Bool { isAligned(sender.text.utf8) }

    /// The message with its signatures before it, a field for each key; unchanged if it is not from the domain.
    ///
    /// The same message has the same signatures: their time is the message's date.
    func signed(_ message: [UInt8]) -> [UInt8] {
        let canonical = DKIMCanonical(message)
        let senders = Self.values(of: "From", in: canonical)
        guard senders.count == 1, isAligned(senders[0].prefix { $0 != UInt8(ascii: ">") }) else { return message }

        let date = Self.values(of: "Date", in: canonical).first.flatMap(MessageDate.seconds)
        let names = Self.names(in: canonical)
        var hasher = SHA256()
        for field in Self.signedFields {
            // Of several, the last one comes first (RFC 6376, 5.4.2).
            for line in Self.lines(of: field.name, in: canonical).reversed() { hasher.update(data: line) }
        }
        let bodyHash = Array(SHA256.hash(data: canonical.body))

        var result: [UInt8] = []
        result.reserveCapacity(message.count + 1024 * keys.count)
        for key in keys {
            var field = unsigned(key, date, names, bodyHash)
            var line: [UInt8] = []
            DKIMCanonical.append(field: field[...], to: &line)
            var hasher = hasher
            hasher.update(data: line.dropLast(2))
            // A key that has been read signs, unless memory is short; a mail with one signature less is still a mail.
            guard let signature = try? key.signature(for: hasher.finalize()) else { continue }
            Base64.encode(signature, lines: 72, separator: "\r\n ", into: &field)
            result += field
            result += "\r\n".utf8
        }
        result += message
        return result
    }

    /// The field up to its signature, which comes last.
    private func unsigned(_ key: DKIMKey, _ date: Int?, _ names: [UInt8], _ bodyHash: [UInt8]) -> [UInt8] {
        var field: [UInt8] = []
        field.reserveCapacity(1024)
        field += "DKIM-Signature: v=1; a=\(key.algorithm.rawValue); c=relaxed/relaxed;\r\n d=\(domain);".utf8
        field += "\r\n s=\(key.selector);".utf8
        if let date { field += " t=\(date);".utf8 }
        field += "\r\n h=".utf8
        field += names
        field += ";\r\n bh=".utf8
        Base64.encode(bodyHash, lines: 72, separator: "\r\n ", into: &field)
        field += ";\r\n b=".utf8
        return field
    }

    /// The value of `h=`, folded after colons.
    private static func names(in canonical: DKIMCanonical) -> [UInt8] {
        var names: [UInt8] = []
        var column = 3
        for field in signedFields {
            let count = lines(of: field.name, in: canonical).count + (field.isOversigned ? 1 : 0)
            for _ in 0..<count {
                if !names.isEmpty { names.append(UInt8(ascii: ":")) }
                if column + field.name.utf8.count + 1 > HeaderField.columns {
                    names += "\r\n ".utf8
                    column = 1
                }
                names += field.name.utf8
                column += field.name.utf8.count + 1
            }
        }
        return names
    }

    private static func lines(of name: String, in canonical: DKIMCanonical) -> [ArraySlice<UInt8>] {
        let start = Array("\(name.asciiLowercased):".utf8)
        return canonical.fields.filter { $0.starts(with: start) }
    }

    private static func values(of name: String, in canonical: DKIMCanonical) -> [ArraySlice<UInt8>] {
        lines(of: name, in: canonical).map { $0.dropFirst(name.utf8.count + 1).dropLast(2) }
    }

    /// - Parameter address: ends in the domain of an address.
    private func isAligned(_ address: some BidirectionalCollection<UInt8>) -> Bool {
        guard let at = address.lastIndex(of: UInt8(ascii: "@")) else { return false }
        let sender = address[at...].dropFirst()
        guard !sender.elementsEqual(domain.utf8) else { return true }
        return sender.reversed().starts(with: ".\(domain)".utf8.reversed())
    }
}
