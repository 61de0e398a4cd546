import Crypto
import CryptoExtras
import FoundationEssentials

/// A key that signatures are verified with. Each is for one algorithm, whatever a token says (RFC 8725, 3.1).
enum VerificationKey: Sendable {
    /// Ours, and the only kind allowed for the club's own keys.
    case ed25519(Curve25519.Signing.PublicKey)
    /// What OpenID providers sign with.
    case p256(P256.Signing.PublicKey)
    case rsa(_RSA.Signing.PublicKey)

    /// The kinds of key that a provider's JWKS may contain (RFC 7518, 6; RFC 8037, 2); nil for any other, for a key
    /// that is not for signatures, and for RSA below 2,048 bits.
    init?(_ key: PublicKey) {
        guard key.use == nil || key.use == "sig" else { return nil }
        func part(_ text: String?) -> [UInt8]? { text.flatMap { Base64URL.decode($0.utf8) } }
        switch (key.kty, key.crv, key.alg) {
        case ("OKP", "Ed25519", nil), ("OKP", "Ed25519", "EdDSA"):
            guard let key = key.ed25519 else { return nil }
            self = .ed25519(key)
        case ("EC", "P-256", nil), ("EC", "P-256", "ES256"):
            guard let x = part(key.x), let y = part(key.y), x.count == 32, y.count == 32,
                let key = try? P256.Signing.PublicKey(rawRepresentation: x + y)
            else { return nil }
            self = .p256(key)
        case ("RSA", _, nil), ("RSA", _, "RS256"):
            guard let n = part(key.n), let e = part(key.e), let key = try? _RSA.Signing.PublicKey(n: n, e: e),
                key.keySizeInBits >= 2048
            else { return nil }
            self = .rsa(key)
        default: return nil
        }
    }

    /// Its name in a token's header (RFC 7518, 3.1; RFC 8037, 3.1).
    var algorithm: String {
        switch self {
        case .ed25519: "EdDSA"
        case .p256: "ES256"
        case .rsa: "RS256"
        }
    }

    func isValid(_ signature: [UInt8], for signed: ArraySlice<UInt8>) -> Bool {
        switch self {
        case .ed25519(let key): key.isValidSignature(signature, for: signed)
        case .p256(let key):
            (try? P256.Signing.ECDSASignature(rawRepresentation: signature))
                .map { key.isValidSignature($0, for: signed) } ?? false
        case .rsa(let key):
            // RS256 is PKCS #1 version 1.5 by definition; the name of the padding is a warning for new designs.
            key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: signed, padding: .insecurePKCS1v1_5)
        }
    }
}
