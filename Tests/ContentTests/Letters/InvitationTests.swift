import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("leaving the invitations", .serialized)
struct InvitationTests {
    @Test(
        "who leaves the invitations gets no more of them, but other letters and the Flash info, until they agree again")
    func left() async throws {
        try await LetterRig.run(publicURL: "https://club.example") { services, mail in
            let content = services[.content]
            let client = try content.client(.service)
            func send(
                _ key: Line, _ purpose: Letter.Purpose = .invitation, agreedAt: Timestamp? = nil
            ) async throws -> Letter.State {
                let letter = try await client.send(
                    SendLetter.request(
                        body: LetterRig.body(key, purpose, to: "Zoe@agence.example") {
                            guard purpose == .invitation else { return }
                            ($0.consent, $0.agreedAt) = (.eventInvitations, agreedAt)
                        }))
                return try await LetterRig.ended(letter.id, content).state
            }
            #expect(try await send("a") == .sent)
            let message = MessagePart(try #require(LetterRig.messages(in: mail).first))
            let field = try #require(message.fields["list-unsubscribe"])
            let link = try #require(field.firstMatch(of: /<https:\/\/club\.example(\/v1\/unsubscriptions\/[^>]+)>/)).1
            #expect(field.hasSuffix("<mailto:\(sender(message))?subject=desinscription-invitations>"))
            #expect(message.fields["list-unsubscribe-post"] == "List-Unsubscribe=One-Click")
            let agreed = Timestamp.now
            let answer = try await content.raw(
                .post, String(link), headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: Array("List-Unsubscribe=One-Click".utf8))
            #expect(answer.status == 200)

            let list = try await content.client(.operator).send(ListSuppressions.request(query: .init())).items
            #expect(list.map(\.email) == ["zoe@agence.example"] && list.map(\.purpose) == [.eventInvitations])
            #expect(try await send("b") == .suppressed)
            #expect(try await send("c", .ticket) == .sent)
            #expect(try await send("d", agreedAt: agreed) == .suppressed)
            #expect(try await isMailedFlashInfo("zoe@agence.example", content))
            #expect(try await send("e", agreedAt: .now) == .sent)
            #expect(try await content.client(.operator).send(ListSuppressions.request(query: .init())).items.isEmpty)
            // Letters of no consent have no link: they cannot be left.
            let others = try LetterRig.messages(in: mail).map { MessagePart($0) }
                .filter { $0.fields["list-unsubscribe"] == nil }
            #expect(others.count == 1)
        }
    }

    @Test("leaving the Flash info does not leave the invitations; a bounce ends both, whatever was left before")
    func both() async throws {
        try await LetterRig.run { services, _ in
            let content = services[.content]
            let operating = try content.client(.operator)
            _ = try await operating.send(
                CreateSuppression.request(body: .init(email: "zoe@agence.example", reason: .unsubscribed)))
            func send(_ key: Line) async throws -> Letter.State {
                let letter = try await operating.send(
                    SendLetter.request(body: LetterRig.body(key, .invitation) { $0.consent = .eventInvitations }))
                return try await LetterRig.ended(letter.id, content).state
            }
            #expect(try await send("a") == .sent)
            #expect(try await !isMailedFlashInfo("zoe@agence.example", content))
            _ = try await operating.send(
                CreateSuppression.request(body: .init(email: "zoe@agence.example", reason: .bounced)))
            #expect(try await send("b") == .suppressed)
            let first = try await operating.send(ListSuppressions.request(query: .init(limit: 1)))
            let second = try await operating.send(ListSuppressions.request(query: .init(limit: 1, cursor: first.next)))
            #expect(Set((first.items + second.items).map(\.purpose)) == [.flashInfo, nil] && second.next == nil)
        }
    }

    @Test("many suppressed letters do not hold up the one behind them")
    func many() async throws {
        try await LetterRig.run { services, mail in
            let content = services[.content]
            let client = try content.client(.service)
            let emails = try (0..<150).map { try EmailAddress(validating: "parti\($0)@agence.example") }
            try await content.backend.database.transaction { transaction in
                for email in emails {
                    try await SuppressionStore.add(
                        email, .unsubscribed, for: .eventInvitations, by: .service(.content), in: transaction)
                }
            }
            let letters = try (emails + ["reste@agence.example"]).map { email in
                LetterRig.body(try Line(validating: email.text), .invitation, to: email) {
                    $0.consent = .eventInvitations
                }
            }
            let start = ContinuousClock.now
            _ = try await client.send(SendLetterBatch.request(body: .init(letters: letters)))
            #expect(try await CaughtMail.wait(for: 1, in: mail).map(\.recipient) == ["reste@agence.example"])
            // A connection and a look at the lanes for each would take minutes.
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    private func sender(_ message: MessagePart) -> String {
        message.fields["from"]?.firstMatch(of: /<([^>]+)>/).map { String($0.1) } ?? ""
    }

    private func isMailedFlashInfo(_ email: EmailAddress, _ content: TestService) async throws -> Bool {
        let issue = try await content.client(.operator).send(CreateIssue.request(body: .init(title: "Flash info")))
        return try await content.backend.database.transaction { transaction in
            try await IssueStore.openEditions(of: issue.id, in: transaction)
            let member = AudienceMember(entity: .expert, name: "Zoé", email: email)
            try await DeliveryStore.add(
                [.init(member)], issue: issue.id, audience: .experts, lanes: [:], deadline: 3600, in: transaction)
            return try await transaction.first(
                "select from outgoing_mail where issue = \(issue.id) and state = 'pending'") != nil
        }
    }
}
