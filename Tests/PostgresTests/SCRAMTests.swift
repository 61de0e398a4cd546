import NIOCore
import Testing

@testable import Postgres

@Suite("SCRAM") struct SCRAMTests {
    /// RFC 7677, 3.
    private static let nonce = "rOprNGfwEbeRWgbNEkqO"
    private static let serverFirst =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    private static let serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

    private func exchange() throws -> (scram: SCRAM, answer: String) {
        var scram = SCRAM(.unsupported, user: "user", nonce: Self.nonce)
        let challenge = try scram.challenge(ByteBuffer(string: Self.serverFirst))
        let answer = scram.answer(challenge, saltedPassword: try challenge.salt(Array("pencil".utf8)))
        return (scram, answer)
    }

    @Test("exchanges the messages of RFC 7677's example")
    func example() throws {
        let (scram, answer) = try exchange()
        #expect(scram.first == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        #expect(answer == "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=\(proof)")
        try scram.verify(ByteBuffer(string: Self.serverFinal))
    }

    @Test(
        "refuses a server's last message that proves nothing",
        arguments: [
            "", "v", "v=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjk=",
            "v=*", "e=invalid-proof", "e=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,x", "w=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ])
    func wrongSignature(message: String) throws {
        let scram = try exchange().scram
        #expect(throws: PostgresError.self) { try scram.verify(ByteBuffer(string: message)) }
    }

    @Test("refuses a signature before there was a challenge")
    func early() {
        let scram = SCRAM(.unsupported)
        #expect(throws: PostgresError.self) { try scram.verify(ByteBuffer(string: Self.serverFinal)) }
    }

    @Test(
        "refuses a malformed challenge",
        arguments: [
            "", ",", ",,", "r=NONCEx,s=AAAA", "r=NONCEx,s=AAAA,i=", "r=NONCEx,s=AAAA,i=0", "r=NONCEx,s=AAAA,i=-1",
            "r=NONCEx,s=AAAA,i=+1", "r=NONCEx,s=AAAA,i=1 ", "r=NONCEx,s=AAAA,i=1000001",
            "r=NONCEx,s=AAAA,i=99999999999999999999", "r=NONCEx,s=AAAA,i=4096,x=1", "m=x,r=NONCEx,s=AAAA,i=4096",
            "r=NONCEx,s=,i=4096", "r=NONCEx,s=AAA,i=4096", "r=NONCEx,s=AA*A,i=4096", "r=NONCE,s=AAAA,i=4096",
            "r=other,s=AAAA,i=4096", "r=NONCE\u{7F},s=AAAA,i=4096", "r=NONCE\u{301},s=AAAA,i=4096",
            "s=AAAA,r=NONCEx,i=4096", "e=other-error",
        ])
    func malformedChallenge(message: String) throws {
        let scram = SCRAM(.unsupported, nonce: "NONCE")
        #expect(throws: PostgresError.self) { try scram.challenge(ByteBuffer(string: message)) }
    }

    @Test("refuses bytes that are not text")
    func noText() throws {
        let scram = SCRAM(.unsupported, nonce: "NONCE")
        let bytes = Array("r=NONCEx".utf8) + [0xFF] + Array(",s=AAAA,i=1".utf8)
        #expect(throws: PostgresError.self) { try scram.challenge(ByteBuffer(bytes: bytes)) }
        _ = try scram.challenge(ByteBuffer(string: "r=NONCEx,s=AAAA,i=1"))
    }

    @Test("claims channel binding only where there is some")
    func binding() throws {
        #expect(SCRAM(.unsupported, nonce: "x").first == "n,,n=,r=x")
        #expect(SCRAM(.notOffered, nonce: "x").first == "y,,n=,r=x")
        let bound = SCRAM(.endPoint([1, 2, 3]), nonce: "x")
        #expect(bound.first == "p=tls-server-end-point,,n=,r=x")
        #expect(bound.mechanism == "SCRAM-SHA-256-PLUS")
        #expect(SCRAM(.notOffered).mechanism == "SCRAM-SHA-256")
        #expect(SCRAM.newNonce() != SCRAM.newNonce())
    }

    @Test(
        "chooses the mechanism by the server's offer and the certificate",
        arguments: [
            (["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"], true, "SCRAM-SHA-256-PLUS", "p="),
            (["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"], false, "SCRAM-SHA-256", "n,,"),
            (["SCRAM-SHA-256"], true, "SCRAM-SHA-256", "y,,"),
            (["SCRAM-SHA-256"], false, "SCRAM-SHA-256", "n,,"),
        ])
    func mechanism(offered: [String], hasCertificate: Bool, chosen: String, header: String) throws {
        var authentication = Authentication(
            SessionFixture.parameters(password: "secret"), endPoint: hasCertificate ? [1] : nil)
        let list = offered.map { "\($0)\0" }.joined() + "\0"
        let request = ByteBuffer(bytes: [0, 0, 0, 10] + Array(list.utf8))
        guard case .answer(let answer) = try authentication.receive(request) else {
            Issue.record("no answer")
            return
        }
        let text = String(buffer: answer)
        #expect(text.contains("\(chosen)\0"))
        #expect(text.contains(header))
        #expect(!text.contains("secret"))
    }

    @Test("prepares passwords as the server does")
    func preparation() throws {
        func prepared(_ password: String) throws -> String {
            String(decoding: try PasswordPreparation.prepare(password), as: UTF8.self)
        }
        #expect(try prepared("I\u{1}X ,") == "I\u{1}X ,")
        #expect(try prepared("I\u{AD}Xé") == "IXé")
        #expect(try prepared("a\u{A0}b") == "a b")
        #expect(try prepared("\u{AA}\u{B5}\u{B2}") == "a\u{3BC}2")
        #expect(try prepared("ÉÀŒœ€ß漢字Ж") == "ÉÀŒœ€ß漢字Ж")
        // Not assigned by Unicode 3.2, a control character, two directions: as they are.
        for raw in ["\u{1F600}\u{AD}", "\u{85}\u{AA}", "\u{627}1\u{AA}", "\u{AD}"] { #expect(try prepared(raw) == raw) }
        for refused in ["\u{FB01}", "e\u{301}", "\u{FF21}", "\u{1100}\u{1161}"] {
            #expect(throws: PostgresError.self) { try prepared(refused) }
        }
    }
}
