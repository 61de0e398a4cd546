import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("suppressions", .serialized)
struct SuppressionTests {
    private func suppress(_ reason: Suppression.Reason, _ room: Mailroom) async throws -> Suppression {
        try await room.editor().send(CreateSuppression.request(body: .init(email: "A@a.example", reason: reason)))
    }

    private func list(_ room: Mailroom, _ filter: ListSuppressions.Filter = .init()) async throws -> [Suppression] {
        try await room.editor().send(ListSuppressions.request(query: .init(filter))).items
    }

    private func lift(_ id: Suppression.ID, _ room: Mailroom, by role: Role = .operator) async throws {
        _ = try await room.content.client(role).send(
            LiftSuppression.request(path: id, query: .init(reason: "Réparée par téléphone")))
    }

    /// The reasons that hold after two are said, one after the other.
    private static func reasons(
        _ first: Suppression.Reason, _ second: Suppression.Reason
    ) -> Set<Suppression.Reason> {
        switch (first, second) {
        // What was left is a suppression of its own, and so is what holds for all mail.
        case (.unsubscribed, _), (_, .unsubscribed): [first, second]
        case (.complaint, _), (_, .complaint): [.complaint]
        case (.bounced, _), (.manual, _): [first]
        }
    }

    @Test("of two reasons the stronger holds, or both", arguments: Suppression.Reason.allCases)
    func pairs(first: Suppression.Reason) async throws {
        try await Mailroom.run { room, _ in
            for second in Suppression.Reason.allCases {
                let before = try await suppress(first, room)
                let after = try await suppress(second, room)
                let listed = try await list(room)
                #expect(Set(listed.map(\.reason)) == Self.reasons(first, second), "\(first), then \(second)")
                #expect(listed.count == Self.reasons(first, second).count, "\(first), then \(second)")
                #expect((before.id == after.id) == (listed.count == 1))
                #expect(listed.contains(after) && after.email == "a@a.example")
                #expect(listed.allSatisfy { ($0.purpose == .flashInfo) == ($0.reason == .unsubscribed) })
                try await room.database.execute("delete from suppression")
            }
        }
    }

    @Test("what is said again is a change of the same suppression, and a departure has the later time")
    func again() async throws {
        try await Mailroom.run { room, _ in
            for reason in [Suppression.Reason.bounced, .manual, .bounced] { _ = try await suppress(reason, room) }
            let complaint = try await suppress(.complaint, room)
            _ = try await suppress(.manual, room)
            let actions = try await room.database.query(
                "select action from change where entity = 'suppression' and subject = \(complaint.id.text) order by xid, id"
            ).map { try $0["action", as: String.self] }
            #expect(actions == ["created", "changed"])
            let early = try Timestamp(validating: "2026-01-01T00:00:00Z")
            try await room.database.transaction { transaction in
                for at in [nil, early] {
                    try await SuppressionStore.add(
                        [.init(email: "b@a.example", reason: .unsubscribed, purpose: .flashInfo, at: at)],
                        by: .service(.content), in: transaction)
                }
            }
            let row = try await room.database.first(
                "select unsubscribed_at > \(early) as later from suppression where email = 'b@a.example'")
            #expect(try row?["later"] == true)
        }
    }

    @Test("one that bounced, or that the staff made, is lifted, and the address is mailed again")
    func lifted() async throws {
        try await Mailroom.run { room, maildir in
            for reason in [Suppression.Reason.bounced, .manual] {
                let suppression = try await suppress(reason, room)
                #expect(try await room.editor().send(GetSuppression.request(path: suppression.id)) == suppression)
                try await lift(suppression.id, room)
                #expect(try await list(room) == [])
                let gone = try await problem { try await lift(suppression.id, room) }
                #expect(gone?.status == 404)
                let shown = try await problem {
                    try await room.editor().send(GetSuppression.request(path: suppression.id))
                }
                #expect(shown?.status == 404)
                let recorded = try await room.database.first(
                    """
                    select actor, commitment is not null as reasoned from audit
                    where entity = 'suppression' and subject = \(suppression.id.text) and action = 'deleted'
                    """)
                #expect(try recorded?["actor"] == "test" && recorded?["reasoned"] == true)
                let told = try await room.database.first(
                    """
                    select count(*)::integer as count from change
                    where entity = 'suppression' and subject = \(suppression.id.text) and action = 'deleted'
                    """)
                #expect(try told?["count"] == 1)
            }
            _ = try await room.issue(to: ["a@a.example"])
            #expect(try await CaughtMail.wait(for: 1, in: maildir).map(\.recipient) == ["a@a.example"])
        }
    }

    @Test("who left or complained stays suppressed: only they can lift that")
    func stands() async throws {
        try await Mailroom.run { room, _ in
            for reason in [Suppression.Reason.unsubscribed, .complaint] {
                let suppression = try await suppress(reason, room)
                let refused = try await problem { try await lift(suppression.id, room) }
                #expect(refused?.slug == ProblemType.suppressionStands.slug && refused?.status == 409)
                #expect(try await list(room).contains(suppression))
            }
        }
    }

    @Test("lifting is for operators, and needs a reason")
    func needs() async throws {
        try await Mailroom.run { room, _ in
            let suppression = try await suppress(.manual, room)
            for role in [Role.editor, .auditor] {
                #expect(try await problem { try await lift(suppression.id, room, by: role) }?.status == 403)
            }
            for query in ["", "?reason=", "?reason=a%0Ab"] {
                let answer = try await room.content.raw(
                    .delete, "/v1/suppressions/\(suppression.id)\(query)", role: .operator)
                #expect([400, 422].contains(answer.status), "\(query): \(answer.status)")
            }
            #expect(try await list(room) == [suppression])
        }
    }

    @Test("the list is filtered by address, reason and purpose")
    func filters() async throws {
        try await Mailroom.run { room, _ in
            for (email, reason) in [("a@a.example", Suppression.Reason.unsubscribed), ("b@a.example", .bounced)] {
                _ = try await room.editor().send(
                    CreateSuppression.request(body: .init(email: EmailAddress(validating: email), reason: reason)))
            }
            #expect(try await list(room).map(\.email) == ["a@a.example", "b@a.example"])
            #expect(try await list(room, .init(email: "B@A.example")).map(\.email) == ["b@a.example"])
            #expect(try await list(room, .init(reason: .unsubscribed)).map(\.email) == ["a@a.example"])
            #expect(try await list(room, .init(purpose: .flashInfo)).map(\.email) == ["a@a.example"])
            #expect(try await list(room, .init(purpose: .eventInvitations)) == [])
        }
    }
}
