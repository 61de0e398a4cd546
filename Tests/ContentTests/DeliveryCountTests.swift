import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("the counts of an issue", .serialized)
struct DeliveryCountTests {
    @Test("they equal the deliveries at every moment of a mailing with faults, a pause and a resend")
    func always() async throws {
        let plan = MailFaultPlan(
            seed: 7,
            rates: [.unknownRecipient: 0.1, .refusedText: 0.1, .dropBeforeText: 0.02, .dropAfterAcceptance: 0.02])
        try await FaultyMailServer.run(plan) { server in
            try await Mailroom.run(mailURL: "smtp://127.0.0.1:\(server.port)?starttls=never&connections=4") { room, _ in
                let readers = (1...400).map { "r\($0)@\($0 % 2 == 0 ? "orange.fr" : "a.example")" }
                let issue = try await room.issue(to: readers, lanes: ["orange.fr": "orange"])
                var looks = 0
                /// Compares until the issue is in a state.
                func compare(until state: FlashInfo.State) async throws {
                    try await eventually("issue \(state)") {
                        #expect(try await room.miscounted() == [])
                        looks += 1
                        let now = try await room.get(issue)
                        #expect(now.editions.map(\.counts.total).reduce(0, +) == readers.count)
                        // Lost connections cost ten seconds, which are not what is tested.
                        try await room.database.execute(
                            """
                            update outgoing_mail set due_at = now()
                            where state = 'pending' and sender is null and due_at > now()
                            """)
                        return now.state == state
                    }
                }
                try await compare(until: .sent)
                server.calmDown()
                // Nobody is asked who is late, and what bounced is not sent again.
                let reasons = MissedDelivery.Reason.allCases.filter { ![.waiting, .bounced, .late].contains($0) }
                let answer = try await room.staff().send(
                    ResendIssue.request(path: issue, body: .init(reasons: reasons)))
                #expect(answer.resent.map(\.count).reduce(0, +) > 20)
                try await compare(until: .sent)
                // Addresses that were said to be gone are not mailed again.
                #expect(try await room.missed(issue).allSatisfy { [.addressGone, .suppressed].contains($0.reason) })
                #expect(looks > 5)
            }
        }
    }

    @Test("a cancelled issue counts what it has not sent as cancelled")
    func cancelled() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: (1...5).map { "r\($0)@a.example" }, state: .paused)
            try await room.end("r1@a.example", .sent, .taken)
            try await room.end("r2@a.example", .failed, .refused)
            let cancelled = try await room.transition(issue, to: .cancelled)
            let counts = try #require(cancelled.editions.first { $0.audience == .experts }).counts
            #expect(counts.sent == 1 && counts.failed == 1 && counts.cancelled == 3 && counts.total == 5)
            #expect(try await room.miscounted() == [])
        }
    }

    @Test("deliveries that are erased stay in the counts: sent as sent, open as cancelled")
    func erased() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(
                to: ["sent@a.example", "open@a.example", "kept@a.example"], state: .paused)
            try await room.end("sent@a.example", .sent, .taken)
            let readers: [DataSubject.ID] = try await room.database.query(
                "select reader from delivery where email <> 'kept@a.example'"
            ).map { try $0["reader"] }
            for reader in readers {
                try await room.database.transaction { transaction in
                    _ = try await ContentRights(backend: room.content.backend).erase(
                        ErasureNotice(
                            erasure: .init(), state: .erasing, entity: .expert, subject: reader, reason: .request,
                            emails: []),
                        in: transaction)
                }
            }
            #expect(try await room.states() == ["kept@a.example": "pending"])
            let counts = try #require(
                try await room.get(issue).editions.first { $0.audience == .experts }
            ).counts
            #expect(counts.sent == 1 && counts.cancelled == 1 && counts.pending == 1 && counts.total == 3)
            // What was erased is not missed: nobody knows any more who it was.
            #expect(try await room.missed(issue).map(\.email) == ["kept@a.example"])
            try await room.transition(issue, to: .sending)
            try await room.until(issue, is: .sent)
        }
    }
}
