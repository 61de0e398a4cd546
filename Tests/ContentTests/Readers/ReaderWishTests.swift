import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("an issue as its readers want it", .serialized)
struct ReaderWishTests {
    /// What the reader of an address wants.
    private func want(
        _ email: String, _ kinds: [IssueItem.Kind]? = nil, _ rhythm: ReaderPreference.Rhythm = .everyIssue,
        until pause: Day? = nil, in room: Mailroom
    ) async throws {
        try await room.database.transaction { transaction in
            try await ReaderStore.save(
                ReaderPreference(kinds: kinds, rhythm: rhythm, pausedUntil: pause),
                of: EmailAddress(validating: email), by: .anonymous, in: transaction)
        }
    }

    /// An issue with a product for everybody, something technical for experts, and something commercial for ambassadors.
    private func issue(
        to readers: [String], in room: Mailroom, _ state: FlashInfo.State = .sending
    ) async throws -> FlashInfo.ID {
        let issue = try await room.issue(to: [], state: .paused)
        for (kind, title, audience) in [
            (.technical, "Fibre", .experts), (.commercial, "Remise", .ambassadors),
        ] as [(IssueItem.Kind, Line, Edition.Audience)] {
            try await room.database.execute(
                """
                insert into issue_item (id, issue, position, kind, title, text, audiences)
                select \(IssueItem.ID()), \(issue), max(position) + 1, \(kind), \(title), 'Du texte.',
                    array[\(audience)::text]
                from issue_item where issue = \(issue)
                """)
        }
        try await room.database.transaction { transaction in
            try await DeliveryStore.add(
                readers.map {
                    .init(AudienceMember(entity: .expert, name: "Agence", email: try EmailAddress(validating: $0)))
                }, issue: issue, audience: .experts, lanes: [:], deadline: 3600, in: transaction)
            if state == .sending { try await IssueStore.transition(issue, to: state, in: transaction) }
            try await OutgoingMailStore.notify(in: transaction)
        }
        return issue
    }

    /// The state and the reason of each delivery of an issue, by address.
    private func outcomes(_ issue: FlashInfo.ID, in room: Mailroom) async throws -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: try await room.database.query(
                """
                select lower(email) as email, concat_ws(': ', state, case when state = 'skipped' then reply end) as state
                from delivery join outgoing_mail using (id) where delivery.issue = \(issue)
                """
            ).map { (try $0["email"], try $0["state"]) })
    }

    @Test("a mail shows the kinds that its reader wants; whom nothing is for is skipped")
    func kinds() async throws {
        try await Mailroom.run { room, maildir in
            try await want("technique@a.example", [.technical, .marketing], in: room)
            try await want("tout@a.example", [.technical, .product, .corporate], in: room)
            try await want("remise@a.example", [.commercial], in: room)
            let issue = try await issue(
                to: ["Technique@a.example", "tout@a.example", "remise@a.example", "sans@a.example"], in: room, .paused)
            #expect(
                try await outcomes(issue, in: room) == [
                    "technique@a.example": "pending", "tout@a.example": "pending", "sans@a.example": "pending",
                    "remise@a.example": "skipped: no item is of a kind that the reader wants",
                ])
            let listed = try await room.editor().send(
                ListDeliveries.request(path: issue, query: .init(), body: Empty()))
            #expect(
                Dictionary(uniqueKeysWithValues: listed.items.map { ($0.email.text, $0.kinds) }) == [
                    "Technique@a.example": [.technical, .marketing], "tout@a.example": nil, "sans@a.example": nil,
                    "remise@a.example": nil,
                ])
            // What is wanted later changes nothing of what is frozen.
            try await want("technique@a.example", [.product], in: room)
            try await room.transition(issue, to: .sending)
            let mails = try await CaughtMail.wait(for: 3, in: maildir)
            #expect(mails.count == 3)
            for mail in mails {
                let isPart = mail.recipient == "Technique@a.example"
                for body in [mail.text, mail.html] {
                    #expect(body.contains("Fibre") && !body.contains("Remise"))
                    #expect(body.contains("Pour tous") != isPart, "\(mail.recipient)")
                }
            }
            let sent = try await room.until(issue, is: .sent)
            let counts = try #require(sent.editions.first { $0.audience == .experts }).counts
            #expect(counts.sent == 3 && counts.skipped == 1 && counts.total == 4)
            #expect(try await room.miscounted() == [])
        }
    }

    @Test("a resend to who was skipped sends what they want, or everything if there is nothing of that")
    func resent() async throws {
        try await Mailroom.run { room, maildir in
            try await want("remise@a.example", [.commercial], in: room)
            try await want("pause@a.example", [.technical], until: Day.today.adding(days: 1), in: room)
            let issue = try await issue(to: ["remise@a.example", "pause@a.example"], in: room)
            try await room.until(issue, is: .sent)
            #expect(try CaughtMail.all(in: maildir).isEmpty)
            let missed = try await room.missed(issue, .skipped)
            #expect(missed.count == 2 && missed.allSatisfy { $0.reply != nil })
            let answer = try await room.editor().send(
                ResendIssue.request(path: issue, body: .init(reasons: [.skipped])))
            #expect(answer.resent == [.init(reason: .skipped, count: 2)])
            let mails = try await CaughtMail.wait(for: 2, in: maildir).sorted { $0.recipient < $1.recipient }
            #expect(mails.map(\.recipient) == ["pause@a.example", "remise@a.example"])
            #expect(mails[0].text.contains("Fibre") && !mails[0].text.contains("Pour tous"))
            #expect(mails[1].text.contains("Fibre") && mails[1].text.contains("Pour tous"))
            try await room.until(issue, is: .sent)
            #expect(try await room.missed(issue) == [])
        }
    }

    @Test("a pause lasts until its day, and a suppression is told before any wish")
    func pause() async throws {
        try await Mailroom.run { room, _ in
            let today = Day.today
            try await want("demain@a.example", until: today.adding(days: 1), in: room)
            try await want("fini@a.example", until: today, in: room)
            try await want("parti@a.example", until: today.adding(days: 30), in: room)
            _ = try await room.editor().send(
                CreateSuppression.request(body: .init(email: "parti@a.example", reason: .unsubscribed)))
            let issue = try await issue(
                to: ["demain@a.example", "fini@a.example", "parti@a.example"], in: room, .paused)
            #expect(
                try await outcomes(issue, in: room) == [
                    "demain@a.example": "skipped: the reader wants no issue before \(today.adding(days: 1))",
                    "fini@a.example": "pending", "parti@a.example": "suppressed",
                ])
        }
    }

    @Test("who wants one issue a month gets the first of the month, counted in Paris")
    func monthly() async throws {
        try await Mailroom.run { room, _ in
            let names = ["sent", "failed", "cancelled", "suppressed", "skipped", "late", "before", "new"]
            for name in names { try await want("\(name)@a.example", nil, .monthly, in: room) }
            _ = try await issue(to: names.dropLast().map { "\($0)@a.example" } + ["every@a.example"], in: room, .paused)
            for (name, state) in [
                ("sent", .sent), ("failed", .failed), ("cancelled", .cancelled), ("suppressed", .suppressed),
                ("skipped", .skipped), ("late", .sent), ("before", .sent), ("every", .sent),
            ] as [(String, Delivery.State)] {
                try await room.end("\(name)@a.example", state)
            }
            let next = try await issue(to: names.map { "\($0)@a.example" } + ["every@a.example"], in: room, .paused)
            let skipped = "skipped: the reader wants one issue a month, and has got one"
            var expected = Dictionary(uniqueKeysWithValues: names.map { ("\($0)@a.example", "pending") })
            expected["every@a.example"] = "pending"
            for name in ["sent", "failed", "late", "before"] { expected["\(name)@a.example"] = skipped }
            #expect(try await outcomes(next, in: room) == expected)

            // The first issue was frozen a moment before this month; one mail of it was accepted within the month.
            let start: SQL = "date_trunc('month', now() at time zone 'Europe/Paris') at time zone 'Europe/Paris'"
            try await room.database.execute("delete from outgoing_mail where issue = \(next)")
            try await room.database.execute("update issue set frozen_at = \(start) - interval '1 second'")
            try await room.database.execute(
                """
                update outgoing_mail set updated_at = \(start) - interval '1 second'
                where id not in (select id from delivery where email = 'late@a.example')
                """)
            let third = try await issue(to: names.map { "\($0)@a.example" }, in: room, .paused)
            expected = Dictionary(uniqueKeysWithValues: names.map { ("\($0)@a.example", "pending") })
            expected["late@a.example"] = skipped
            #expect(try await outcomes(third, in: room) == expected)
        }
    }

    @Test("the wishes of a thousand readers are looked up together")
    func many() async throws {
        try await Mailroom.run { room, _ in
            let readers = (0..<1000).map { "lecteur\($0)@a.example" }
            _ = try await room.issue(to: readers, state: .paused)
            try await room.database.execute(
                """
                insert into reader_preference (id, email, kinds, rhythm)
                select gen_random_uuid(), 'lecteur' || i || '@a.example', '{product}',
                    case when i % 2 = 0 then 'monthly' else 'everyIssue' end
                from generate_series(0, 999) as i
                """)
            let start = ContinuousClock.now
            let issue = try await issue(to: readers, in: room, .paused)
            #expect(ContinuousClock.now - start < .seconds(5))
            let states = try await outcomes(issue, in: room).values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            #expect(
                states == ["pending": 500, "skipped: the reader wants one issue a month, and has got one": 500])
        }
    }
}
