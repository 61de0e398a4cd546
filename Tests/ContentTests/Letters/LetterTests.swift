import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("letters", .serialized)
struct LetterTests {
    @Test("a letter requested many times at once is sent once, and both parts contain the button's link")
    func once() async throws {
        try await LetterRig.run(replicas: 2) { services, mail in
            let clients = try services.all(.content).map { try $0.client(.service) }
            let letters = try await withThrowingTaskGroup(of: Letter.self) { group in
                for number in 0..<24 {
                    group.addTask { try await clients[number % 2].send(SendLetter.request(body: body("un"))) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(letters.map(\.id)).count == 1)
            let caught = try await CaughtMail.wait(for: 1, in: mail)
            #expect(caught.map(\.recipient) == ["zoe@agence.example"])
            #expect(caught.first?.subject == "Votre fiche est-elle à jour\u{202F}?")
            #expect(caught.first?.text.contains("Bonjour Zoé & Cie,") == true)
            #expect(caught.first?.html.contains("Bonjour Zoé &amp; Cie,") == true)
            #expect(caught.first?.link == "https://club.example/v1/un")
            #expect(caught.first?.html.contains(#"href="https://club.example/v1/un""#) == true)
            let sent = try await LetterRig.ended(letters[0].id, services[.content])
            #expect(sent.state == .sent && sent.attempts == 1)
            #expect(try CaughtMail.all(in: mail).count == 1)
            #expect(try await links(services) == 0)
        }
    }

    @Test("without the unique key, two concurrent requests make two letters")
    func withoutKey() async throws {
        try await LetterRig.run { services, _ in
            try await services.database.withClient(searchPath: "content") { client in
                @Sendable func count() async throws -> Int {
                    try await client.first("select count(*) as count from letter")?["count"] ?? 0
                }
                @Sendable func both() async throws {
                    try await client.transaction { first in
                        try await LetterStore.add([.init(body: body("deux"), lane: "other")], in: first)
                    }
                    try await client.transaction { second in
                        try await LetterStore.add([.init(body: body("deux"), lane: "other")], in: second)
                    }
                }
                try await both()
                #expect(try await count() == 1)
                try await client.execute("alter table letter drop constraint letter_key_once")
                let error = await #expect(throws: PostgresError.self) { try await both() }
                // The statement itself relies on the constraint: without it, "on conflict" fails.
                #expect(error?.sqlState == "42P10")
            }
        }
    }

    @Test("reusing the key for a letter to someone else is refused")
    func foreignKey() async throws {
        try await LetterRig.run { services, mail in
            let client = try services[.content].client(.operator)
            let first = try await client.exchange(SendLetter.request(body: body("clé")))
            #expect(first.status == .created)
            let again = try await client.exchange(SendLetter.request(body: body("clé", to: "ZOE@agence.example")))
            #expect(again.status == .ok && again.value.id == first.value.id)
            let other = try await services[.content].raw(
                .post, "/v1/letters", role: .operator,
                body: WireJSON.encode(body("clé", to: "autre@agence.example")))
            #expect(try other.problem().slug == ProblemType.letterKeyUsed.slug)
            #expect(try await CaughtMail.wait(for: 1, in: mail).count == 1)
        }
    }

    @Test("no letter goes to an address that has bounced; one that only unsubscribed from the Flash info gets it")
    func suppressed() async throws {
        try await LetterRig.run { services, mail in
            let client = try services[.content].client(.operator)
            for (email, reason) in [("rebond@x.example", .bounced), ("sorti@x.example", .unsubscribed)]
                as [(EmailAddress, Suppression.Reason)]
            {
                _ = try await client.send(CreateSuppression.request(body: .init(email: email, reason: reason)))
            }
            let bounced = try await client.send(SendLetter.request(body: body("a", to: "Rebond@x.example")))
            let left = try await client.send(SendLetter.request(body: body("b", to: "sorti@x.example")))
            #expect(try await LetterRig.ended(bounced.id, services[.content]).state == .suppressed)
            #expect(try await LetterRig.ended(left.id, services[.content]).state == .sent)
            #expect(try CaughtMail.all(in: mail).map(\.recipient) == ["sorti@x.example"])
        }
    }

    @Test("an unreachable mail server delays letters and loses none")
    func unreachable() async throws {
        let port = try FreePort.next()
        try await LetterRig.run(mail: "smtp://127.0.0.1:\(port)?starttls=never") { services, _ in
            let client = try services[.content].client(.operator)
            let letter = try await client.send(SendLetter.request(body: body("attente")))
            try await Task.sleep(for: .milliseconds(1500))
            let now = try await client.send(GetLetter.request(path: letter.id))
            #expect(now.state == .pending && now.attempts == 0)
            try await ScriptedMailServer.run(port: port) { server in
                let sent = try await LetterRig.ended(letter.id, services[.content])
                #expect(sent.state == .sent && sent.attempts == 1 && server.accepted.count == 1)
            }
        }
    }

    @Test("the list shows the newest first, page after page, filtered by state, purpose and address")
    func list() async throws {
        try await LetterRig.run { services, mail in
            let client = try services[.content].client(.operator)
            #expect(try await client.send(ListLetters.request(query: .init())).items.isEmpty)
            for number in 1...5 {
                _ = try await client.send(
                    SendLetter.request(
                        body: body(Line(validating: "lettre \(number)"), number == 3 ? .receipt : .confirmation)))
            }
            let first = try await client.send(ListLetters.request(query: .init(limit: 3)))
            #expect(first.items.map(\.key) == ["lettre 5", "lettre 4", "lettre 3"])
            let second = try await client.send(ListLetters.request(query: .init(limit: 3, cursor: first.next)))
            #expect(second.items.map(\.key) == ["lettre 2", "lettre 1"] && second.next == nil)
            let third = try await client.send(ListLetters.request(query: .init(.init(key: "lettre 3"))))
            #expect(third.items.map(\.key) == ["lettre 3"])
            let receipts = try await client.send(ListLetters.request(query: .init(.init(purpose: .receipt))))
            #expect(receipts.items.map(\.key) == ["lettre 3"])
            let nobody = try await client.send(ListLetters.request(query: .init(.init(email: "x@y.example"))))
            #expect(nobody.items.isEmpty)
            _ = try await CaughtMail.wait(for: 5, in: mail)
            let refused = try await services[.content].raw(.get, "/v1/letters", role: .editor)
            #expect(refused.status == 403)
            let empty = try await services[.content].raw(
                .post, "/v1/letters", role: .operator,
                json: #"{"key":"k","purpose":"notice","email":"a@x.example","subject":"s","paragraphs":[]}"#)
            #expect(try empty.problem().errors?.first?.pointer == "/paragraphs")
        }
    }

    // MARK: Steps

    /// How many letters still have a link.
    private func links(_ services: TestServices) async throws -> Int {
        try await services.database.withClient { client in
            try await client.first("select count(action_url) as count from content.letter")?["count"] ?? -1
        }
    }
}

private func body(
    _ key: Line, _ purpose: Letter.Purpose = .confirmation, to email: EmailAddress = "zoe@agence.example"
) throws -> SendLetter.Body {
    SendLetter.Body(
        key: key, purpose: purpose, email: email, name: "Zoé & Cie", subject: "Votre fiche est-elle à jour\u{202F}?",
        paragraphs: ["Un an a passé.", "Merci de la relire."],
        action: .init(label: "Voir ma fiche", url: try WebAddress(validating: "https://club.example/v1/un")))
}
