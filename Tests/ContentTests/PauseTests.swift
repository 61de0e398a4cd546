import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("paused issues", .serialized)
struct PauseTests {
    private static let connections = 4

    private func withServer(_ body: (Mailroom, FaultyMailServer) async throws -> Void) async throws {
        try await FaultyMailServer.run { server in
            try await Mailroom.run(
                mailURL: "smtp://127.0.0.1:\(server.port)?starttls=never&connections=\(Self.connections)"
            ) { room, _ in try await body(room, server) }
        }
    }

    @Test("after the answer to a pause only the messages end that have begun, and after a resume each gets it once")
    func pause() async throws {
        try await withServer { room, server in
            let readers = (1...3000).map { "reader\($0)@a.example" }
            let issue = try await room.issue(to: readers)
            try await eventually("some are sent") { server.record.accepted.count >= 50 }
            let paused = try await room.transition(issue, to: .paused)
            let accepted = server.record.accepted.count
            #expect(paused.state == .paused && paused.holdReason == nil)
            try await eventually("nothing is being sent") { try await room.count(.sending) == 0 }
            // Longer than the senders wait before they look again.
            try await Task.sleep(for: .seconds(3))
            #expect(server.record.accepted.count <= accepted + Self.connections)
            #expect(server.record.accepted.count < readers.count, "it was not paused in time to show anything")
            #expect(try await room.count(.sent) == server.record.accepted.count)
            #expect(try await room.get(issue).state == .paused)
            #expect(try await room.miscounted() == [])

            try await room.transition(issue, to: .sending)
            try await room.until(issue, is: .sent)
            #expect(server.record.accepted.map(\.recipient).sorted() == readers.sorted())
        }
    }

    @Test("a paused issue holds no other issue up, and may be cancelled: what it has not sent is cancelled")
    func others() async throws {
        try await withServer { room, server in
            let paused = try await room.issue(to: ["held@a.example"], state: .paused)
            let other = try await room.issue(to: ["other@a.example"])
            try await room.until(other, is: .sent)
            #expect(server.record.accepted.map(\.recipient) == ["other@a.example"])
            let cancelled = try await room.transition(paused, to: .cancelled)
            #expect(cancelled.editions.map(\.counts.cancelled).reduce(0, +) == 1)
            #expect(try await room.missed(paused).map(\.reason) == [.cancelled])
        }
    }

    @Test("only what is being sent is paused")
    func illegal() async throws {
        try await Mailroom.run { room, _ in
            let draft = try await room.draft()
            let paused = try await room.issue(to: ["one@a.example"], state: .paused)
            for issue in [draft, paused] {
                let refused = try await problem { try await room.transition(issue, to: .paused) }
                #expect(refused?.slug == ProblemType.transitionNotAllowed.slug)
            }
        }
    }
}
