import ClubProtocol
import CryptoExtras
import Foundation
import JWTKit
import Testing

@testable import ServiceKit

/// Our tokens against another implementation of JSON web tokens, in both directions.
@Suite("Tokens and JWTKit")
struct TokenInteroperabilityTests {
    struct Payload: JWTPayload {
        var iss: String
        var sub: String
        var aud: AudienceClaim
        var role: String
        var iat: IssuedAtClaim
        var exp: ExpirationClaim
        var jti: String

        func verify(using algorithm: some JWTAlgorithm) async throws { try exp.verifyNotExpired() }
    }

    @Test("JWTKit accepts what we sign")
    func ours() async throws {
        let key = try KeyFile.generate(kid: "events-1")
        let signer = TokenSigner(key: key, name: .events)
        let keys = try await JWTKeyCollection().add(jwksJSON: String(decoding: try signer.jwks, as: UTF8.self))
        let payload = try await keys.verify(signer.token(for: .directory), as: Payload.self)
        #expect(payload.iss == "events" && payload.role == "service" && payload.aud.value == ["directory"])
    }

    @Test(
        "we accept an OpenID provider's ES256 and RS256, each key for its own algorithm and issuer only"
    )
    func provider() async throws {
        let fixture = try IdentityFixture()
        let now = fixture.clock.read().date
        let curve = ES256PrivateKey()
        let rsa = try Insecure.RSA.PrivateKey(pem: _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation)
        func base64(_ text: String?) -> String? {
            text?.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
        let parts = try rsa.publicKey.getKeyPrimitives()
        let rsaKey = PublicKey(
            kty: "RSA", n: Base64URL.encode(parts.modulus), e: Base64URL.encode(parts.publicExponent), kid: "rsa",
            use: "sig")
        var short = rsaKey
        short.n = Base64URL.encode(parts.modulus.prefix(128))
        #expect(VerificationKey(short) == nil)
        let parameters = try #require(curve.publicKey.parameters)
        var trust = fixture.trust
        trust.issuers = [
            .init(
                issuer: "https://id.example.org",
                keys: [
                    PublicKey(kty: "EC", crv: "P-256", x: base64(parameters.x), y: base64(parameters.y), kid: "curve"),
                    rsaKey,
                ])
        ]
        try trust.replace(at: fixture.trustPath)
        let verifier = try fixture.verifier()
        let right = await JWTKeyCollection()
            .add(ecdsa: curve, kid: "curve").add(rsa: rsa, digestAlgorithm: .sha256, kid: "rsa")
        let wrong = await JWTKeyCollection()
            .add(rsa: rsa, digestAlgorithm: .sha256, kid: "curve").add(rsa: rsa, digestAlgorithm: .sha512, kid: "rsa")
        func token(
            _ kid: JWKIdentifier, by keys: JWTKeyCollection, issuer: String = "https://id.example.org"
        ) async throws -> Substring {
            let payload = Payload(
                iss: issuer, sub: "claire", aud: AudienceClaim(value: ["directory"]), role: "editor",
                iat: .init(value: now), exp: .init(value: now.addingTimeInterval(60)), jti: "x")
            return try await keys.sign(payload, kid: kid)[...]
        }
        for kid in ["curve", "rsa"] as [JWKIdentifier] {
            let good = try await token(kid, by: right)
            #expect(
                try verifier.verify(good) == Principal(subject: "https://id.example.org#claire", role: .editor))
            for bad in [
                try await token(kid, by: wrong), try await token(kid, by: right, issuer: "operator"),
                try await token(kid, by: right, issuer: "https://evil.example"),
            ] {
                #expect(throws: Problem.self) { try verifier.verify(bad) }
            }
        }
    }

    @Test("we accept what JWTKit signs")
    func theirs() async throws {
        let fixture = try IdentityFixture()
        let keys = await JWTKeyCollection()
            .add(eddsa: EdDSA.PrivateKey(backing: fixture.people.key), kid: JWKIdentifier(string: "people-1"))
        let now = fixture.clock.read().date
        let payload = Payload(
            iss: "operator", sub: "claire", aud: AudienceClaim(value: ["directory", "events"]), role: "auditor",
            iat: .init(value: now),
            exp: .init(value: now.addingTimeInterval(60.5)), jti: "x")
        let token = try await keys.sign(payload, kid: JWKIdentifier(string: "people-1"))
        #expect(try fixture.verifier().verify(token[...]) == Principal(subject: "claire", role: .auditor))
    }
}
