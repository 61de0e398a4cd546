package import ClubProtocol
import Crypto
import FoundationEssentials

/// Tokens for links in mails: the holder of a link may do the one thing it is for, until it expires, and nothing else.
///
/// A token is `base64url(<expiry in seconds>.<subject>)` `.` `base64url(HMAC-SHA256)`; the HMAC covers the purpose, so
/// that a link for one purpose is never valid for another. If the subject must stay secret, the token is the same text
/// under AES-256-GCM, without a dot: links pass through histories, proxies and logs. The keys are derived from the
/// service's signing key, so that all its replicas share them.
package struct SignedLinks: Sendable {
    private let key: SymmetricKey
    private let sealingKey: SymmetricKey
    private let now: @Sendable () -> Timestamp
    /// The key for the cursors of lists, independent of the one for links.
    let cursorKey: SymmetricKey
    /// The key for stored responses that contain a secret.
    let answerKey: SymmetricKey

    package init(key: KeyFile, now: @escaping @Sendable () -> Timestamp = { .now }) {
        self.key = key.derivedKey(for: "links")
        sealingKey = key.derivedKey(for: "sealed-links")
        self.now = now
        cursorKey = key.derivedKey(for: "cursors")
        answerKey = key.derivedKey(for: "stored-answers")
    }

    /// - Parameters:
    ///   - purpose: what the link is for, in a fixed word: `confirm-registration`.
    ///   - subject: what it is about, mostly an identifier, never an address; readable by the holder of the link.
    ///   - expires: rounded down to the second.
    package func token(purpose: String, subject: String, expires: Timestamp) -> String {
        let payload = Self.payload(subject, expires)
        let code = HMAC<SHA256>.authenticationCode(for: Self.message(purpose, payload), using: key)
        return "\(Base64URL.encode(payload)).\(Base64URL.encode(Array(code)))"
    }

    /// A token whose subject the holder of the link cannot read, such as an address.
    ///
    /// - Parameters:
    ///   - purpose: as for a readable token.
    ///   - subject: what it is about.
    ///   - expires: rounded down to the second.
    /// - Throws: errors of the cipher.
    package func sealedToken(purpose: String, subject: String, expires: Timestamp) throws -> String {
        Base64URL.encode(try Sealed.seal(Self.payload(subject, expires), with: sealingKey, for: purpose))
    }

    /// The subject of a token that was made for this purpose and has not expired.
    ///
    /// - Throws: 404 for all others: an invalid link is not found, without a reason.
    package func open(_ token: String, purpose: String) throws(Problem) -> String {
        guard let payload = payload(of: token, purpose: purpose), let dot = payload.firstIndex(of: UInt8(ascii: ".")),
            let seconds = Int64(String(decoding: payload[..<dot], as: UTF8.self)),
            seconds > now().microseconds / 1_000_000
        else { throw Problem(.notFound, "This link is not valid, or no longer.") }
        return String(decoding: payload[(dot + 1)...], as: UTF8.self)
    }

    /// The payload of a token of either kind, if this service made it for this purpose.
    private func payload(of token: String, purpose: String) -> [UInt8]? {
        guard token.utf8.count <= 4096 else { return nil }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let first = Base64URL.decode(parts[0]) else { return nil }
        if parts.count == 1 { return try? Sealed.open(first, with: sealingKey, for: purpose) }
        guard parts.count == 2, let code = Base64URL.decode(parts[1]),
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Self.message(purpose, first), using: key)
        else { return nil }
        return first
    }

    private static func payload(_ subject: String, _ expires: Timestamp) -> [UInt8] {
        Array("\(expires.microseconds / 1_000_000).\(subject)".utf8)
    }

    /// A short keyed digest of a text, for a subject that is valid only while the text is unchanged; it does not reveal
    /// the text.
    package func mark(of text: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Self.message("mark", Array(text.utf8)), using: key)
        return Base64URL.encode(Array(code.prefix(9)))
    }

    private static func message(_ purpose: String, _ payload: [UInt8]) -> [UInt8] {
        Array(purpose.utf8) + [0] + payload
    }
}
