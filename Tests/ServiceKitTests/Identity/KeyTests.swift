import ClubProtocol
import Foundation
import Testing

@testable import ServiceKit

@Suite("Keys, signers and links")
struct KeyTests {
    let fixture: IdentityFixture

    init() throws { fixture = try IdentityFixture() }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("a key file is read back, is private, and is never overwritten")
    func keyFile() throws {
        let path = "\(fixture.directory)/events.jwk"
        try fixture.events.write(to: path)
        #expect(try mode(path) == 0o600)
        #expect(try KeyFile(path: path).publicKey == fixture.events.publicKey)
        let error = try #require(throws: IdentityFileError.self) { try fixture.people.write(to: path) }
        #expect(error.reason == "exists already; it is never overwritten")
        #expect(try KeyFile(path: path).kid == "events-1")
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory).count == 2)
    }

    @Test("a trust file is readable by all, and is overwritten only on request")
    func trustFile() throws {
        #expect(try mode(fixture.trustPath) == 0o644)
        #expect(throws: IdentityFileError.self) { try fixture.trust.write(to: fixture.trustPath) }
        #expect(try TrustFile(path: fixture.trustPath).keys == fixture.trust.keys)
        var trust = fixture.trust
        trust.revoked = ["x"]
        try trust.replace(at: fixture.trustPath)
        #expect(try mode(fixture.trustPath) == 0o644)
        #expect(try TrustFile(path: fixture.trustPath) == trust)
        let text = try String(contentsOfFile: fixture.trustPath, encoding: .utf8)
        #expect(text.contains("\"speaks_for\"") && !text.contains("\"d\""))
    }

    @Test("a trust file in which two keys have the same name is not written")
    func twins() throws {
        var trust = fixture.trust
        trust.keys.append(contentsOf: fixture.trust.keys)
        #expect(throws: IdentityFileError.self) { try trust.write(to: "\(fixture.directory)/other.json") }
    }

    @Test("a key whose halves do not match is refused, and so is an invalid one")
    func mismatch() throws {
        let path = "\(fixture.directory)/bad.jwk"
        try fixture.events.write(to: path)
        let other = try #require(fixture.people.publicKey.x)
        let text = try String(contentsOfFile: path, encoding: .utf8)
            .replacingOccurrences(of: try #require(fixture.events.publicKey.x), with: other)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let error = try #require(throws: IdentityFileError.self) { try KeyFile(path: path) }
        #expect(error.description == "\(path): its public part is not that of its private part")
        try "no key".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: IdentityFileError.self) { try KeyFile(path: path) }
        #expect(throws: IdentityFileError.self) { try KeyFile(path: fixture.directory + "/none") }
        #expect(throws: IdentityFileError.self) { try KeyFile.generate(kid: "../x") }
    }

    @Test("printing a key prints its name only")
    func printing() {
        var dumped = ""
        dump(fixture.events, to: &dumped)
        #expect("\(fixture.events)" == "KeyFile(events-1)")
        #expect(!dumped.contains("Curve25519") && !String(reflecting: fixture.events).contains("Curve25519"))
    }

    @Test("a signer reuses a token within its minute, one for each peer")
    func reuse() throws {
        let signer = TokenSigner(key: fixture.events, name: .events, now: fixture.clock.read)
        let verifier = try fixture.verifier()
        let first = try signer.token(for: .directory)
        #expect(try signer.token(for: .directory) == first)
        #expect(try signer.token(for: .content) != first)
        fixture.clock.advance(.seconds(39))
        #expect(try signer.token(for: .directory) == first)
        _ = try verifier.verify(first[...])
        fixture.clock.advance(.seconds(1))
        let second = try signer.token(for: .directory)
        #expect(second != first)
        _ = try verifier.verify(second[...])
        // Setting the clock back does not extend the life of an old token.
        fixture.clock.advance(.seconds(-600))
        #expect(try signer.token(for: .directory) != second)
    }

    @Test("the JWKS of a service has its public key and nothing else")
    func jwks() throws {
        let signer = TokenSigner(key: fixture.events, name: .events)
        let text = String(decoding: try signer.jwks, as: UTF8.self)
        let x = try #require(fixture.events.publicKey.x)
        #expect(
            text == """
                {"keys":[{"alg":"EdDSA","crv":"Ed25519","kid":"events-1","kty":"OKP","use":"sig","x":"\(x)"}]}
                """)
    }

    @Test("a link is valid for its purpose until it expires")
    func links() throws {
        let links = SignedLinks(key: fixture.events, now: fixture.clock.read)
        let expires = fixture.clock.read().advanced(by: .seconds(60))
        let token = links.token(purpose: "confirm", subject: "a.b é", expires: expires)
        #expect(try links.open(token, purpose: "confirm") == "a.b é")
        #expect(token.utf8.allSatisfy { $0 < 0x80 && !" +/=?&#%".utf8.contains($0) })

        let others = SignedLinks(key: fixture.people, now: fixture.clock.read)
        #expect(throws: Problem.self) { try others.open(token, purpose: "confirm") }
        #expect(throws: Problem.self) { try links.open(token, purpose: "cancel") }
        for forged in ["", ".", "a.b", token + "A", String(token.dropLast()), token.uppercased()] {
            let problem = try #require(throws: Problem.self) { try links.open(forged, purpose: "confirm") }
            #expect(problem.type == .notFound)
        }
        fixture.clock.advance(.seconds(60))
        #expect(throws: Problem.self) { try links.open(token, purpose: "confirm") }
    }

    @Test("an encrypted link opens like any other, and does not reveal its subject")
    func sealed() throws {
        let links = SignedLinks(key: fixture.events, now: fixture.clock.read)
        let expires = fixture.clock.read().advanced(by: .seconds(60))
        let token = try links.sealedToken(purpose: "unsubscribe", subject: "ana@club.example", expires: expires)
        #expect(try links.open(token, purpose: "unsubscribe") == "ana@club.example")
        #expect(token.utf8.allSatisfy { $0 < 0x80 && !" +/=?&#%.".utf8.contains($0) })
        let bytes = try #require(Base64URL.decode(token.utf8))
        #expect(!String(decoding: bytes, as: UTF8.self).contains("ana"))
        // The same address, another token: the links do not show that two mails go to the same reader.
        #expect(try links.sealedToken(purpose: "unsubscribe", subject: "ana@club.example", expires: expires) != token)
        let others = SignedLinks(key: fixture.people, now: fixture.clock.read)
        #expect(throws: Problem.self) { try others.open(token, purpose: "unsubscribe") }
        #expect(throws: Problem.self) { try links.open(token, purpose: "confirm") }
        for forged in [token + "A", String(token.dropLast(2)), token + ".", "\(token).\(token)"] {
            #expect(throws: Problem.self) { try links.open(forged, purpose: "unsubscribe") }
        }
        fixture.clock.advance(.seconds(60))
        #expect(throws: Problem.self) { try links.open(token, purpose: "unsubscribe") }
    }

    @Test("keys for different purposes differ, and are the same in every replica")
    func derived() {
        let (one, two) = (SignedLinks(key: fixture.events), SignedLinks(key: fixture.events))
        #expect(one.cursorKey == two.cursorKey)
        #expect(fixture.events.derivedKey(for: "links") != one.cursorKey)
        #expect(SignedLinks(key: fixture.people).cursorKey != one.cursorKey)
    }

    @Test("Base64URL reads back what it wrote, and refuses any other encoding of it")
    func base64() {
        for length in 0...64 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text.utf8) == bytes)
            let standard = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            #expect(text == standard.replacing("=", with: ""))
        }
        for bad in ["A", "AA==", "AB", "AAB", "A A", "AA\n", "+/", "AAAAA", "é"] {
            #expect(Base64URL.decode(bad.utf8) == nil, "\(bad)")
        }
    }
}

@Suite("A bounded cache")
struct BoundedCacheTests {
    @Test("keeps the most recently used entries, as a plain list would")
    func model() {
        var cache = BoundedCache<Int, Int>(capacity: 8)
        var model: [(key: Int, value: Int)] = []
        for step in 0..<20_000 {
            let key = Int.random(in: 0..<16)
            let place = model.firstIndex { $0.key == key }
            switch Int.random(in: 0..<4) {
            case 0:
                if let place { model.remove(at: place) }
                cache.remove(key)
            case 1:
                if let place { model.remove(at: place) } else if model.count == 8 { model.removeFirst() }
                model.append((key, step))
                cache.set(step, for: key)
            default:
                let found = place.map { model.remove(at: $0) }
                if let found { model.append(found) }
                #expect(cache.value(of: key) == found?.value)
            }
            #expect(cache.count == model.count)
        }
        cache.removeAll()
        #expect(cache.count == 0)
    }
}
