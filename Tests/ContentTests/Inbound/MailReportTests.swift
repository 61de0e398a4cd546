import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("what follows from a bounce")
struct MailReportTests {
    private static let full = "Action: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 Mailbox full"

    /// Five issues and more, a fortnight apart, each of which came back as the mailbox was full.
    private func softBounces(_ count: Int, every days: Int, in rig: InboundRig, taking taken: Int? = nil) async throws {
        for number in 0..<count {
            let (_, mails) = try await rig.sent(to: ["a@x.example"])
            let mail = try #require(mails["a@x.example"])
            guard number != taken else { continue }
            let message = try await rig.take(
                InboundRig.report(to: try rig.returnAddress(of: mail), "a@x.example", Self.full))
            #expect(message.kind == .bounce)
            // As if all that had been so many days ago.
            if number < count - 1 {
                try await rig.room.database.execute(
                    "update mail_report set reported_at = reported_at - make_interval(days => \(days)::integer)")
            }
        }
    }

    @Test("five issues in a row over sixty days give an address up")
    func soft() async throws {
        try await InboundRig.run { rig in
            try await softBounces(5, every: 15, in: rig)
            #expect(try await rig.suppressed() == ["a@x.example": .bounced])
        }
    }

    @Test("five in fewer days do not, nor four, nor five with one that was taken between them", arguments: [0, 1, 2])
    func softNot(which: Int) async throws {
        try await InboundRig.run { rig in
            switch which {
            case 0: try await softBounces(5, every: 10, in: rig)
            case 1: try await softBounces(4, every: 30, in: rig)
            default: try await softBounces(6, every: 30, in: rig, taking: 2)
            }
            #expect(try await rig.suppressed().isEmpty)
        }
    }

    @Test("an address that took a mail since is not given up for an earlier bounce")
    func tookLater() async throws {
        try await InboundRig.run { rig in
            let (_, earlier) = try await rig.sent(to: ["a@x.example", "b@x.example"])
            try await rig.room.database.execute("update outgoing_mail set updated_at = now() - interval '2 days'")
            _ = try await rig.sent(to: ["a@x.example"])
            for name in ["a", "b"] {
                let mail = try #require(earlier["\(name)@x.example"])
                _ = try await rig.take(InboundRig.report(to: try rig.returnAddress(of: mail), "\(name)@x.example"))
            }
            #expect(try await rig.suppressed() == ["b@x.example": .bounced])
        }
    }

    @Test(
        "what a server says when it refuses counts as what comes back later: gone is hard, full is soft, and the rest nothing"
    )
    func refused() async throws {
        try await InboundRig.run { rig in
            _ = try await rig.room.issue(
                to: ["gone@x.example", "full@x.example", "spam@x.example"], state: .paused)
            try await rig.room.end("gone@x.example", .failed, .addressGone)
            try await rig.room.end("full@x.example", .failed, .mailboxFull)
            try await rig.room.end("spam@x.example", .failed, .refusedSender)
            try await eventually("reports are applied") {
                try await rig.room.database.query("select from mail_report where applied_at is not null").count == 2
            }
            #expect(try await rig.suppressed() == ["gone@x.example": .bounced])
            // They have failed, so they are no figure beside that.
            #expect(try await rig.room.database.query("select from delivery_report_count").isEmpty)
        }
    }

    @Test("a soft bounce that turns out hard is counted as hard, and only so")
    func harder() async throws {
        try await InboundRig.run { rig in
            let (_, mails) = try await rig.sent(to: ["a@x.example"])
            let address = try rig.returnAddress(of: #require(mails["a@x.example"]))
            _ = try await rig.take(InboundRig.report(to: address, "a@x.example", Self.full))
            #expect(try await rig.suppressed().isEmpty)
            _ = try await rig.take(InboundRig.report(to: address, "a@x.example"))
            #expect(try await rig.suppressed() == ["a@x.example": .bounced])
            let rows = try await rig.room.database.query(
                "select kind, count::integer from delivery_report_count where count > 0")
            #expect(rows.count == 1)
            #expect(try rows.first?["kind"] == "hardBounce")
        }
    }

    @Test("who asked for a letter learns by the feed that it came back")
    func letter() async throws {
        try await InboundRig.run { rig in
            let service = try rig.room.content.client(.service)
            let letter = try await service.send(SendLetter.request(body: LetterRig.body("k1", to: "a@x.example")))
            #expect(try await LetterRig.ended(letter.id, rig.room.content).state == .sent)
            let message = try await rig.take(
                InboundRig.report(to: try rig.returnAddress(of: .init(letter.id.uuid)), "a@x.example"))
            #expect(message.letter == letter.id)
            let changes = try await service.send(ReadChanges.request(query: .init())).items.filter {
                $0.entity == .letter
            }
            let notice = try #require(try changes.last?.data?.decoded(as: LetterNotice.self))
            #expect(notice.id == letter.id)
            #expect(notice.bouncedAt != nil)
        }
    }

    @Test(
        "more than three complaints in a thousand at one provider pause the issue, and two more do not pause it again")
    func complaints() async throws {
        try await InboundRig.run { rig in
            let readers = (1...400).map { "r\($0)@x.example" }
            let (issue, mails) = try await rig.sent(to: readers + ["last@x.example"], lanes: ["x.example": "gmail"])
            try await rig.room.database.execute(
                """
                update outgoing_mail set state = 'pending', due_at = now() + interval '1 hour'
                where id = \(#require(mails["last@x.example"]))
                """)
            try await rig.room.transition(issue, to: .sending)
            func complain(_ numbers: ClosedRange<Int>) async throws {
                for number in numbers {
                    try await rig.room.database.execute(
                        """
                        insert into mail_report (mail, kind, was_accepted)
                        values (\(#require(mails["r\(number)@x.example"])), 'complaint', true)
                        """)
                }
            }
            try await complain(1...2)
            try await Task.sleep(for: .seconds(2))
            #expect(try await rig.room.get(issue).state == .sending)
            try await complain(3...3)
            let held = try await rig.room.until(issue, is: .paused)
            #expect(held.holdReason == "3 of 400 readers of the lane gmail called it spam")
            try await rig.room.transition(issue, to: .sending)
            try await complain(4...5)
            try await Task.sleep(for: .seconds(2))
            #expect(try await rig.room.get(issue).state == .sending)
            try await complain(6...6)
            try await rig.room.until(issue, is: .paused)
        }
    }

    @Test("erasure leaves nothing of what came back, nor of what they wrote; the access document shows both")
    func erased() async throws {
        try await InboundRig.run { rig in
            let expert = DataSubject.ID()
            let issue = try await rig.room.draft()
            try await rig.room.database.transaction { transaction in
                try await IssueStore.openEditions(of: issue, in: transaction)
                try await DeliveryStore.add(
                    [
                        .init(
                            AudienceMember(
                                entity: .expert, id: .init(expert.uuid), name: "Zoé", email: "zoe@x.example"))
                    ], issue: issue, audience: .experts, lanes: [:], deadline: 3600, in: transaction)
                try await transaction.execute("update outgoing_mail set state = 'sent', updated_at = now()")
            }
            let mail: MailMessage.ID = try #require(
                try await rig.room.database.first("select id from delivery")?["id"])
            _ = try await rig.take(InboundRig.report(to: try rig.returnAddress(of: mail), "zoe@x.example"))
            _ = try await rig.take("From: zoe@x.example\nSubject: Bonjour\n\nMerci.\n")
            _ = try await rig.take("From: other@x.example\nSubject: Bonjour\n\nMerci.\n")
            try await rig.room.database.transaction { transaction in
                _ = try await ContentRights(backend: rig.room.content.backend).erase(
                    ErasureNotice(
                        erasure: .init(), state: .erasing, entity: .expert, subject: expert, reason: .request,
                        emails: ["zoe@x.example"]), in: transaction)
            }
            let left = try await rig.room.database.query("select writer, bytes from inbound_message")
            #expect(left.count == 1)
            #expect(try left.first?["writer"] == "other@x.example")
            #expect(try await rig.room.database.query("select from mail_report").isEmpty)
        }
    }
}
