import ClubProtocol
import Crypto
import FoundationEssentials

/// What the messages to one webhook are signed with (Standard Webhooks, "Signature scheme").
struct WebhookSecret: Hashable, Sendable {
    private static let prefix = "whsec_"
    private let bytes: [UInt8]

    /// A fresh one: 32 bytes, of the 24 to 64 that the convention allows.
    init() {
        bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
    }

    /// - Returns: nil for what is no `whsec_` and base64 of 24 to 64 bytes.
    init?(text: String) {
        guard text.hasBytePrefix(Self.prefix),
            let data = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))),
            (24...64).contains(data.count)
        else { return nil }
        bytes = Array(data)
    }

    /// `whsec_…`
    var text: String { Self.prefix + Data(bytes).base64EncodedString() }

    /// `v1,…`: HMAC-SHA256 of `id.timestamp.body`.
    ///
    /// - Parameters:
    ///   - id: of the message; has no full stop in it.
    ///   - timestamp: of the attempt, in seconds since 1970.
    func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
        var code = HMAC<SHA256>(key: SymmetricKey(data: bytes))
        code.update(data: Data("\(id).\(timestamp).".utf8))
        code.update(data: body)
        return "v1,\(Data(code.finalize()).base64EncodedString())"
    }

    // MARK: At rest

    func sealed(with key: SymmetricKey, for webhook: Webhook.ID) throws -> [UInt8] {
        try Sealed.seal(bytes, with: key, for: "webhook \(webhook)")
    }

    /// - Throws: `Sealed.CannotBeOpened`, as after the service got another key.
    init(sealed: [UInt8], with key: SymmetricKey, for webhook: Webhook.ID) throws(Sealed.CannotBeOpened) {
        bytes = try Sealed.open(sealed, with: key, for: "webhook \(webhook)")
    }
}

/// Whatever prints a secret prints nothing of it.
extension WebhookSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "WebhookSecret" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
