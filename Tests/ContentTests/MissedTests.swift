import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("who has not got an issue", .serialized)
struct MissedTests {
    /// A mail of each kind, and one that was sent; nothing goes out, because the issue is paused.
    private func mails(in room: Mailroom) async throws -> FlashInfo.ID {
        let names = [
            "waiting", "gone", "nohost", "refused-sender", "refused", "full", "expired", "uncertain", "suppressed",
            "cancelled", "skipped", "sent", "bounced", "soft",
        ]
        _ = try await room.editor().send(
            CreateSuppression.request(body: .init(email: "suppressed@a.example", reason: .bounced)))
        let issue = try await room.issue(to: names.map { "\($0)@a.example" }, state: .paused)
        try await room.end("gone@a.example", .failed, .addressGone)
        try await room.end("nohost@a.example", .failed, .noSuchHost)
        try await room.end("refused-sender@a.example", .failed, .refusedSender)
        try await room.end("refused@a.example", .failed, .refused)
        try await room.end("full@a.example", .failed, .mailboxFull)
        try await room.end("expired@a.example", .failed, .greylisted)
        try await room.database.execute(
            """
            update outgoing_mail set deadline = now() - interval '1 minute', updated_at = now()
            where id in (select id from delivery where email = 'expired@a.example')
            """)
        try await room.end("uncertain@a.example", .uncertain)
        try await room.end("cancelled@a.example", .cancelled)
        try await room.end("skipped@a.example", .skipped)
        for name in ["sent", "bounced", "soft"] { try await room.end("\(name)@a.example", .sent, .taken) }
        // What came back after it was accepted; a full mailbox is none that is gone.
        try await room.database.execute(
            """
            insert into mail_report (mail, kind, is_hard, was_accepted, diagnostic)
            select id, 'bounce', email like 'bounced%', true, '550 5.1.1 unknown' from delivery
            where email in ('bounced@a.example', 'soft@a.example')
            """)
        return issue
    }

    @Test("everybody but those who have got it is listed, each with one reason")
    func reasons() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await mails(in: room)
            let missed = try await room.missed(issue)
            #expect(
                Dictionary(uniqueKeysWithValues: missed.map { ($0.email.text, $0.reason) }) == [
                    "waiting@a.example": .waiting, "gone@a.example": .addressGone, "nohost@a.example": .noSuchHost,
                    "refused-sender@a.example": .refusedSender, "refused@a.example": .refused,
                    "full@a.example": .refused, "expired@a.example": .expired, "uncertain@a.example": .uncertain,
                    "suppressed@a.example": .suppressed, "cancelled@a.example": .cancelled,
                    "skipped@a.example": .skipped, "bounced@a.example": .bounced,
                ])
            #expect(missed.first { $0.reason == .bounced }?.reply == "550 5.1.1 unknown")
            #expect(missed.map(\.id) == missed.map(\.id).sorted { ($0?.text ?? "") < ($1?.text ?? "") })
            let gone = try #require(missed.first { $0.reason == .addressGone })
            #expect(gone.audience == .experts && gone.name == "Agence")
            #expect(gone.attempts == 1 && gone.reply == "said so")
            #expect(try await room.miscounted() == [])
        }
    }

    @Test("a mail that is on its way is still waited for")
    func onItsWay() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: ["one@a.example"], state: .paused)
            try await room.database.execute("update outgoing_mail set state = 'sending', sender = \(UUID())")
            #expect(try await room.missed(issue).map(\.reason) == [.waiting])
        }
    }

    @Test("the list can be filtered by each reason")
    func filter() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await mails(in: room)
            for reason in MissedDelivery.Reason.allCases where reason != .late {
                let missed = try await room.missed(issue, reason)
                #expect(missed.count == (reason == .refused ? 2 : 1), "\(reason)")
                #expect(missed.allSatisfy { $0.reason == reason })
            }
        }
    }

    @Test("the list comes in pages, each mail once")
    func pages() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: (1...7).map { "r\($0)@a.example" }, state: .paused)
            _ = try await room.issue(to: ["other@a.example"], state: .paused)
            let client = try room.editor()
            var pages: [[String]] = []
            var cursor: Cursor?
            repeat {
                let page = try await client.send(
                    ListMissed.request(path: issue, query: .init(.init(reason: .waiting), limit: 3, cursor: cursor)))
                pages.append(page.items.map(\.email.text))
                cursor = page.next
            } while cursor != nil
            #expect(pages.map(\.count) == [3, 3, 1])
            #expect(pages.joined().sorted() == (1...7).map { "r\($0)@a.example" })
        }
    }

    @Test(
        "an issue that nobody has missed has an empty list, an unknown one has none",
        arguments: ["missed", "missed.csv"])
    func unknown(path: String) async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.draft()
            #expect(try await room.content.raw(.get, "/v1/issues/\(issue)/\(path)", role: .auditor).status == 200)
            let unknown = try await room.content.raw(.get, "/v1/issues/\(UUID())/\(path)", role: .auditor)
            #expect(unknown.status == 404)
            #expect(try unknown.problem().slug == ProblemType.notFound.slug)
        }
    }

    // MARK: As a table

    /// The lines of a table, without their ends.
    private func lines(_ answer: RawAnswer) -> [String] {
        answer.text.components(separatedBy: "\r\n").dropLast()
    }

    @Test("the table has the same rows in French, and no cell that a spreadsheet takes for a formula")
    func table() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await mails(in: room)
            try await room.database.execute(
                """
                update delivery set name = '=HYPERLINK("x")', audience = 'ambassadors' where email = 'gone@a.example'
                """)
            try await room.database.execute(
                """
                update outgoing_mail set reply = '550, gone', audience = 'ambassadors', updated_at = '2027-07-14T10:30:00Z',
                    deadline = '2027-07-15'
                where id in (select id from delivery where email = 'gone@a.example')
                """)
            let answer = try await room.content.raw(.get, "/v1/issues/\(issue)/missed.csv", role: .editor)
            #expect(answer.headers["content-type"]?.hasPrefix("text/csv") == true)
            #expect(answer.headers["content-disposition"] == "attachment; filename=\"non-recus.csv\"")
            let lines = lines(answer)
            #expect(lines.first == "motif,adresse,nom,édition,tentatives,dernière réponse,date")
            #expect(
                lines.contains(
                    #"adresse inexistante,gone@a.example,"'=HYPERLINK(""x"")",ambassadeurs,1,"550, gone",2027-07-14 12:30"#
                ))
            let expected = [
                "en attente", "adresse inexistante", "domaine sans serveur de messagerie", "expéditeur refusé",
                "refusé", "refusé", "délai dépassé", "réception incertaine", "adresse exclue des envois",
                "envoi annulé", "selon les préférences du lecteur", "revenu après l’envoi",
            ]
            #expect(
                lines.dropFirst().map { String($0.split(separator: ",")[0]) }.sorted() == expected.sorted())
            let filtered = try await room.content.raw(
                .get, "/v1/issues/\(issue)/missed.csv?reason=uncertain&excel=true", role: .editor)
            // Of the bytes: a string begins with the byte order mark, or does not, as Foundation likes.
            #expect(Array(filtered.body.prefix(3)) == [0xEF, 0xBB, 0xBF])
            #expect(self.lines(filtered).count == 2)
            #expect(
                self.lines(filtered).last?.hasPrefix("réception incertaine;uncertain@a.example;Agence;experts;1;")
                    == true)
        }
    }

    @Test("the table has all rows, more than a page of the database, of this issue only")
    func wholeTable() async throws {
        try await Mailroom.run { room, _ in
            let readers = (1...700).map { "reader\($0)@a.example" }
            let issue = try await room.issue(to: readers, state: .paused)
            _ = try await room.issue(to: (1...300).map { "other\($0)@a.example" }, state: .paused)
            let answer = try await room.content.raw(.get, "/v1/issues/\(issue)/missed.csv", role: .operator)
            let addresses = lines(answer).dropFirst().map { String($0.split(separator: ",")[1]) }
            #expect(addresses.sorted() == readers.sorted())
        }
    }
}
