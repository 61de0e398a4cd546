import ClubProtocol
import Foundation
import Testing

@testable import Content

@Suite("texts of the Flash info")
struct FlashInfoTextTests {
    @Test("an item without a link has no words that lead to one, and an issue without an introduction no place for one")
    func absent() async throws {
        try await Mailroom.run { room, maildir in
            try await room.until(try await room.issue(to: ["agence@x.example"]), is: .sent)
            let message = MessagePart(try #require(try LetterRig.messages(in: maildir).first))
            #expect(message.parts.count == 2)
            for part in message.parts { #expect(part.body.contains("Du texte.")) }
            #expect(!message.parts[0].body.contains("En savoir plus"))
            #expect(!message.parts[1].body.contains("href=3D\"\""))
            #expect(message.parts[1].body.matches(of: /white-space:pre-line/).count == 1)
        }
    }
}
