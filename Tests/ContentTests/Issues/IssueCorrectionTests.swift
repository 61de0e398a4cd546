import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("corrections of an issue", .serialized)
struct IssueCorrectionTests {
    @Test("a correction makes a new version, keeps what the item said, and is shown")
    func record() async throws {
        try await Mailroom.run { room, _ in
            let editor = try room.editor()
            let id = try await room.issue(to: ["one@a.example"], state: .paused)
            let issue = try await room.get(id)
            #expect(issue.contentVersion == 1)
            let item = issue.items[0]
            let first = try await editor.exchange(
                CorrectIssue.request(
                    path: id,
                    body: .init(item: item.id, text: "Juste.", link: "https://club.example/", reason: "Une erreur.")))
            #expect(first.status == .created && first.value.contentVersion == 2 && first.value.item == item.id)
            #expect(first.value.earlier.title == item.title && first.value.earlier.text == item.text)
            #expect(first.value.earlier.link == nil && first.value.reason == "Une erreur.")
            let second = try await editor.send(
                CorrectIssue.request(
                    path: id, body: .init(item: item.id, title: "Titre", link: .some(nil), reason: "Encore une.")))
            #expect(second.contentVersion == 3 && second.earlier.link == "https://club.example/")
            let now = try await room.get(id)
            #expect(now.contentVersion == 3 && now.version == issue.version + 2)
            #expect(now.items.map(\.title) == ["Titre"] && now.items.map(\.text) == ["Juste."])
            #expect(now.items[0].link == nil)
            let page = try await editor.send(ListCorrections.request(path: id, query: .init(limit: 1), body: Empty()))
            #expect(page.items == [first.value])
            let rest = try await editor.send(
                ListCorrections.request(path: id, query: .init(limit: 1, cursor: page.next), body: Empty()))
            #expect(rest.items == [second] && rest.next == nil)
        }
    }

    @Test("only a paused issue is corrected, in one of its own items, and in something")
    func refusals() async throws {
        try await Mailroom.run { room, _ in
            let editor = try room.editor()
            let paused = try await room.get(try await room.issue(to: ["one@a.example"], state: .paused))
            func correct(_ issue: FlashInfo.ID, _ body: CorrectIssue.Body) async throws -> ProblemDocument? {
                try await problem { try await editor.send(CorrectIssue.request(path: issue, body: body)) }
            }
            let body = CorrectIssue.Body(item: paused.items[0].id, text: "Juste.", reason: "Une erreur.")
            let draft = try await room.draft()
            #expect(try await correct(draft, body)?.slug == ProblemType.issueNotPaused.slug)
            let foreign = CorrectIssue.Body(
                item: try await room.get(draft).items[0].id, text: "Juste.", reason: "Une erreur.")
            #expect(try await correct(paused.id, foreign)?.errors?.map(\.pointer) == ["/item"])
            let nothing = CorrectIssue.Body(item: paused.items[0].id, reason: "Une erreur.")
            #expect(try await correct(paused.id, nothing)?.status == 422)
            #expect(try await correct(.init(), body)?.status == 404)
            #expect(try await room.get(paused.id) == paused)
        }
    }

    @Test("after the answer no mail begins with the earlier text, whichever replica sends it")
    func replicas() async throws {
        try await FaultyMailServer.run { server in
            let url = "smtp://127.0.0.1:\(server.port)?starttls=never&connections=4"
            try await withServices(
                [ContentApplication.self, ContentApplication.self], peers: [.directory: "http://127.0.0.1:9"],
                adjust: { $0.mailURL = url }
            ) { services in
                let rooms = services.all(.content).map { Mailroom(content: $0) }
                let (room, other) = (rooms[0], rooms[1])
                let readers = (1...3000).map { "reader\($0)@a.example" }
                let issue = try await room.issue(to: readers)
                try await eventually("some are sent") { server.record.accepted.count >= 100 }
                try await other.transition(issue, to: .paused)
                let item = try await room.get(issue).items[0].id
                _ = try await other.editor().send(
                    CorrectIssue.request(path: issue, body: .init(item: item, text: "Juste.", reason: "Une erreur.")))
                // At once: senders still hold mails that they made of the earlier text.
                try await room.transition(issue, to: .sending)
                try await room.until(issue, is: .sent)
                #expect(server.record.accepted.map(\.recipient).sorted() == readers.sorted())

                let versions = try await room.database.query(
                    "select email, coalesce(content_version, 1) as version from delivery join outgoing_mail using (id)"
                ).map { (try $0["email", as: String.self], try $0["version", as: Int.self]) }
                let carried = Dictionary(uniqueKeysWithValues: versions)
                #expect(Set(carried.values) == [1, 2])
                let earlier = carried.values.count { $0 == 1 }
                #expect(earlier >= 100 && earlier < readers.count)
                let page = try await room.editor().send(
                    ListDeliveries.request(path: issue, query: .init(limit: 200), body: Empty()))
                #expect(page.items.allSatisfy { $0.contentVersion == carried[$0.email.text] })
            }
        }
    }

    @Test("each mail has the text of the version that it says it carried")
    func texts() async throws {
        try await Mailroom.run { room, maildir in
            let issue = try await room.issue(to: ["before@a.example", "after@a.example"], state: .paused)
            // Only the first may go.
            try await room.database.execute(
                """
                update outgoing_mail set due_at = now() + interval '1 hour'
                where id in (select id from delivery where email = 'after@a.example')
                """)
            try await room.transition(issue, to: .sending)
            #expect(try await CaughtMail.wait(for: 1, in: maildir).count == 1)
            try await room.transition(issue, to: .paused)
            let item = try await room.get(issue).items[0].id
            _ = try await room.editor().send(
                CorrectIssue.request(path: issue, body: .init(item: item, text: "Juste.", reason: "Une erreur.")))
            try await room.database.execute("update outgoing_mail set due_at = now() where state = 'pending'")
            try await room.transition(issue, to: .sending)
            try await room.until(issue, is: .sent)
            let mails = try CaughtMail.all(in: maildir)
            let texts = Dictionary(uniqueKeysWithValues: mails.map { ($0.recipient, $0.text) })
            #expect(texts["before@a.example"]?.contains("Du texte.") == true)
            #expect(texts["after@a.example"]?.contains("Juste.") == true)
            #expect(texts["after@a.example"]?.contains("Du texte.") == false)
            let page = try await room.editor().send(
                ListDeliveries.request(path: issue, query: .init(), body: Empty()))
            #expect(
                Dictionary(uniqueKeysWithValues: page.items.map { ($0.email.text, $0.contentVersion) }) == [
                    "before@a.example": 1, "after@a.example": 2,
                ])
        }
    }

    @Test("a mail that was claimed before a correction is not begun after it")
    func claimed() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: ["one@a.example"], state: .paused)
            let store = OutgoingMailStore(database: room.database)
            let sender = MailDispatcher.ID()
            _ = try await store.renew(sender, isNew: true)
            let mail: MailMessage.ID = try #require(
                try await room.database.first("select id from outgoing_mail"))["id"]
            try await room.database.execute(
                "update outgoing_mail set sender = \(sender), due_at = 'infinity' where id = \(mail)")
            let item = try await room.get(issue).items[0].id
            _ = try await room.editor().send(
                CorrectIssue.request(path: issue, body: .init(item: item, text: "Juste.", reason: "Une erreur.")))
            try await room.transition(issue, to: .sending)
            let earlier = MailBeginning(id: mail, attempt: 0, contentVersion: 1)
            #expect(try await store.turn([], [earlier], by: sender) == [])
            let present = MailBeginning(id: mail, attempt: 0, contentVersion: 2)
            #expect(try await store.turn([], [present], by: sender) == [mail])
        }
    }
}
