import ClubProtocol
import Crypto
import Foundation
import HTTPTypes
import Logging
import Testing

@testable import ServiceKit

@Suite("A token verifier")
struct TokenVerifierTests {
    let fixture: IdentityFixture

    init() throws { fixture = try IdentityFixture() }

    @Test("recognises a person by the operator's key")
    func person() throws {
        let organization = Organization.ID()
        let person = Person.ID()
        let token = try TokenSigner.personToken(
            key: fixture.people, subject: "claire", role: .representative, organization: organization, person: person,
            audience: [.events, .directory], ttl: .seconds(60), now: fixture.clock.read())
        let principal = try fixture.verifier().verify(token[...])
        #expect(
            principal
                == Principal(subject: "claire", role: .representative, organization: organization, person: person))
    }

    @Test("recognises a service by its own key")
    func service() throws {
        let signer = TokenSigner(key: fixture.events, name: .events, now: fixture.clock.read)
        let principal = try fixture.verifier().verify(signer.token(for: .directory)[...])
        #expect(principal == .service(.events))
        #expect(principal.role == .service && principal.service == .events)
    }

    @Test("recognises a person by the key of an OpenID provider, as a subject of that provider only")
    func provider() throws {
        let provider = try KeyFile.generate(kid: "provider-1")
        var trust = fixture.trust
        trust.issuers = [.init(issuer: "https://id.example.org", keys: [provider.publicKey])]
        try trust.replace(at: fixture.trustPath)
        let verifier = try fixture.verifier()
        let good = try fixture.token(fixture.claims { $0["iss"] = "https://id.example.org" }, key: provider)
        // A different claire from the operator's, and from any other provider's.
        #expect(try verifier.verify(good[...]).subject == "https://id.example.org#claire")
        for issuer in ["operator", "https://other.example.org", "events"] {
            let bad = try fixture.token(fixture.claims { $0["iss"] = .string(issuer) }, key: provider)
            #expect(throws: Problem.self) { try verifier.verify(bad[...]) }
        }
    }

    @Test("reads the Authorization field", arguments: ["Bearer ", "bearer ", "BEARER   "])
    func authorization(scheme: String) throws {
        let token = try fixture.token(fixture.claims())
        #expect(try fixture.verifier().verify(authorization: scheme + token).subject == "claire")
    }

    @Test("asks for a token if there is none, and refuses other schemes")
    func noToken() throws {
        let verifier = try fixture.verifier()
        let missing = try #require(throws: Problem.self) { try verifier.verify(authorization: nil) }
        #expect(missing.headers[.wwwAuthenticate] == "Bearer")
        for field in ["", "Bearer", "Bearer ", "Basic Y2xhaXJlOmNsYWlyZQ==", "Bearer a.b", "Bearer ..."] {
            let problem = try #require(throws: Problem.self) { try verifier.verify(authorization: field) }
            #expect(problem.headers[.wwwAuthenticate] == "Bearer error=\"invalid_token\"")
        }
    }

    @Test("refuses every bad token with the same message, and logs the reason", arguments: BadToken.all)
    func bad(bad: BadToken) throws {
        let verifier = try fixture.verifier()
        let token = try bad.make(fixture)
        for _ in 1...2 {
            let problem = try #require(throws: Problem.self) { try verifier.verify(token[...]) }
            #expect(problem.type == .unauthenticated)
            #expect(problem.detail == nil && problem.errors.isEmpty)
            #expect(problem.headers == [.wwwAuthenticate: "Bearer error=\"invalid_token\""])
        }
        #expect(verifier.remembered == 0)
        #expect(fixture.log.texts(.debug).last?.contains(bad.reason.rawValue) == true)
        #expect(!fixture.log.all.contains(token.suffix(20)))
    }

    @Test("caches tokens up to its capacity, and evicts the least recently used")
    func bounded() throws {
        let verifier = try fixture.verifier(capacity: 3)
        for name in 1...10 {
            _ = try verifier.verify(fixture.token(fixture.claims { $0["sub"] = .string("p\(name)") })[...])
            #expect(verifier.remembered == min(name, 3))
        }
    }

    @Test("no longer accepts a cached token once it has expired")
    func expiry() throws {
        let verifier = try fixture.verifier()
        let token = try fixture.token(fixture.claims())[...]
        _ = try verifier.verify(token)
        #expect(verifier.remembered == 1)
        fixture.clock.advance(.seconds(3599))
        _ = try verifier.verify(token)
        fixture.clock.advance(.seconds(1))
        #expect(throws: Problem.self) { try verifier.verify(token) }
        #expect(verifier.remembered == 0)
    }

    @Test("reloads a changed trust file: a new key is accepted, a revoked token is refused although it was cached")
    func reload() throws {
        let verifier = try fixture.verifier()
        let token = try fixture.token(fixture.claims())[...]
        let other = try fixture.token(fixture.claims { $0["jti"] = "two" })[...]
        let unknown = try fixture.token(fixture.claims(), key: fixture.stranger)[...]
        _ = try verifier.verify(token)
        #expect(throws: Problem.self) { try verifier.verify(unknown) }

        var trust = fixture.trust
        trust.keys.append(TrustFile.Key(fixture.stranger, speaksFor: [.people]))
        trust.revoked = ["one"]
        try trust.replace(at: fixture.trustPath)
        verifier.lookAtTrustFile()
        #expect(throws: Problem.self) { try verifier.verify(token) }
        _ = try verifier.verify(other)
        #expect(throws: Problem.self) { try verifier.verify(unknown) }
        let fresh = try fixture.token(fixture.claims { $0["jti"] = "three" }, key: fixture.stranger)[...]
        _ = try verifier.verify(fresh)
    }

    @Test(
        "keeps the old trust file if the new one is broken, logs it once a minute, and health warns until it is fixed",
        arguments: [
            "{", "{\"keys\":[]}", nil, #"{"keys":KEYS,"revokd":["one"]}"#, #"{"keys":KEYS,"revoked":null}"#,
            #"{"keys":KEYS,"revoked":["two"],"revoked":[]}"#, #"{"keys":KEYS,"issuer":[]}"#,
            #"{"keys":KEYS,"issuers":[{"issuer":"https://id.example","keys":[],"revoked":[]}]}"#,
            #"{"keys":KEYS,"issuers":[{"issuer":"https://id.example#a","keys":[]}]}"#,
        ])
    func brokenReload(content: String?) throws {
        let verifier = try fixture.verifier()
        let token = try fixture.token(fixture.claims())[...]
        if let content {
            let keys = String(decoding: try JSONEncoder().encode(fixture.trust.keys), as: UTF8.self)
            try content.replacing("KEYS", with: keys).write(
                toFile: fixture.trustPath, atomically: true, encoding: .utf8)
        } else {
            try FileManager.default.removeItem(atPath: fixture.trustPath)
        }
        #expect(verifier.warnings.isEmpty)
        let since = fixture.clock.read().text
        for _ in 1...3 {
            verifier.lookAtTrustFile()
            fixture.clock.advance(.seconds(2))
            _ = try verifier.verify(token)
        }
        #expect(fixture.log.texts(.error).count == 1)
        let warning = try #require(verifier.warnings["identity:trustFile"]?.first)
        #expect(warning.status == .warn)
        #expect(warning.output?.hasPrefix("not usable since \(since): ") == true)
        // Broken in another way: the time since when stays the same.
        try "[".write(toFile: fixture.trustPath, atomically: true, encoding: .utf8)
        verifier.lookAtTrustFile()
        #expect(verifier.warnings["identity:trustFile"]?.first?.output?.contains("since \(since): ") == true)
        try? FileManager.default.removeItem(atPath: fixture.trustPath)
        try fixture.trust.write(to: fixture.trustPath)
        verifier.lookAtTrustFile()
        _ = try verifier.verify(token)
        #expect(fixture.log.texts(.notice).count == 1)
        #expect(verifier.warnings.isEmpty)
    }

    @Test("a file that could not be read is read again, though it seems unchanged")
    func mendedInPlace() throws {
        let verifier = try fixture.verifier()
        let token = try fixture.token(fixture.claims())[...]
        var trust = fixture.trust
        trust.revoked = ["one"]
        try trust.replace(at: fixture.trustPath)
        let whole = try Data(contentsOf: URL(filePath: fixture.trustPath))
        let time = Date(timeIntervalSince1970: 1_800_000_000)
        let file = try FileHandle(forUpdating: URL(filePath: fixture.trustPath))
        defer { try? file.close() }
        for (byte, isOut) in [(UInt8(ascii: "["), false), (whole[0], true)] {
            try file.seek(toOffset: 0)
            try file.write(contentsOf: [byte])
            try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: fixture.trustPath)
            verifier.lookAtTrustFile()
            #expect(verifier.warnings.isEmpty == isOut)
            let principal = try? verifier.verify(token)
            #expect((principal == nil) == isOut)
        }
    }

    @Test(
        "a name with invisible characters is refused",
        arguments: [
            "\u{200B}", "\u{2060}", "\u{FEFF}", "\u{AD}", "\u{E0041}\u{E007F}", "\u{E000}", "\u{F0000}", "\u{3164}",
            "\u{2028}", " ", "\u{A0}", "\u{202E}", "\u{2066}", "\u{FFFF}", "\u{180E}", "\u{34F}", "\u{FE0F}",
        ])
    func invisible(sign: String) throws {
        let verifier = try fixture.verifier()
        for name in [sign, "claire\(sign)", "\(sign)claire", "clai\(sign)\(sign)re"] {
            for claim in ["sub", "jti"] {
                let token = try fixture.token(fixture.claims { $0[claim] = .string(name) })
                #expect(throws: Problem.self, "\(claim) \(name.unicodeScalars.map(\.value))") {
                    try verifier.verify(token[...])
                }
            }
        }
    }

    @Test("any script may be a name", arguments: ["a", "Zoé Martin", "名前", "auth0|5f7c8ec7c33c", "e\u{301}", "हिन्दी"])
    func visible(name: String) throws {
        let token = try fixture.token(fixture.claims { $0["sub"] = .string(name) })
        #expect(try fixture.verifier().verify(token[...]).subject == name)
    }

    @Test("a person's token is valid for a day after it was issued, whatever its exp says, cached or not")
    func longestLife() throws {
        let verifier = try fixture.verifier()
        let week = try fixture.token(fixture.claims { $0["exp"] = .integer(fixture.clock.seconds + 7 * 86_400) })[...]
        let unseen = try fixture.token(
            fixture.claims {
                $0["exp"] = .integer(fixture.clock.seconds + 7 * 86_400)
                $0["jti"] = "unseen"
            })[...]
        _ = try verifier.verify(week)
        fixture.clock.advance(.seconds(86_399))
        _ = try verifier.verify(week)
        fixture.clock.advance(.seconds(1))
        for token in [week, unseen] { #expect(throws: Problem.self) { try verifier.verify(token) } }
        #expect(verifier.remembered == 0)
        // A configured limit applies instead.
        let patient = try TokenVerifier(
            trustFile: fixture.trustPath, audience: .directory, longestLife: .seconds(2 * 86_400),
            now: fixture.clock.read)
        _ = try patient.verify(unseen)
        let hasty = try TokenVerifier(
            trustFile: fixture.trustPath, audience: .directory, longestLife: .seconds(60), now: fixture.clock.read)
        let fresh = try fixture.token(fixture.claims())[...]
        _ = try hasty.verify(fresh)
        fixture.clock.advance(.seconds(60))
        #expect(throws: Problem.self) { try hasty.verify(fresh) }
    }

    @Test("does not start with an unusable trust file")
    func brokenStart() throws {
        try FileManager.default.removeItem(atPath: fixture.trustPath)
        #expect(throws: IdentityFileError.self) { try fixture.verifier() }
        try "{\"keys\":[{\"kty\":\"OKP\"}]}".write(toFile: fixture.trustPath, atomically: true, encoding: .utf8)
        let error = try #require(throws: IdentityFileError.self) { try fixture.verifier() }
        #expect(error.reason == "keys/0/speaks_for is missing")
    }
}

/// One way in which a token can be invalid.
struct BadToken: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let reason: TokenRefusal
    let make: @Sendable (IdentityFixture) throws -> String

    init(_ name: String, _ reason: TokenRefusal, _ make: @escaping @Sendable (IdentityFixture) throws -> String) {
        testDescription = name
        self.reason = reason
        self.make = make
    }

    static func header(
        _ name: String, _ reason: TokenRefusal, _ change: @escaping @Sendable (inout [String: JSONValue]) -> Void
    ) -> BadToken {
        BadToken(name, reason) { try $0.token($0.claims(), header: change) }
    }

    static func person(
        _ name: String, _ reason: TokenRefusal, key: (@Sendable (IdentityFixture) -> KeyFile)? = nil,
        _ change: @escaping @Sendable (inout [String: JSONValue], Int) -> Void
    ) -> BadToken {
        BadToken(name, reason) { fixture in
            try fixture.token(fixture.claims { change(&$0, fixture.clock.seconds) }, key: key?(fixture))
        }
    }

    static func service(
        _ name: String, _ reason: TokenRefusal, key: @escaping @Sendable (IdentityFixture) -> KeyFile = { $0.events },
        _ change: @escaping @Sendable (inout [String: JSONValue], Int) -> Void
    ) -> BadToken {
        BadToken(name, reason) { fixture in
            try fixture.token(fixture.serviceClaims { change(&$0, fixture.clock.seconds) }, key: key(fixture))
        }
    }

    static let all: [BadToken] = forms + headers + persons + services

    static let forms: [BadToken] = [
        BadToken("cut off", .malformed) { String(try $0.token($0.claims()).prefix { $0 != "." }) },
        BadToken("without its last character", .malformed) { String(try $0.token($0.claims()).dropLast()) },
        BadToken("four parts", .malformed) { try $0.token($0.claims()) + ".e30" },
        BadToken("padded", .malformed) { try $0.token($0.claims()) + "==" },
        BadToken("blank at the end", .malformed) { try $0.token($0.claims()) + " " },
        BadToken("header is no JSON", .malformed) { "AAAA." + (try $0.part($0.claims())) + ".AAAA" },
        BadToken("far too long", .tooLong) {
            try $0.token($0.claims { $0["x"] = .string(String(repeating: "x", count: 9000)) })
        },
        BadToken("another's payload under the signature", .signature) { fixture in
            let parts = try fixture.token(fixture.claims()).split(separator: ".")
            let forged = try fixture.part(fixture.claims { $0["role"] = "operator" })
            return "\(parts[0]).\(forged).\(parts[2])"
        },
        BadToken("empty signature", .signature) { fixture in
            try fixture.token(fixture.claims()).split(separator: ".").dropLast().joined(separator: ".") + "."
        },
        BadToken("payload is no claims", .claims) { try $0.token(["iss": "operator"]) },
    ]

    static let headers: [BadToken] = [
        BadToken("alg none, no signature", .algorithm) { fixture in
            try "\(fixture.part(["alg": "none", "typ": "JWT"])).\(fixture.part(fixture.claims()))."
        },
        header("alg none, signed", .algorithm) { $0["alg"] = "none" },
        header("alg in lower case", .algorithm) { $0["alg"] = "eddsa" },
        header("no alg", .algorithm) { $0["alg"] = nil },
        BadToken("HS256 with the public key as the secret", .algorithm) { fixture in
            let header = try fixture.part(["alg": "HS256", "typ": "JWT", "kid": .string(fixture.people.kid)])
            let signed = try "\(header).\(fixture.part(fixture.claims()))"
            let secret = SymmetricKey(data: fixture.people.key.publicKey.rawRepresentation)
            let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: secret)
            return "\(signed).\(Base64URL.encode(Array(code)))"
        },
        header("jku", .header) { $0["jku"] = "https://evil.example.org/jwks.json" },
        header("x5u", .header) { $0["x5u"] = "https://evil.example.org/x.pem" },
        header("x5c", .header) { $0["x5c"] = .array(["MII"]) },
        BadToken("jwk: brings its own key", .header) { fixture in
            let x = Base64URL.encode(fixture.stranger.key.publicKey.rawRepresentation)
            return try fixture.token(fixture.claims(), key: fixture.stranger) {
                $0["kid"] = "people-1"
                $0["jwk"] = .object(["kty": "OKP", "crv": "Ed25519", "x": .string(x)])
            }
        },
        header("crit", .header) { $0["crit"] = .array(["b64"]) },
        header("crit that is null", .header) { $0["crit"] = .null },
        header("another typ", .header) { $0["typ"] = "at+jwt" },
        header("no kid", .unknownKey) { $0["kid"] = nil },
        header("kid that is a path", .unknownKey) { $0["kid"] = "../../../etc/passwd" },
        header("kid that is a number", .unknownKey) { $0["kid"] = .integer(1) },
        BadToken("an unknown key", .unknownKey) { try $0.token($0.claims(), key: $0.stranger) },
        BadToken("an unknown key under a known kid", .signature) {
            try $0.token($0.claims(), key: $0.stranger) { $0["kid"] = "people-1" }
        },
    ]

    static let persons: [BadToken] = [
        person("for another service", .audience) { claims, _ in claims["aud"] = "events" },
        person("for several others", .audience) { claims, _ in claims["aud"] = .array(["events", "content"]) },
        person("for nobody", .audience) { claims, _ in claims["aud"] = .array([]) },
        person("without aud", .claims) { claims, _ in claims["aud"] = nil },
        person("expired", .expired) { claims, now in claims["exp"] = .integer(now) },
        person("without exp", .claims) { claims, _ in claims["exp"] = nil },
        person("exp as text", .claims) { claims, now in claims["exp"] = .string("\(now + 60)") },
        person("exp beyond all times", .claims) { claims, _ in claims["exp"] = .number(1e300) },
        person("issued in the future", .future) { claims, now in claims["iat"] = .integer(now + 61) },
        person("not valid yet", .future) { claims, now in claims["nbf"] = .integer(now + 61) },
        person("issued after its end", .lifetime) { claims, now in
            claims["iat"] = .integer(now + 50)
            claims["exp"] = .integer(now + 40)
        },
        person("without iat", .claims) { claims, _ in claims["iat"] = nil },
        person("without jti", .claims) { claims, _ in claims["jti"] = nil },
        person("without sub", .claims) { claims, _ in claims["sub"] = "" },
        person("a line break in sub", .claims) { claims, _ in claims["sub"] = "a\nb" },
        person("a sub with an invisible character", .claims) { claims, _ in claims["sub"] = "claire\u{200B}" },
        person("a sub that is written backwards", .claims) { claims, _ in claims["sub"] = "\u{202E}erialc" },
        person("a sub with more marks than a letter has", .claims) { claims, _ in
            claims["sub"] = .string("c" + String(repeating: "\u{301}", count: 31))
        },
        person("an unknown role", .claims) { claims, _ in claims["role"] = "root" },
        person("an organisation that is none", .claims) { claims, _ in claims["org"] = "1" },
        person("a person who claims to be a service", .role) { claims, _ in claims["role"] = "service" },
        person("a person in the name of a service", .subject) { claims, _ in claims["sub"] = "events" },
        person("a person on behalf of a service", .issuer) { claims, _ in
            claims["iss"] = "events"
            claims["sub"] = "events"
            claims["role"] = "service"
        },
        person("a person named anonymous", .subject) { claims, _ in claims["sub"] = "anonymous" },
        person("an unknown issuer", .issuer) { claims, _ in claims["iss"] = "https://evil.example.org" },
        person("a person by a service's key", .issuer, key: { $0.events }) { _, _ in },
    ]

    static let services: [BadToken] = [
        service("a service token older than its minute", .expired) { claims, now in
            claims["iat"] = .integer(now - 61)
            claims["exp"] = .integer(now - 1)
        },
        service("a service token made for longer than a minute", .lifetime) { claims, now in
            claims["exp"] = .integer(now + 61)
        },
        service("a service token that claims another role", .role) { claims, _ in claims["role"] = "operator" },
        service("a service token with a person", .role) { claims, _ in
            claims["person"] = .string(Person.ID().text)
        },
        service("a service as another", .issuer) { claims, _ in
            claims["iss"] = "content"
            claims["sub"] = "content"
        },
        service("a service with another's subject", .subject) { claims, _ in claims["sub"] = "content" },
        service("a service by the operator's key", .issuer, key: { $0.people }) { _, _ in },
    ]
}
