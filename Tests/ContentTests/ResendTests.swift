import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("issues that are sent again", .serialized)
struct ResendTests {
    private func resend(
        _ issue: FlashInfo.ID, _ reasons: MissedDelivery.Reason..., by client: ServiceClient, dryRun: Bool? = nil
    ) async throws -> ResendIssue.Response {
        try await client.send(ResendIssue.request(path: issue, body: .init(reasons: reasons, dryRun: dryRun)))
    }

    /// An issue that is sent, and that two have not got.
    private func issue(in room: Mailroom) async throws -> FlashInfo.ID {
        let issue = try await room.issue(
            to: ["refused@a.example", "gone@a.example", "sent@a.example"], state: .paused)
        try await room.end("refused@a.example", .failed, .refused)
        try await room.end("gone@a.example", .failed, .noSuchHost)
        try await room.end("sent@a.example", .sent, .taken)
        try await room.transition(issue, to: .sending)
        try await room.until(issue, is: .sent)
        return issue
    }

    @Test("a dry run counts, and changes nothing")
    func dryRun() async throws {
        try await Mailroom.run { room, maildir in
            let issue = try await issue(in: room)
            let before = try await room.get(issue)
            let states = try await room.states()
            let answer = try await resend(issue, .refused, .noSuchHost, .expired, by: room.editor(), dryRun: true)
            #expect(
                answer
                    == .init(
                        resent: [.init(reason: .noSuchHost, count: 1), .init(reason: .refused, count: 1)],
                        dryRun: true))
            #expect(try await room.get(issue) == before)
            #expect(try await room.states() == states)
            #expect(try CaughtMail.all(in: maildir).isEmpty)
        }
    }

    @Test("what failed is sent again, for the reasons named only; the issue is sent once that has ended")
    func failed() async throws {
        try await Mailroom.run { room, maildir in
            let issue = try await issue(in: room)
            let answer = try await resend(issue, .refused, by: room.editor())
            #expect(answer == .init(resent: [.init(reason: .refused, count: 1)], dryRun: false))
            #expect(try await CaughtMail.wait(for: 1, in: maildir).map(\.recipient) == ["refused@a.example"])
            let sent = try await room.until(issue, is: .sent)
            let edition = try #require(sent.editions.first { $0.audience == .experts })
            #expect(edition.counts.sent == 2 && edition.counts.failed == 1 && edition.counts.total == 3)
            #expect(try await room.missed(issue).map(\.email) == ["gone@a.example"])
            #expect(try await room.miscounted() == [])
            // Nobody is left, and so nothing changes.
            #expect(try await resend(issue, .refused, by: room.editor()).resent == [])
            #expect(try await room.get(issue) == sent)
        }
    }

    @Test("what has passed its deadline gets a new one")
    func expired() async throws {
        try await Mailroom.run { room, maildir in
            let issue = try await room.issue(to: ["late@a.example"], state: .paused)
            try await room.database.execute(
                "update outgoing_mail set deadline = now() - interval '1 minute', attempt = 4, due_at = now() + '1 hour'"
            )
            try await eventually("it has expired") { try await room.missed(issue).map(\.reason) == [.expired] }
            try await room.transition(issue, to: .sending)
            try await room.until(issue, is: .sent)
            #expect(try await resend(issue, .expired, by: room.editor()).resent.map(\.count) == [1])
            #expect(try await CaughtMail.wait(for: 1, in: maildir).count == 1)
            try await room.until(issue, is: .sent)
            #expect(try await room.missed(issue) == [])
        }
    }

    @Test("what is uncertain is sent again by an operator only, as the same message")
    func uncertain() async throws {
        try await ScriptedMailServer.run { server in
            server.inject(.dropAfterText)
            try await Mailroom.run(mailURL: "smtp://127.0.0.1:\(server.port)") { room, _ in
                let issue = try await room.issue(to: ["perhaps@a.example"])
                try await room.until(issue, is: .sent)
                #expect(try await room.missed(issue).map(\.reason) == [.uncertain])
                #expect(server.accepted.count == 1)
                let refused = try await problem { try await resend(issue, .refused, .uncertain, by: room.editor()) }
                #expect(refused?.slug == ProblemType.forbidden.slug && refused?.status == 403)
                // What is not named is not sent.
                #expect(try await resend(issue, .refused, .expired, by: room.staff()).resent == [])
                #expect(try await resend(issue, .uncertain, by: room.staff()).resent.map(\.count) == [1])
                try await eventually("it has arrived again") { server.accepted.count == 2 }
                let messages = server.accepted
                #expect(messages[0].header("Message-ID") != nil)
                #expect(messages[0].header("Message-ID") == messages[1].header("Message-ID"))
                try await room.until(issue, is: .sent)
                #expect(try await room.missed(issue) == [])
            }
        }
    }

    @Test("a suppressed address gets the issue only once it is no longer suppressed")
    func suppressed() async throws {
        try await Mailroom.run { room, maildir in
            _ = try await room.editor().send(
                CreateSuppression.request(body: .init(email: "left@a.example", reason: .manual)))
            let issue = try await room.issue(to: ["LEFT@a.example"])
            try await room.until(issue, is: .sent)
            #expect(try await resend(issue, .suppressed, by: room.staff()).resent == [])
            #expect(try await room.get(issue).state == .sent)
            try await room.database.execute("delete from suppression")
            #expect(
                try await resend(issue, .suppressed, by: room.editor()).resent
                    == [.init(reason: .suppressed, count: 1)])
            #expect(try await CaughtMail.wait(for: 1, in: maildir).map(\.recipient) == ["LEFT@a.example"])
            try await room.until(issue, is: .sent)
        }
    }

    @Test("a failed address that has been suppressed since does not get it")
    func suppressedSince() async throws {
        try await Mailroom.run { room, maildir in
            let issue = try await issue(in: room)
            _ = try await room.editor().send(
                CreateSuppression.request(body: .init(email: "refused@a.example", reason: .complaint)))
            #expect(
                try await resend(issue, .refused, .noSuchHost, by: room.editor()).resent
                    == [.init(reason: .noSuchHost, count: 1)])
            try await room.until(issue, is: .sent)
            #expect(try CaughtMail.all(in: maildir).map(\.recipient) == ["gone@a.example"])
            #expect(try await room.missed(issue).map(\.email) == ["refused@a.example"])
        }
    }

    @Test("what waits is sent anyway, and a resend needs a reason")
    func waiting() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: ["one@a.example"], state: .paused)
            let waiting = try await problem { try await resend(issue, .refused, .waiting, by: room.editor()) }
            #expect(waiting?.status == 422)
            #expect(waiting?.errors?.map(\.pointer) == ["/reasons"])
            let none = try await problem { try await resend(issue, by: room.editor()) }
            #expect(none?.status == 422)
        }
    }

    @Test(
        "of an issue that is not being sent, nothing is sent again",
        arguments: [FlashInfo.State.draft, .scheduled, .cancelled])
    func states(state: FlashInfo.State) async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.draft()
            if state != .draft {
                try await room.transition(
                    issue, to: state, at: state == .scheduled ? .now.advanced(by: .seconds(3600)) : nil)
            }
            for dryRun in [true, false] {
                let refused = try await problem {
                    try await resend(issue, .refused, by: room.editor(), dryRun: dryRun)
                }
                #expect(refused?.slug == ProblemType.transitionNotAllowed.slug && refused?.status == 409)
            }
            let unknown = try await problem { try await resend(.init(), .refused, by: room.editor()) }
            #expect(unknown?.status == 404)
        }
    }

    @Test("while an issue is paused, what failed is made ready, and sent when the issue goes on")
    func paused() async throws {
        try await Mailroom.run { room, maildir in
            let issue = try await room.issue(to: ["refused@a.example"], state: .paused)
            try await room.end("refused@a.example", .failed, .refused)
            #expect(try await resend(issue, .refused, by: room.editor()).resent.map(\.count) == [1])
            #expect(try await room.get(issue).state == .paused)
            #expect(try await room.missed(issue).map(\.reason) == [.waiting])
            try await room.transition(issue, to: .sending)
            #expect(try await CaughtMail.wait(for: 1, in: maildir).count == 1)
            try await room.until(issue, is: .sent)
        }
    }
}
