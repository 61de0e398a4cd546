import ClubProtocol
import Foundation
import TestKit
import Testing

@testable import ServiceKit

@Suite("The token that a connection keeps")
struct ConnectionTokenTests {
    @Test("is checked once, and serves only the token that it was")
    func others() throws {
        let fixture = try IdentityFixture()
        let verifier = try fixture.verifier(capacity: 1)
        let claire = "Bearer \(try fixture.token(fixture.claims()))"
        let paul = "Bearer \(try fixture.token(fixture.claims { $0["sub"] = "paul" }))"
        var last: VerifiedToken?
        for (field, name) in [(claire, "claire"), (claire, "claire"), (paul, "paul"), (claire, "claire")] {
            #expect(try verifier.verify(authorization: field, last: &last).subject == name)
        }
        for field in [claire + "x", String(claire.dropLast()), "bearer", nil] {
            #expect(throws: Problem.self) { try verifier.verify(authorization: field, last: &last) }
        }
        #expect(try verifier.verify(authorization: claire, last: &last).subject == "claire")
    }

    @Test("ends with the token, and with the trust file that it was checked with")
    func ends() throws {
        let fixture = try IdentityFixture()
        let verifier = try fixture.verifier()
        let field = "Bearer \(try fixture.token(fixture.claims()))"
        var last: VerifiedToken?
        _ = try verifier.verify(authorization: field, last: &last)
        var trust = fixture.trust
        trust.revoked = ["one"]
        try trust.replace(at: fixture.trustPath)
        verifier.lookAtTrustFile()
        #expect(throws: Problem.self) { try verifier.verify(authorization: field, last: &last) }

        try fixture.trust.replace(at: fixture.trustPath)
        verifier.lookAtTrustFile()
        _ = try verifier.verify(authorization: field, last: &last)
        fixture.clock.advance(.seconds(3599))
        _ = try verifier.verify(authorization: field, last: &last)
        fixture.clock.advance(.seconds(1))
        #expect(throws: Problem.self) { try verifier.verify(authorization: field, last: &last) }
    }

    @Test("never speaks for a later request with another token, or with none")
    func oneConnection() async throws {
        try await withTickets { tickets in
            let roles: [Role?] = [.operator, .operator, .editor, nil, .expert, .operator]
            var text = ""
            for role in roles {
                let field =
                    try role.map { "Authorization: Bearer \(try tickets.keys.token($0, for: .events))\r\n" } ?? ""
                text += "GET /v1/tickets HTTP/1.1\r\nHost: a\r\n\(field)\r\n"
            }
            text += "GET /v1/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            try await tickets.listening { [text] port in
                let socket = try RawSocket(port: port)
                await socket.send(text)
                let answer = await socket.readAll()
                let statuses = answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
                #expect(statuses == ["200", "200", "403", "401", "200", "200", "200"])
            }
        }
    }
}
