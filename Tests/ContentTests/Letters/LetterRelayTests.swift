import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("a mail server for letters", .serialized)
struct LetterRelayTests {
    /// Runs the service with a mail server for deliveries, and perhaps one for letters.
    private func run(
        withLetters: Bool = true,
        _ body: (Mailroom, _ deliveries: ScriptedMailServer, _ letters: ScriptedMailServer) async throws -> Void
    ) async throws {
        try await ScriptedMailServer.run { deliveries in
            try await ScriptedMailServer.run { letters in
                try await withService(
                    ContentApplication.self,
                    adjust: {
                        $0.mailURL = "smtp://127.0.0.1:\(deliveries.port)?from=flash@club.example"
                        if withLetters {
                            $0.letterMailURL = "smtp://127.0.0.1:\(letters.port)?from=bureau@club.example"
                        }
                    }
                ) { try await body(Mailroom(content: $0), deliveries, letters) }
            }
        }
    }

    private func send(_ room: Mailroom) async throws {
        for key in ["one", "two"] as [Line] {
            _ = try await room.staff().send(
                SendLetter.request(body: LetterRig.body(key, to: "letter@a.example")))
        }
        try await room.until(try await room.issue(to: ["issue@a.example"]), is: .sent)
        try await eventually("the letters are sent") { try await room.count(.sent) == 3 }
    }

    @Test("letters go by it, from its sender, and nothing else does")
    func own() async throws {
        try await run { room, deliveries, letters in
            try await send(room)
            #expect(deliveries.accepted.map(\.recipient) == ["issue@a.example"])
            #expect(letters.accepted.map(\.recipient) == ["letter@a.example", "letter@a.example"])
            #expect(letters.accepted.allSatisfy { $0.sender == "bureau@club.example" })
            #expect(letters.accepted.allSatisfy { $0.header("From")?.contains("<bureau@club.example>") == true })
            #expect(deliveries.accepted.allSatisfy { $0.header("From")?.contains("<flash@club.example>") == true })
        }
    }

    @Test("without one they go by the common one")
    func common() async throws {
        try await run(withLetters: false) { room, deliveries, letters in
            try await send(room)
            #expect(deliveries.accepted.count == 3 && letters.accepted.isEmpty)
        }
    }

    @Test("while the server of the issues is down, letters go out")
    func down() async throws {
        try await ScriptedMailServer.run { letters in
            try await withService(
                ContentApplication.self,
                adjust: {
                    $0.mailURL = "smtp://127.0.0.1:9"
                    $0.letterMailURL = "smtp://127.0.0.1:\(letters.port)"
                }
            ) { content in
                let room = Mailroom(content: content)
                _ = try await room.issue(to: ["issue@a.example"])
                _ = try await room.staff().send(SendLetter.request(body: LetterRig.body("one")))
                try await eventually("the letter is sent") { letters.accepted.count == 1 }
                #expect(try await room.count(.pending) == 1)
            }
        }
    }

    @Test("what a lost sender held is repeated where that does no harm, and not elsewhere")
    func lost() async throws {
        try await Mailroom.run { room, _ in
            _ = try await room.issue(to: ["issue@a.example"], state: .paused)
            _ = try await room.staff().send(
                SendLetter.request(
                    body: LetterRig.body("one") { $0.notBefore = .now.advanced(by: .seconds(3600)) }))
            let sender = MailDispatcher.ID()
            try await room.database.execute("update outgoing_mail set state = 'sending', sender = \(sender)")
            try await OutgoingMailStore(database: room.database).retire(
                sender, again: .init(deliveries: false, letters: true))
            let states = try await room.database.query(
                "select state from outgoing_mail order by issue is null"
            ).map { try $0["state", as: String.self] }
            // The letter is due now, and sent again.
            #expect(states.first == "uncertain" && states.last != "uncertain")
        }
    }

    @Test("an address that is not understood is named")
    func invalid() throws {
        let error = #expect(throws: MailURLInvalid.self) { try MailTransports.ofLetters(by: "http://x") }
        #expect(error?.description == "LETTER_MAIL_URL must be maildir:PATH, smtp://host or smtps://host")
        #expect(try MailTransports.ofLetters(by: nil).map { _ in true } == nil)
    }
}
