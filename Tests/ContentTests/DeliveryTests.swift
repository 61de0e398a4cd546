import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("what became of a delivery", .serialized)
struct DeliveryTests {
    private let sender = MailDispatcher.ID()

    private func get(_ delivery: Delivery.ID, _ room: Mailroom, by role: Role = .editor) async throws -> Delivery {
        try await room.content.client(role).send(GetDelivery.request(path: delivery))
    }

    /// The delivery of an issue that is paused, so that nobody but the test sends it.
    private func delivery(_ room: Mailroom) async throws -> Delivery.ID {
        let issue = try await room.issue(to: ["one@a.example"], state: .paused)
        return try #require(
            try await room.editor().send(ListDeliveries.request(path: issue, query: .init(), body: Empty())).items.first
        ).id
    }

    private func claim(_ room: Mailroom, sending: Bool) async throws {
        try await room.database.execute(
            """
            update outgoing_mail set sender = \(sender), due_at = 'infinity',
                state = \(sending ? "sending" : "pending"), attempt = attempt + case when \(sending) then 1 else 0 end
            """)
    }

    private func end(_ room: Mailroom, _ ending: MailEnding) async throws {
        _ = try await OutgoingMailStore(database: room.database).turn([ending], [], by: sender)
    }

    private func attempts(_ room: Mailroom) async throws -> Int {
        try await room.database.first("select count(*)::integer as count from mail_attempt")?["count"] ?? -1
    }

    @Test("it shows each try with what the server said and what came of it, and last the one that was accepted")
    func tries() async throws {
        try await Mailroom.run { room, _ in
            let delivery = try await delivery(room)
            let id = MailMessage.ID(delivery.uuid)
            #expect(try await get(delivery, room).tries == [])
            try await claim(room, sending: false)
            try await end(
                room, .init(id: id, state: .pending, replyClass: .greylisted, reply: "450 later", wait: 300))
            try await claim(room, sending: true)
            try await end(room, .init(id: id, state: .pending, reply: "the connection was lost", wait: 10))
            try await claim(room, sending: false)
            try await end(
                room,
                .init(id: id, state: .pending, replyClass: .slowDown, reply: "421 slow", wait: 60, counts: false))
            try await claim(room, sending: true)
            #expect(try await get(delivery, room).tries?.count == 3)
            try await end(room, .init(id: id, state: .sent, replyClass: .taken, reply: "250 ok"))

            let shown = try await get(delivery, room, by: .auditor)
            let tries = try #require(shown.tries)
            #expect(tries.map(\.attempt) == [1, 2, 3, 3])
            #expect(tries.map(\.outcome) == [.pending, .pending, .pending, .sent])
            #expect(tries.map(\.meaning) == ["greylisted", nil, "slowDown", "taken"])
            #expect(tries.map(\.reply) == ["450 later", "the connection was lost", "421 slow", "250 ok"])
            #expect(tries.map(\.at) == tries.map(\.at).sorted() && tries.last?.at == shown.updatedAt)
            #expect(shown.state == .sent && shown.attempts == 3 && shown.email == "one@a.example")
            // The mail itself tells of the one that was accepted.
            #expect(try await attempts(room) == 3)
        }
    }

    @Test("a mail that is accepted at once, or only claimed, leaves no other trace")
    func accepted() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: (1...20).map { "r\($0)@a.example" })
            try await room.until(issue, is: .sent)
            #expect(try await attempts(room) == 0)
            let delivery = try await delivery(room)
            let store = OutgoingMailStore(database: room.database)
            try await claim(room, sending: false)
            try await store.release([.init(delivery.uuid)], by: sender)
            try await claim(room, sending: false)
            try await store.retire(sender, again: .init(deliveries: false, letters: false))
            #expect(try await attempts(room) == 0)
            #expect(try await get(delivery, room).tries == [])
        }
    }

    @Test(
        "a sender that is lost is a try whose outcome nobody knows, or that is repeated", arguments: [false, true])
    func lost(again: Bool) async throws {
        try await Mailroom.run { room, _ in
            let delivery = try await delivery(room)
            try await claim(room, sending: true)
            try await OutgoingMailStore(database: room.database).retire(
                sender, again: .init(deliveries: again, letters: !again))
            let tries = try #require(try await get(delivery, room).tries)
            #expect(tries.map(\.outcome) == [again ? .pending : .uncertain])
            #expect(tries.first?.attempt == 1 && tries.first?.reply?.contains("lost") == true)
        }
    }

    @Test("what came back about an accepted mail is shown beside its state, in the list too")
    func reports() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: ["one@a.example", "two@a.example"], state: .paused)
            try await room.end("one@a.example", .sent, .taken)
            try await room.end("two@a.example", .failed, .addressGone)
            try await room.database.execute(
                """
                insert into mail_report (mail, kind, is_hard, was_accepted, reported_at)
                select id, kind, case when kind = 'bounce' then true end, true, at
                from delivery, (values ('bounce', timestamptz '2027-03-01T08:00:00Z'),
                    ('complaint', '2027-03-02T08:00:00Z'), ('departure', '2027-03-03T08:00:00Z')) as report (kind, at)
                where email = 'one@a.example'
                """)
            let listed = try await room.editor().send(
                ListDeliveries.request(path: issue, query: .init(), body: Empty())
            ).items
            #expect(listed.map(\.email) == ["one@a.example", "two@a.example"])
            for shown in [listed[0], try await get(listed[0].id, room)] {
                #expect(shown.state == .sent)
                #expect(shown.bouncedAt?.text == "2027-03-01T08:00:00Z")
                #expect(shown.complainedAt?.text == "2027-03-02T08:00:00Z")
                #expect(shown.leftAt?.text == "2027-03-03T08:00:00Z")
            }
            // A refusal is the state itself.
            #expect(listed[1].state == .failed && listed[1].bouncedAt == nil)
            #expect(listed.allSatisfy { $0.tries == nil })
        }
    }

    @Test("it is gone with its tries once it is erased; an unknown one is not found")
    func erased() async throws {
        try await Mailroom.run { room, _ in
            let delivery = try await delivery(room)
            try await claim(room, sending: true)
            try await end(room, .init(id: .init(delivery.uuid), state: .failed, replyClass: .refused, reply: "554 no"))
            #expect(try await get(delivery, room).tries?.map(\.outcome) == [.failed])
            try await room.database.execute("delete from outgoing_mail")
            #expect(try await attempts(room) == 0)
            #expect(try await problem { try await get(delivery, room) }?.status == 404)
        }
    }

    @Test("its reader is told of each try")
    func told() async throws {
        try await Mailroom.run { room, _ in
            let delivery = try await delivery(room)
            try await claim(room, sending: true)
            try await end(
                room, .init(id: .init(delivery.uuid), state: .pending, replyClass: .mailboxFull, reply: "452 full"))
            let row = try await room.database.first("select reader from delivery")
            let reader = try #require(try row?["reader", as: DataSubject.ID.self])
            let directory = try room.content.keys.token(.service, as: .directory, for: .content)
            let told = try await room.content.raw(
                .post, "/v1/personal-data", headers: ["Authorization": "Bearer \(directory)"],
                body: WireJSON.encode(ReadPersonalData.Body(entity: .expert, id: reader))
            ).decode(PersonalData.self)
            let tries = told.data["deliveries"]?.array?.first?["tries"]?.array ?? []
            #expect(tries.compactMap { $0["reply"]?.string } == ["452 full"])
            #expect(tries.compactMap { $0["outcome"]?.string } == ["pending"])
        }
    }

    @Test("a letter shows its tries too, and a list of letters does not")
    func letter() async throws {
        try await Mailroom.run { room, _ in
            let client = try room.staff()
            let letter = try await client.send(SendLetter.request(body: LetterRig.body("one")))
            try await eventually("it is sent") {
                try await client.send(GetLetter.request(path: letter.id)).tries?.map(\.outcome) == [.sent]
            }
            #expect(letter.tries == nil)
            #expect(try await client.send(ListLetters.request(query: .init())).items.map(\.tries) == [nil])
        }
    }
}
