import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("links to preferences, on request and in mails", .serialized)
struct PreferenceLinkTests {
    private func ask(_ email: String, _ rig: ReaderRig) async throws -> RawAnswer {
        try await rig.content.raw(.post, "/v1/preference-links", json: #"{"email": "\#(email)"}"#)
    }

    /// Waits until all that was asked has been looked up.
    private func untilAnswered(_ rig: ReaderRig) async throws {
        try await eventually("nobody waits") {
            try await rig.database.first(
                "select from job where kind = 'preference-link.find' and state <> 'dead'") == nil
        }
    }

    private func letters(_ rig: ReaderRig) async throws -> [String] {
        try await rig.database.query("select email from letter order by email").map { try $0["email"] }
    }

    @Test("a reader is mailed the link to their preferences, nobody else is, and the answers are the same")
    func asked() async throws {
        try await ReaderRig.run { rig in
            _ = try await rig.submit(rig.token(), "action=save&kinds=product&eventInvitations=true")
            #expect(
                try await rig.click(
                    ReaderRig(content: rig.content, maildir: rig.maildir, email: "parti@agence.example").token()
                ).status == 200)
            for email in ["Zoe@Agence.example", "parti@agence.example", "personne@agence.example"] {
                let answer = try await ask(email, rig)
                #expect(answer.status == 202 && answer.body.isEmpty)
            }
            try await untilAnswered(rig)
            #expect(try await letters(rig) == ["Zoe@agence.example", "parti@agence.example"])
            let mails = try await CaughtMail.wait(for: 2, in: rig.maildir)
            let mail = try #require(mails.first { $0.recipient == "Zoe@agence.example" })
            let path = try #require(mail.path)
            #expect(path.hasPrefix("/v1/preferences/"))
            let page = try await rig.content.raw(.get, path)
            #expect(page.status == 200 && page.text.contains("value=\"product\" checked>"))
            // The link opens the preferences; it leaves nothing by one click.
            let token = String(path.dropFirst("/v1/preferences/".count))
            #expect(try await rig.click(token).status == 404)
            #expect(try await rig.submit(token, "action=leave&purpose=flashInfo").status == 200)
            #expect(try await rig.suppressed().count == 2)
        }
    }

    @Test("who got an issue in the last two years is a reader")
    func mailed() async throws {
        try await Mailroom.run { room, maildir in
            _ = try await room.issue(to: ["recent@a.example", "ancien@a.example"], state: .paused)
            try await room.database.execute(
                "update delivery set created_at = now() - interval '25 months' where email = 'ancien@a.example'")
            for (email, isReader) in [("RECENT@a.example", true), ("ancien@a.example", false)] {
                #expect(
                    try await ReaderStore.isReader(EmailAddress(validating: email), on: room.database) == isReader)
            }
        }
    }

    @Test("an address gets one link in ten minutes; an erased one gets none")
    func bounded() async throws {
        try await ReaderRig.run { rig in
            _ = try await rig.submit(rig.token(), "action=save&kinds=product&eventInvitations=true")
            for email in ["zoe@agence.example", "ZOE@agence.example", "zoe@agence.example"] {
                #expect(try await ask(email, rig).status == 202)
                try await untilAnswered(rig)
            }
            #expect(try await letters(rig).count == 1)
            try await rig.database.execute("update letter set created_at = now() - interval '11 minutes'")
            #expect(try await ask("zoe@agence.example", rig).status == 202)
            try await untilAnswered(rig)
            #expect(try await letters(rig).count == 2)
            try await rig.database.execute("update letter set created_at = now() - interval '11 minutes'")
            try await rig.database.transaction { transaction in
                try await ErasedReaders.add([], at: [rig.email.text], in: transaction)
            }
            #expect(try await ask("zoe@agence.example", rig).status == 202)
            try await untilAnswered(rig)
            #expect(try await letters(rig).count == 2)
        }
    }

    @Test("the Flash info and invitations have links to the pages in their text; without a public address a mailto")
    func inMails() async throws {
        for publicURL in ["https://club.example", nil] {
            try await ReaderRig.run(publicURL: publicURL) { rig in
                let room = Mailroom(content: rig.content)
                _ = try await room.issue(to: [rig.email.text])
                _ = try await rig.content.client(.service).send(
                    SendLetter.request(
                        body: LetterRig.body("a", .invitation, to: rig.email) { $0.consent = .eventInvitations }))
                let mails = try await CaughtMail.wait(for: 2, in: rig.maildir)
                #expect(mails.count == 2)
                for mail in mails {
                    for body in [mail.text, mail.html] {
                        guard publicURL != nil else {
                            #expect(body.contains("mailto:") && !body.contains("/v1/"))
                            continue
                        }
                        #expect(!body.contains("mailto:"))
                        for folder in ["preferences", "unsubscriptions"] {
                            let link = try #require(
                                body.firstMatch(
                                    of: try Regex<(Substring, Substring)>(
                                        "https://club\\.example(/v1/\(folder)/[A-Za-z0-9_-]+)"))
                            ).output.1
                            #expect(try await rig.content.raw(.get, String(link)).status == 200)
                        }
                    }
                }
                #expect(try await rig.suppressed() == [])
            }
        }
    }
}
