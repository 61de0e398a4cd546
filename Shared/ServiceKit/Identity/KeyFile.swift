import Crypto
import FoundationEssentials

/// A private Ed25519 key as a JSON Web Key (RFC 8037): the content of `SIGNING_KEY_FILE`.
///
/// `{"crv":"Ed25519","d":"…","kid":"…","kty":"OKP","x":"…"}`
package struct KeyFile: Sendable {
    /// Identifies the key in token headers and in the trust file.
    package let kid: String
    let key: Curve25519.Signing.PrivateKey

    private init(kid: String, key: Curve25519.Signing.PrivateKey) {
        self.kid = kid
        self.key = key
    }

    /// Generates a new key.
    ///
    /// - Parameter kid: 1 to 64 letters, digits, `.`, `_`, `-`.
    package static func generate(kid: String) throws(IdentityFileError) -> KeyFile {
        guard PlainIdentifier.isValid(kid) else {
            throw IdentityFileError("kid", "must be 1 to 64 of A-Z a-z 0-9 . _ -")
        }
        return KeyFile(kid: kid, key: Curve25519.Signing.PrivateKey())
    }

    /// Reads a key, and checks that its public and private halves match.
    package init(path: String) throws(IdentityFileError) {
        let data = try SecureFile.read(path)
        guard let document = try? JSONDecoder().decode(Document.self, from: data) else {
            throw IdentityFileError(path, "is not a JSON Web Key with kty, crv, d, x and kid")
        }
        guard document.kty == "OKP", document.crv == "Ed25519" else {
            throw IdentityFileError(path, "is not an Ed25519 key (kty OKP, crv Ed25519)")
        }
        guard PlainIdentifier.isValid(document.kid) else {
            throw IdentityFileError(path, "kid must be 1 to 64 of A-Z a-z 0-9 . _ -")
        }
        guard let secret = Base64URL.decode(document.d.utf8),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: secret)
        else { throw IdentityFileError(path, "its private part cannot be read") }
        guard Base64URL.decode(document.x.utf8) == Array(key.publicKey.rawRepresentation) else {
            throw IdentityFileError(path, "its public part is not that of its private part")
        }
        self.init(kid: document.kid, key: key)
    }

    /// Creates the file, mode 0600. An existing file is an error, and stays as it is.
    package func write(to path: String) throws(IdentityFileError) {
        let document = Document(
            kty: "OKP", crv: "Ed25519", d: Base64URL.encode(key.rawRepresentation),
            x: Base64URL.encode(key.publicKey.rawRepresentation), kid: kid)
        try SecureFile.create(IdentityJSON.file(document, path: path), at: path, mode: 0o600)
    }

    /// The public half.
    var publicKey: PublicKey {
        PublicKey(
            kty: "OKP", crv: "Ed25519", x: Base64URL.encode(key.publicKey.rawRepresentation), kid: kid, alg: "EdDSA",
            use: "sig")
    }

    /// A key for one purpose, derived from this one (HKDF with SHA-256, RFC 5869), so that other purposes do not learn
    /// it.
    func derivedKey(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key.rawRepresentation), info: Data("club/\(purpose)".utf8),
            outputByteCount: 32)
    }

    private struct Document: Codable {
        var kty: String
        var crv: String
        var d: String
        var x: String
        var kid: String
    }
}

/// Printing a key shows only its name.
extension KeyFile: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "KeyFile(\(kid))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["kid": kid]) }
}

/// A public key as a JSON Web Key (RFC 7517, RFC 8037).
package struct PublicKey: Codable, Hashable, Sendable {
    var kty: String
    var crv: String?
    package var x: String?
    /// Of a P-256 key.
    package var y: String?
    /// Modulus and exponent of an RSA key.
    var n: String?
    var e: String?
    package var kid: String?
    var alg: String?
    package var use: String?

    /// `{"keys": […]}`, as `/.well-known/jwks.json` serves it.
    struct Set: Codable {
        var keys: [PublicKey]
    }

    /// The key to verify signatures with; nil if this is not an Ed25519 signature key.
    var ed25519: Curve25519.Signing.PublicKey? {
        guard kty == "OKP", crv == "Ed25519", alg == nil || alg == "EdDSA", use == nil || use == "sig",
            let bytes = Base64URL.decode((x ?? "").utf8), bytes.count == 32
        else { return nil }
        return try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
    }
}

/// The identifiers of keys, and those of requests that are accepted from callers.
enum PlainIdentifier {
    /// Whether it is 1 to 64 letters, digits, dots, underscores and hyphens.
    static func isValid(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

/// JSON as used in key files and tokens: sorted keys, unescaped slashes.
enum IdentityJSON {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    static func file(_ value: some Encodable, path: String) throws(IdentityFileError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        guard let data = try? encoder.encode(value) else { throw IdentityFileError(path, "cannot be encoded") }
        return data + Data("\n".utf8)
    }
}
