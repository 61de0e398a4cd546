import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import Lobbying
@testable import ServiceKit

@Suite("Merges of the directory's people")
struct MergeTests {
    private func apply(
        _ merged: Person.ID, into survivor: Person.ID, _ id: Merge.ID, undone: Bool, in lobbying: TestService
    ) async throws {
        let notice = MergeNotice(
            id: id, kind: .person, survivor: .init(survivor.uuid), merged: .init(merged.uuid),
            state: undone ? .undone : .done)
        let change = Change(
            cursor: try Cursor(validating: "1.1"), entity: .merge, id: id.text, action: .created, version: 1, at: .now,
            data: try LenientJSON.decode(JSONValue.self, from: WireJSON.encode(notice)))
        let people = LobbyingApplication.people(lobbying.backend)
        try await lobbying.backend.database.transaction { try await people.apply([change], in: $0) }
    }

    @Test("invitations and attendances follow their person, one of each per meeting, and move back on undo")
    func follow() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let client = try lobbying.patient(.lobbyist)
            let (own, other) = (try await lobbying.guest("Ana"), try await lobbying.guest("Anna"))
            let both = try await lobbying.meeting(on: "2027-03-14")
            let single = try await lobbying.meeting(on: "2027-06-14")
            _ = try await lobbying.invite(.init(person: own), to: both)
            let accepted = try await lobbying.invite(.init(person: other), to: both)
            _ = try await client.send(
                TransitionInvitation.request(path: accepted.id, body: .init(to: .accepted)))
            _ = try await lobbying.invite(.init(person: other), to: single)
            for (meeting, people) in [(both, [own, other]), (single, [other])] {
                _ = try await client.send(
                    RecordAttendance.request(path: meeting.id, body: .init(people: people)))
            }
            func people() async throws -> [[Person.ID]] {
                var result: [[Person.ID]] = []
                for meeting in [both, single] {
                    let invited = try await client.send(
                        ListInvitations.request(path: meeting.id, query: .init()))
                    result.append(invited.items.compactMap(\.person))
                    let came = try await client.send(GetAttendance.request(path: meeting.id))
                    result.append(came.attendees.compactMap(\.person))
                }
                return result
            }
            let before = try await people()
            #expect(before == [[own, other], [own, other], [other], [other]])
            let id = Merge.ID()
            // A feed may deliver a change twice.
            for _ in 1...2 { try await apply(other, into: own, id, undone: false, in: lobbying) }
            #expect(try await people() == [[own], [own], [own], [own]])
            let kept = try await client.send(ListInvitations.request(path: both.id, query: .init()))
            #expect(kept.items.map(\.id) == [accepted.id])
            for _ in 1...2 { try await apply(other, into: own, id, undone: true, in: lobbying) }
            #expect(try await people() == before)
        }
    }

    @Test("an undo that arrives before its merge changes nothing")
    func unseen() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let (own, other) = (try await lobbying.guest("Ana"), try await lobbying.guest("Anna"))
            let meeting = try await lobbying.meeting()
            let invitation = try await lobbying.invite(.init(person: own), to: meeting)
            try await apply(other, into: own, Merge.ID(), undone: true, in: lobbying)
            let now = try await lobbying.patient(.lobbyist).send(
                ListInvitations.request(path: meeting.id, query: .init()))
            #expect(now.items == [invitation])
        }
    }
}
