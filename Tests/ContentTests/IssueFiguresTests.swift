import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("the figures of an issue", .serialized)
struct IssueFiguresTests {
    private func figures(_ issue: FlashInfo.ID, _ room: Mailroom, by role: Role = .editor) async throws -> IssueFigures
    {
        try await room.content.client(role).send(GetIssueFigures.request(path: issue))
    }

    private func missed(_ figures: DeliveryFigures) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: figures.missed.map { ($0.reason?.rawValue ?? "forgotten", $0.count) })
    }

    /// Mails in two lanes and one of a domain, in all states; nothing goes out, because the issue is paused.
    private func issue(_ room: Mailroom) async throws -> FlashInfo.ID {
        _ = try await room.editor().send(
            CreateSuppression.request(body: .init(email: "suppressed@gmail.com", reason: .bounced)))
        let issue = try await room.issue(
            to: [
                "sent@gmail.com", "bounced@gmail.com", "gone@gmail.com", "suppressed@gmail.com", "sent@a.example",
                "refused@a.example", "late@a.example", "uncertain@slow.example", "waiting@slow.example",
            ],
            lanes: ["gmail.com": "gmail", "slow.example": "domain:slow.example"], state: .paused)
        for email in ["sent@gmail.com", "bounced@gmail.com", "sent@a.example"] {
            try await room.end(email, .sent, .taken)
        }
        try await room.end("gone@gmail.com", .failed, .addressGone)
        try await room.end("refused@a.example", .failed, .refusedSender)
        try await room.end("late@a.example", .failed, .greylisted)
        try await room.end("uncertain@slow.example", .uncertain)
        try await room.database.execute(
            """
            update outgoing_mail set deadline = now() - interval '1 minute', updated_at = now()
            where id in (select id from delivery where email = 'late@a.example')
            """)
        try await room.database.execute(
            """
            insert into mail_report (mail, kind, is_hard, was_accepted)
            select id, kind, hard, true
            from (values ('bounced@gmail.com', 'bounce', true), ('sent@gmail.com', 'complaint', null),
                ('sent@gmail.com', 'departure', null), ('sent@a.example', 'bounce', false)) as said (email, kind, hard)
                join delivery using (email)
            """)
        return issue
    }

    @Test("they are told by edition and provider, domains with a lane of their own among the others")
    func figures() async throws {
        try await Mailroom.run { room, _ in
            let figures = try await figures(try await issue(room), room, by: .auditor)
            #expect(figures.number == 1)
            #expect(figures.editions.map(\.audience) == [.experts])
            let providers = figures.editions[0].providers
            #expect(providers.map(\.provider) == ["gmail", "other"])
            let (gmail, other) = (providers[0].figures, providers[1].figures)
            #expect(gmail.frozen == 4 && gmail.sent == 2 && gmail.delivered == 1 && gmail.bounced == 1)
            #expect(gmail.complaints == 1 && gmail.departures == 1)
            #expect(missed(gmail) == ["addressGone": 1, "suppressed": 1])
            #expect(other.frozen == 5 && other.sent == 1 && other.delivered == 1 && other.bounced == 0)
            #expect(missed(other) == ["refusedSender": 1, "expired": 1, "uncertain": 1, "waiting": 1])
            let total = figures.total
            #expect(total == figures.editions[0].total)
            #expect(total.frozen == 9 && total.sent == 3 && total.delivered == 2)
            #expect(total.frozen == total.sent + total.missed.reduce(0) { $0 + $1.count })
        }
    }

    @Test("deliveries that are erased stay in them")
    func erased() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await issue(room)
            let before = try await figures(issue, room).total
            try await room.database.execute("delete from outgoing_mail")
            let after = try await figures(issue, room).total
            #expect(after.frozen == before.frozen && after.sent == before.sent)
            #expect(after.delivered == before.delivered && after.complaints == 1 && after.departures == 1)
            #expect(missed(after) == ["forgotten": 3, "suppressed": 1, "uncertain": 1, "cancelled": 1])
        }
    }

    @Test("they come with the head of the audit chain; those of a draft are empty, and an unknown issue has none")
    func head() async throws {
        try await Mailroom.run { room, _ in
            let draft = try await room.draft()
            try await eventually("the trail is sealed") {
                try await room.database.first("select seq from audit_head")?["seq", as: Int.self] == 2
            }
            let figures = try await figures(draft, room)
            #expect(figures.editions == [] && figures.total == DeliveryFigures())
            let head = try await room.staff().send(GetAuditHead.request())
            #expect(figures.auditHead == head)
            #expect(figures.auditHead.seq == 2)
            #expect(try await problem { try await self.figures(.init(), room) }?.status == 404)
        }
    }

    @Test("they are kept, not counted: of many that were sent none is read")
    func plan() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: (1...2000).map { "r\($0)@a.example" }, state: .paused)
            try await room.database.execute("update outgoing_mail set state = 'sent' where issue = \(issue)")
            // What was sent is behind an index that has only what failed.
            try await room.database.execute("analyze outgoing_mail")
            let plan = try await room.database.query(
                "explain select from outgoing_mail where issue = \(issue) and state = 'failed'"
            ).map { try $0["QUERY PLAN", as: String.self] }.joined()
            #expect(plan.contains("outgoing_mail_failed") || plan.contains("outgoing_mail_missed"), "\(plan)")
            #expect(try await figures(issue, room).total.sent == 2000)
        }
    }
}
