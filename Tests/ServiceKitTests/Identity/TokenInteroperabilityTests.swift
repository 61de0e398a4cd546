import ClubProtocol
import Foundation
import JWTKit
import Testing

@testable import ServiceKit

/// Our tokens against another implementation of JSON web tokens, both ways.
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
