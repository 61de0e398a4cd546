import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("checks of an issue", .serialized)
struct IssueCheckTests {
    private func findings(_ issue: FlashInfo.ID, _ room: Mailroom) async throws -> [IssueFinding] {
        try await room.editor().send(CheckIssue.request(path: issue)).findings
    }

    private func codes(_ issue: FlashInfo.ID, _ room: Mailroom) async throws -> [IssueFinding.Code] {
        try await findings(issue, room).map(\.code)
    }

    @Test("a draft in order has no finding")
    func inOrder() async throws {
        try await Mailroom.run(adjust: { $0.publicURL = "https://info.club.example" }) { room, _ in
            let editor = try room.editor()
            let issue = try await editor.send(CreateIssue.request(body: .init(title: "Flash info"))).id
            _ = try await editor.send(
                AddIssueItem.request(
                    path: issue,
                    body: .init(kind: .product, title: "Une caisse", text: "Du texte.", link: "https://club.example/")))
            #expect(try await findings(issue, room) == [])
            let unknown = try await problem { try await editor.send(CheckIssue.request(path: .init())) }
            #expect(unknown?.slug == ProblemType.notFound.slug)
        }
    }

    @Test("each thing that is wrong is found, with where it is; errors come first")
    func everything() async throws {
        try await Mailroom.run(adjust: {
            $0.publicURL = "http://info.club.example"
            $0.senderFile = nil
        }) { room, _ in
            let editor = try room.editor()
            let title = try Line(validating: String(repeating: "Long ", count: 13) + "titre")
            _ = try await room.database.execute(
                """
                insert into issue (id, number, title, state, frozen_at) values
                    (gen_random_uuid(), 1, \(title), 'sending', null)
                """)
            let resource = try await editor.send(CreateResource.request(body: .init(kind: .article, title: "Dossier")))
            let expiring = try await editor.send(CreateResource.request(body: .init(kind: .article, title: "Offre")))
            let issue = try await editor.send(CreateIssue.request(body: .init(title: title))).id
            for body in [
                .init(
                    kind: .product, title: "Une caisse", text: "Du texte.", resource: resource.id, audiences: [.experts]
                ),
                .init(
                    kind: .product, title: "une CAISSE", text: " Une caisse\n", link: "http://club.example/",
                    resource: expiring.id, audiences: [.experts]),
            ] as [AddIssueItem.Body] {
                _ = try await editor.send(AddIssueItem.request(path: issue, body: body))
            }
            try await room.database.execute(
                """
                update resource set embargo_until = case when id = \(resource.id) then now() + interval '1 day' end,
                    expires_at = case when id = \(expiring.id) then now() - interval '1 day' end
                """)
            let found = try await findings(issue, room)
            #expect(
                found.map { "\($0.severity) \($0.code) \($0.pointer)" } == [
                    "error noItem /items", "error noSender SENDER_FILE", "error resourceEmbargoed /items/0/resource",
                    "error resourceExpired /items/1/resource", "warning insecurePublicURL PUBLIC_URL",
                    "warning longSubject /title", "warning repeatedTitle /title", "warning noLink /items/0/link",
                    "warning insecureLink /items/1/link", "warning noText /items/1/text",
                    "warning repeatedItem /items/1/title",
                ])
            let items = try await room.get(issue).items
            #expect(found.filter { $0.code == .resourceEmbargoed }.map(\.item) == [items[0].id])
            #expect(found.first?.detail == "No item is for ambassadors.")

            // All errors at once stop both ways to send it, and nothing else of it changes.
            for (state, time) in [(.sending, nil), (.scheduled, .now.advanced(by: .seconds(3600)))]
                as [(FlashInfo.State, Timestamp?)]
            {
                let refused = try await problem { try await room.transition(issue, to: state, at: time) }
                #expect(refused?.slug == ProblemType.issueNotReady.slug && refused?.status == 409)
                #expect(
                    refused?.errors?.map(\.pointer) == [
                        "/items", "SENDER_FILE", "/items/0/resource", "/items/1/resource",
                    ])
            }
            #expect(try await room.get(issue).state == .draft)
        }
    }

    @Test("an embargo that ends before the scheduled time is none; without a public address there is a warning")
    func scheduled() async throws {
        try await Mailroom.run { room, _ in
            let editor = try room.editor()
            let resource = try await editor.send(CreateResource.request(body: .init(kind: .article, title: "Dossier")))
            let issue = try await room.draft(resource: resource.id)
            try await room.database.execute("update resource set embargo_until = now() + interval '1 hour'")
            #expect(try await codes(issue, room) == [.resourceEmbargoed, .noPublicURL, .noLink])
            let early = try await problem {
                try await room.transition(issue, to: .scheduled, at: .now.advanced(by: .seconds(1800)))
            }
            #expect(early?.slug == ProblemType.issueNotReady.slug)
            try await room.transition(issue, to: .scheduled, at: .now.advanced(by: .seconds(7200)))
            #expect(try await codes(issue, room) == [.noPublicURL, .noLink])
        }
    }

    @Test("a mail that Gmail would cut off is found")
    func long() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.draft()
            let text = try Prose(validating: String(repeating: "Long texte. ", count: 1600))
            for number in 1...5 {
                _ = try await room.editor().send(
                    AddIssueItem.request(
                        path: issue,
                        body: .init(kind: .product, title: try Line(validating: "Article \(number)"), text: text)))
            }
            #expect(try await codes(issue, room).last == .longMail)
        }
    }

    @Test("without SENDER_FILE no issue is sent; with it each mail says who sends it")
    func sender() async throws {
        try await Mailroom.run(adjust: { $0.senderFile = nil }) { room, _ in
            let issue = try await room.draft()
            let refused = try await problem { try await room.transition(issue, to: .sending) }
            #expect(refused?.errors?.map(\.pointer) == ["SENDER_FILE"])
        }
        try await Mailroom.run { room, maildir in
            try await room.until(try await room.issue(to: ["one@a.example"]), is: .sent)
            _ = try await room.staff().send(SendLetter.request(body: LetterRig.body("un")))
            let mails = try await CaughtMail.wait(for: 2, in: maildir)
            for part in mails.flatMap({ [$0.text, $0.html] }) {
                #expect(part.contains("12 rue de la Paix, 75002 Paris"))
                #expect(part.contains("contact@club.example · SIREN\u{A0}732\u{A0}829\u{A0}320 · RNA\u{A0}W751234567"))
                #expect(part.contains("https://club.example/mentions-legales"))
            }
        }
    }
}

@Suite("what is held is told to the editors", .serialized)
struct IssueHoldTests {
    private static let editors: EmailAddress = "redaction@club.example"

    /// An issue whose only mail is not due yet.
    private func sending(in room: Mailroom) async throws -> FlashInfo.ID {
        let issue = try await room.issue(to: ["one@a.example"], state: .paused)
        try await room.database.execute(
            "update outgoing_mail set due_at = now() + interval '1 hour' where issue = \(issue)")
        try await room.transition(issue, to: .sending)
        return issue
    }

    @Test("an issue that cannot begin at its time is a draft, and the editors get one letter with each reason")
    func notBegun() async throws {
        try await Mailroom.run(adjust: { $0.editorsEmail = Self.editors }) { room, maildir in
            let editor = try room.editor()
            let resource = try await editor.send(CreateResource.request(body: .init(kind: .article, title: "Dossier")))
            let issue = try await room.draft(resource: resource.id)
            try await room.transition(issue, to: .scheduled, at: .now.advanced(by: .seconds(2)))
            try await room.database.execute("update resource set embargo_until = now() + interval '1 hour'")
            let held = try await room.until(issue, is: .draft)
            #expect(held.holdReason?.hasPrefix("The resource of “Pour tous” is under an embargo until ") == true)
            let letters = try await CaughtMail.wait(for: 1, in: maildir)
            #expect(letters.map(\.recipient) == [Self.editors.text])
            #expect(letters.first?.subject == "Flash info n°\u{A0}1\u{A0}: envoi non commencé")
            #expect(letters.first?.text.contains("«\u{A0}Pour tous\u{A0}» est sous embargo.") == true)
        }
    }

    @Test("an issue that the service pauses is told once, with the reason; one that the staff pauses is not")
    func paused() async throws {
        try await Mailroom.run(adjust: { $0.editorsEmail = Self.editors }) { room, maildir in
            let issue = try await sending(in: room)
            let hold = IssueHold(editors: Editors(email: Self.editors))
            let issueGuard = IssueGuard(database: room.database, hold: hold)
            // Whatever the server says.
            let reason = "orange refuses us\u{202E}\r\nBcc: everybody"
            try await issueGuard.pause(issue, reason)
            try await issueGuard.pause(issue, reason)
            #expect(try await room.get(issue).state == .paused)
            let other = try await sending(in: room)
            try await room.transition(other, to: .paused)
            _ = try await CaughtMail.wait(for: 1, in: maildir)
            let letters = try await room.staff().send(ListLetters.request(query: .init())).items
            #expect(letters.map(\.email) == [Self.editors] && letters.map(\.purpose) == [.notice])
            let mails = try CaughtMail.all(in: maildir)
            #expect(mails.first?.subject == "Flash info n°\u{A0}1\u{A0}: envoi suspendu")
            #expect(mails.first?.text.contains("orange refuses us") == true)
            #expect(mails.first?.text.contains("\u{202E}") == false)
        }
    }

    @Test("without EDITORS_EMAIL nothing is written, and the issue is held all the same")
    func nobody() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await sending(in: room)
            try await IssueGuard(database: room.database, hold: IssueHold(editors: Editors(email: nil)))
                .pause(issue, "orange refuses us")
            #expect(try await room.get(issue).holdReason == "orange refuses us")
            #expect(try await room.staff().send(ListLetters.request(query: .init())).items.isEmpty)
        }
    }

    @Test("a letter to the editors has whatever text there is, without what no letter may contain")
    func texts() async throws {
        try await Mailroom.run { room, _ in
            let editors = Editors(email: Self.editors)
            try await room.database.transaction { transaction in
                try await editors.tell(
                    subject: "\u{0}Sujet\r\n" + String(repeating: "x", count: 300),
                    paragraphs: ["", "\u{202E}\u{0}", String(repeating: "y", count: 30_000), "Ligne\nautre"],
                    replyTo: "zoe@agence.example", in: transaction)
                try await editors.tell(subject: "\u{0}", paragraphs: [], in: transaction)
            }
            let rows = try await room.database.query(
                "select subject, paragraphs, reply_to from letter order by length(subject) desc")
            let first = try #require(rows.first)
            #expect(try first["subject", as: String.self] == "Sujet" + String(repeating: "x", count: 195))
            #expect(
                try first["paragraphs", as: [String].self] == [String(repeating: "y", count: 20_000), "Ligne\nautre"])
            #expect(try first["reply_to", as: String.self] == "zoe@agence.example")
            #expect(rows.count == 2)
        }
    }
}

@Suite("SENDER_FILE")
struct SenderFileTests {
    private func withFile<Result>(_ content: String, _ body: (String) throws -> Result) throws -> Result {
        let file = FileManager.default.temporaryDirectory.appending(path: "sender-\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(content.utf8).write(to: file)
        return try body(file.path)
    }

    @Test("what is optional may be absent")
    func least() throws {
        let content = #"{"name": "Club", "address": "1 rue A, Pau", "email": "contact@club.example"}"#
        let identity = try withFile(content) { try SenderIdentity(path: $0) }
        #expect(identity.lines == ["Club", "1 rue A, Pau", "contact@club.example"] && identity.legalNotice == nil)
    }

    @Test(
        "an error names the file and what is wrong, on one line",
        arguments: [
            ("", "is not JSON, or has a duplicate key"), ("[]", "json: must be an object"),
            ("{}", "/name is missing"),
            (#"{"name": "C", "name": "D"}"#, "is not JSON, or has a duplicate key"),
            (#"{"name": "C", "address": "A", "email": "nobody"}"#, "/email"),
            (#"{"name": "C", "address": "A", "email": "a@b.example", "siren": "123"}"#, "/siren"),
            (#"{"name": "C", "address": "A", "email": "a@b.example", "rna": "W12"}"#, "/rna is not W and nine"),
            (#"{"name": "C", "address": "A", "email": "a@b.example", "legalNotice": "page"}"#, "/legalNotice"),
            (#"{"name": "C\nD", "address": "A", "email": "a@b.example"}"#, "/name"),
            (#"{"name": "C", "address": "A", "email": "a@b.example", "a\nb\u2028": 1}"#, "ab"),
        ])
    func invalid(content: String, reason: String) throws {
        try withFile(content) { path in
            let error = #expect(throws: SenderFileInvalid.self) { try SenderIdentity(path: path) }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("SENDER_FILE \(path): ") && text.contains(reason), "\(text)")
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x2028 })
        }
    }

    @Test("a file that is absent, a folder, or too long is refused")
    func unreadable() throws {
        for path in ["/does/not/exist", "/tmp"] {
            #expect(throws: SenderFileInvalid.self) { try SenderIdentity(path: path) }
        }
        try withFile(String(repeating: " ", count: 17 << 10)) { path in
            let error = #expect(throws: SenderFileInvalid.self) { try SenderIdentity(path: path) }
            #expect(error?.reason == "is longer than 16384 bytes")
        }
    }
}
