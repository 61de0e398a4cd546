import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("an issue is sent as a test", .serialized)
struct SendIssueTestTests {
    private func test(
        _ issue: FlashInfo.ID, to emails: [EmailAddress], _ edition: Edition.Audience = .experts, in room: Mailroom
    ) async throws -> SendIssueTest.Response {
        try await room.editor().send(
            SendIssueTest.request(path: issue, body: .init(emails: emails, edition: edition)))
    }

    @Test("each address gets the edition as it was, marked as a test, with no link that leaves; no figure changes")
    func sent() async throws {
        try await Mailroom.run(adjust: { $0.publicURL = "https://info.club.example" }) { room, maildir in
            let issue = try await room.draft()
            _ = try await room.editor().send(
                AddIssueItem.request(
                    path: issue, body: .init(kind: .technical, title: "Experts", text: "t", audiences: [.experts])))
            let before = try await room.get(issue)
            let answer = try await test(
                issue, to: ["zoe@club.example", "luc@club.example"], .ambassadors, in: room)
            // What is changed after the answer is not in the test.
            try await room.database.execute("update issue_item set text = 'Plus tard.'")
            #expect(answer.letters.count == 2)
            let mails = try await CaughtMail.wait(for: 2, in: maildir)
            #expect(mails.map(\.recipient).sorted() == ["luc@club.example", "zoe@club.example"])
            for mail in mails {
                #expect(mail.subject == "[Test] Flash info")
                #expect(mail.text.contains("Du texte.") && !mail.text.contains("Plus tard."))
                #expect(!mail.text.contains("Experts"))
                #expect(mail.text.contains("le lien pour ne plus le recevoir n’y est pas actif"))
                #expect(!mail.html.contains("unsubscriptions") && !mail.html.contains("mailto:"))
            }
            for message in try LetterRig.messages(in: maildir) {
                #expect(!message.contains("List-Unsubscribe") && !message.contains("List-Id"))
            }
            for letter in answer.letters {
                #expect(try await LetterRig.ended(letter, room.content).state == .sent)
            }
            #expect(try await room.get(issue).editions == before.editions && before.editions.isEmpty)
            #expect(try await room.get(issue).version == before.version)
            let kept = try await room.database.first(
                "select count(*) as count from issue_test where text is not null or html is not null")
            #expect(try kept?["count", as: Int.self] == 0, "the text is kept until the letter has ended")
            let audited = try await room.database.first(
                "select count(*) as count from audit where entity = 'letter' and action = 'created' and role = 'editor'"
            )
            #expect(try audited?["count", as: Int.self] == 2)
        }
    }

    @Test("what is being sent, was sent or cancelled is not tested; a paused or scheduled issue is")
    func states() async throws {
        try await Mailroom.run { room, _ in
            let paused = try await room.issue(to: ["one@a.example"], state: .paused)
            #expect(try await test(paused, to: ["zoe@club.example"], in: room).letters.count == 1)
            let scheduled = try await room.draft()
            try await room.transition(scheduled, to: .scheduled, at: .now.advanced(by: .seconds(3600)))
            #expect(try await test(scheduled, to: ["zoe@club.example"], in: room).letters.count == 1)
            try await room.transition(paused, to: .cancelled)
            let refused = try await problem { try await test(paused, to: ["zoe@club.example"], in: room) }
            #expect(refused?.slug == ProblemType.issueNotTestable.slug && refused?.status == 409)
            let unknown = try await problem { try await test(.init(), to: ["zoe@club.example"], in: room) }
            #expect(unknown?.status == 404)
        }
    }

    @Test("none goes to an address that was erased, complained, bounced or left; then none of them gets it")
    func refused() async throws {
        try await Mailroom.run { room, maildir in
            let issue = try await room.draft()
            for (email, reason) in [
                ("complained@a.example", .complaint), ("left@a.example", .unsubscribed),
            ] as [(EmailAddress, Suppression.Reason)] {
                _ = try await room.editor().send(CreateSuppression.request(body: .init(email: email, reason: reason)))
            }
            try await room.database.execute(
                "insert into erased_address (hash) values (address_hash('erased@a.example'))")
            let suppressed = try await problem {
                try await test(
                    issue, to: ["zoe@club.example", "Complained@a.example", "left@a.example"], in: room)
            }
            #expect(suppressed?.slug == ProblemType.addressSuppressed.slug)
            #expect(suppressed?.errors?.map(\.pointer) == ["/emails/1", "/emails/2"])
            let erased = try await problem {
                try await test(issue, to: ["zoe@club.example", "erased@a.example"], in: room)
            }
            #expect(erased?.slug == ProblemType.erased.slug)
            for emails in [[], (1...6).map { "z\($0)@club.example" }] as [[String]] {
                let refused = try await problem {
                    try await test(issue, to: emails.map { try EmailAddress(validating: $0) }, in: room)
                }
                #expect(refused?.status == 422)
            }
            #expect(try CaughtMail.all(in: maildir).isEmpty)
        }
    }

    @Test("sixty an hour are enough")
    func rate() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.draft()
            let emails = try (1...5).map { try EmailAddress(validating: "z\($0)@club.example") }
            for _ in 1...12 { _ = try await test(issue, to: emails, in: room) }
            let refused = try await problem { try await test(issue, to: ["zoe@club.example"], in: room) }
            #expect(refused?.status == 429)
            try await room.database.execute("update issue_test set created_at = created_at - interval '1 hour'")
            #expect(try await test(issue, to: ["zoe@club.example"], in: room).letters.count == 1)
        }
    }
}
