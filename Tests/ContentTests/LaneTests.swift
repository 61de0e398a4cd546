import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("lanes of mail", .serialized)
struct LaneTests {
    private static let lanes = ["orange.fr": "orange", "gmail.com": "gmail"]

    private func list(_ room: Mailroom, by role: Role = .editor) async throws -> [MailLane] {
        try await room.content.client(role).send(ListMailLanes.request(query: .init())).items
    }

    private func transition(
        _ lane: String, to state: MailLane.State, _ room: Mailroom, by role: Role = .operator
    ) async throws -> MailLane {
        try await room.content.client(role).send(TransitionMailLane.request(path: lane, body: .init(to: state)))
    }

    /// Sends a mail in the lane of Orange, which is there from then on.
    private func use(_ room: Mailroom) async throws {
        let issue = try await room.issue(to: ["a@orange.fr"], lanes: Self.lanes)
        try await room.until(issue, is: .sent)
    }

    /// Why a transition is refused.
    private func refusal(
        _ lane: String, to state: MailLane.State, _ room: Mailroom, by role: Role = .operator
    ) async throws -> ProblemDocument? {
        try await problem { try await transition(lane, to: state, room, by: role) }
    }

    @Test("a lane is listed once it has been used, with what its provider allows and what was sent there")
    func listed() async throws {
        try await Mailroom.run { room, _ in
            #expect(try await list(room).isEmpty)
            let issue = try await room.issue(
                to: ["a@orange.fr", "b@orange.fr", "c@gmail.com", "d@a.example"], lanes: Self.lanes)
            try await room.until(issue, is: .sent)
            try await eventually("the connections have ended") {
                try await list(room).allSatisfy { $0.connections == 0 }
            }
            let lanes = try await list(room, by: .auditor)
            #expect(lanes.map(\.code) == ["gmail", "orange", "other"])
            #expect(lanes.map(\.inDay) == [1, 2, 1])
            #expect(lanes.allSatisfy { $0.state == .open && $0.share == 1 && $0.waitUntil == nil && $0.reason == nil })
            #expect(
                lanes.map(\.limits.messagesPerConnection) == [50, 100, 100] && lanes[1].limits.connections == 2
                    && lanes[1].limits.messagesPerMinute == nil && lanes[1].limits.messagesPerDay == nil)
            let page = try await room.editor().send(ListMailLanes.request(query: .init(limit: 2)))
            #expect(page.items.map(\.code) == ["gmail", "orange"])
            let rest = try await room.editor().send(ListMailLanes.request(query: .init(limit: 2, cursor: page.next)))
            #expect(rest.items.map(\.code) == ["other"] && rest.next == nil)
        }
    }

    @Test("nothing goes out in a paused lane, while another goes on; it goes on when it is resumed")
    func pause() async throws {
        try await Mailroom.run { room, maildir in
            let first = try await room.issue(to: ["first@orange.fr"], lanes: Self.lanes)
            try await room.until(first, is: .sent)
            let paused = try await transition("orange", to: .paused, room)
            #expect(paused.code == "orange" && paused.state == .paused)

            let readers = (1...20).flatMap { ["r\($0)@orange.fr", "r\($0)@gmail.com"] }
            let issue = try await room.issue(to: readers, lanes: Self.lanes)
            #expect(try await CaughtMail.wait(for: 21, in: maildir).count == 21)
            // Longer than the senders wait before they look again.
            try await Task.sleep(for: .seconds(3))
            let recipients = try CaughtMail.all(in: maildir).map(\.recipient)
            #expect(recipients.filter { $0.hasSuffix("@gmail.com") }.count == 20)
            #expect(recipients.filter { $0.hasSuffix("@orange.fr") } == ["first@orange.fr"])
            #expect(try await room.missed(issue).map(\.reason) == Array(repeating: .waiting, count: 20))
            #expect(try await room.get(issue).state == .sending)

            #expect(try await transition("orange", to: .open, room).state == .open)
            try await room.until(issue, is: .sent)
            #expect(
                try CaughtMail.all(in: maildir).map(\.recipient).sorted() == (["first@orange.fr"] + readers).sorted())
        }
    }

    @Test("a pause while mails go out leaves at most those that have begun")
    func pauseWhileSending() async throws {
        try await FaultyMailServer.run { server in
            try await Mailroom.run(mailURL: "smtp://127.0.0.1:\(server.port)?starttls=never&connections=4") { room, _ in
                let readers = (1...2000).map { "r\($0)@orange.fr" }
                let issue = try await room.issue(to: readers, lanes: Self.lanes)
                try await eventually("some are sent") { server.record.accepted.count >= 50 }
                let connections = try await transition("orange", to: .paused, room).limits.connections
                let accepted = server.record.accepted.count
                try await eventually("nothing is being sent") { try await room.count(.sending) == 0 }
                try await Task.sleep(for: .seconds(3))
                #expect(server.record.accepted.count <= accepted + connections)
                #expect(server.record.accepted.count < readers.count, "it was not paused in time to show anything")
                _ = try await transition("orange", to: .open, room)
                try await room.until(issue, is: .sent)
                #expect(server.record.accepted.map(\.recipient).sorted() == readers.sorted())
            }
        }
    }

    @Test("a lane is only paused and resumed by hand, and only one that exists")
    func illegal() async throws {
        try await Mailroom.run { room, _ in
            for lane in ["orange", "nowhere", "domain:a.example"] {
                #expect(try await refusal(lane, to: .paused, room)?.status == 404, "\(lane)")
            }
            try await use(room)
            for state in [MailLane.State.open, .slowed, .closed] {
                let slug = try await refusal("orange", to: state, room)?.slug
                #expect(slug == ProblemType.transitionNotAllowed.slug, "\(state)")
            }
            _ = try await transition("orange", to: .paused, room)
            for state in [MailLane.State.paused, .slowed, .closed] {
                let slug = try await refusal("orange", to: state, room)?.slug
                #expect(slug == ProblemType.transitionNotAllowed.slug, "\(state)")
            }
        }
    }

    @Test("only an operator pauses a lane", arguments: [Role.editor, .auditor])
    func operators(role: Role) async throws {
        try await Mailroom.run { room, _ in
            try await use(room)
            #expect(try await refusal("orange", to: .paused, room, by: role)?.status == 403)
            #expect(try await list(room).map(\.state) == [.open])
        }
    }

    @Test("a lane that its provider has slowed or closed begins anew when it was paused and resumed")
    func anew() async throws {
        try await Mailroom.run { room, _ in
            try await use(room)
            for state in [MailLane.State.slowed, .closed] {
                try await room.database.execute(
                    """
                    update mail_lane set state = \(state), share = 0.25, wait_until = now() + interval '1 hour',
                        reason = '421 slow down'
                    """)
                let lane = try #require(try await list(room).first)
                #expect(lane.state == state && lane.share == 0.25 && lane.waitUntil != nil)
                #expect(lane.reason == "421 slow down")
                _ = try await transition("orange", to: .paused, room)
                let open = try await transition("orange", to: .open, room)
                #expect(open.state == .open && open.share == 1 && open.waitUntil == nil && open.reason == nil)
            }
        }
    }
}
