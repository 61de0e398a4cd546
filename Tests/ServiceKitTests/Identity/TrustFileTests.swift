import ClubProtocol
import Foundation
import TestKit
import Testing

@testable import ServiceKit

@Suite("a trust file")
struct TrustFileTests {
    private let fixture: IdentityFixture

    init() throws {
        fixture = try IdentityFixture()
    }

    /// Why the file is refused after `change`; nil if it is accepted.
    private func reason(_ change: (inout [String: JSONValue]) -> Void) throws -> String? {
        let data = try Data(contentsOf: URL(fileURLWithPath: fixture.trustPath))
        var file = try JSONDecoder().decode([String: JSONValue].self, from: data)
        change(&file)
        let path = "\(fixture.directory)/changed.json"
        try JSONEncoder().encode(file).write(to: URL(fileURLWithPath: path))
        do {
            _ = try TokenVerifier(trustFile: path, audience: .directory)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("with a revocation that matches no possible jti is refused: it would revoke nothing")
    func revoked() throws {
        let token = try fixture.token(fixture.claims())
        for (jti, why) in [
            ("one ", "revoked/1 is not a valid jti"), (" one", "revoked/1 is not a valid jti"),
            ("", "revoked/1 is not a valid jti"),
            ("one\t", "revoked/1 is not a valid jti"), ("one\n", "revoked/1 is not a valid jti"),
            ("o\u{200B}ne", "revoked/1 is not a valid jti"),
            ("o  ne", "revoked/1 is not a valid jti"),
            (String(repeating: "a", count: 201), "revoked/1 is not a valid jti"),
            ("eyJhbGciOiJFZERTQSJ9.e30.AAAA", "revoked/1 is a token; its jti belongs here"),
        ] {
            #expect(try reason { $0["revoked"] = .array([.string("two"), .string(jti)]) } == why, "\(jti)")
            var trust = fixture.trust
            trust.revoked = [jti]
            #expect(throws: IdentityFileError.self) { try trust.replace(at: fixture.trustPath) }
        }
        #expect(try reason { $0["revoked"] = .array([.string(token)]) } != nil)
        for jti in ["one", "a.b.c", UUID().uuidString, "onrtac.2026.17", "jeton n° 3"] {
            #expect(try reason { $0["revoked"] = .array([.string(jti)]) } == nil, "\(jti)")
        }
        #expect(try reason { $0["revoked"] = .bool(true) } != nil)
    }

    @Test("with one of its members inside a key is refused: it would be ignored there")
    func misplaced() throws {
        func changeKey(_ name: String, _ value: JSONValue) throws -> String? {
            try reason { file in
                guard case .array(var keys) = file["keys"], case .object(var key) = keys[0] else { return }
                key[name] = value
                keys[0] = .object(key)
                file["keys"] = .array(keys)
            }
        }
        for name in ["revoked", "issuers", "issuer", "keys"] {
            for value in [.array([.string("one")]), .bool(true), .string("https://id.example")] as [JSONValue] {
                #expect(try changeKey(name, value) == "keys/0/\(name) is not for a key")
            }
        }
        // A JWK may have any other member (RFC 7517, 4).
        #expect(try changeKey("note", .string("kept in the safe")) == nil)
        func changeProvider(_ member: String, _ value: JSONValue, ofKey: Bool) throws -> String? {
            try reason { file in
                guard case .array(let keys) = file["keys"], case .object(var key) = keys[0] else { return }
                key["speaks_for"] = nil
                key["kid"] = .string("provider-1")
                if ofKey { key[member] = value }
                var issuer: [String: JSONValue] = [
                    "issuer": .string("https://id.example"), "keys": .array([.object(key)]),
                ]
                if !ofKey { issuer[member] = value }
                file["issuers"] = .array([.object(issuer)])
            }
        }
        #expect(try changeProvider("note", .bool(true), ofKey: true) == nil)
        for name in ["revoked", "issuers", "issuer", "keys", "speaks_for"] {
            let why = try changeProvider(name, .array([]), ofKey: true)
            #expect(why == "issuers/0/keys/0/\(name) is not for a key")
        }
        #expect(
            try changeProvider("revoked", .array([.string("one")]), ofKey: false) == "issuers/0/revoked is not known")
    }
}
