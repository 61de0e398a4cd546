import ClubProtocol
import Crypto
import FoundationEssentials

/// The secret that the messages to one webhook are signed with (Standard Webhooks, "Signature scheme").
struct WebhookSecret: Hashable, Sendable {
    private static let prefix = "whsec_"
    private let bytes: [UInt8]

    /// A new one: 32 bytes, of the 24 to 64 that the specification allows.
    init() {
        bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
    }

    /// - Returns: nil for anything but `whsec_` and base64 of 24 to 64 bytes.
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
    ///   - id: of the message; contains no full stop.
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

    /// - Throws: `Sealed.CannotBeOpened`, for example after the service's key was replaced.
    init(sealed: [UInt8], with key: SymmetricKey, for webhook: Webhook.ID) throws(Sealed.CannotBeOpened) {
        bytes = try Sealed.open(sealed, with: key, for: "webhook \(webhook)")
    }
}

/// Printing a secret reveals nothing of it.
extension WebhookSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "WebhookSecret" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
