import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import Lobbying
@testable import ServiceKit

@Suite("The Cercle's meetings", .serialized)
struct MeetingTests {
    @Test("officials and people are invited once each; guests of honour are named")
    func invitations() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let meeting = try await lobbying.meeting()
            let official = try await lobbying.official()
            let guest = try await lobbying.guest()
            let first = try await lobbying.invite(.init(official: official.id, guestOfHonour: true), to: meeting)
            #expect(first.name == official.name)
            #expect(first.state == .invited)
            let second = try await lobbying.invite(.init(person: guest), to: meeting)
            #expect(second.name == "Ana Etcheverry")
            for body in [Invite.Body(official: official.id), Invite.Body(person: guest)] {
                let again = try await problem { try await lobbying.invite(body, to: meeting) }
                #expect(again?.slug == "already-invited")
            }
            let client = try lobbying.patient(.lobbyist)
            let listed = try await client.send(
                ListInvitations.request(path: meeting.id, query: .init(), body: Empty()))
            #expect(listed.items == [first, second])
            let shown = try await client.send(GetCircleMeeting.request(path: meeting.id))
            #expect(shown.guestsOfHonour == [official.name])
            #expect([shown.invited, shown.accepted, shown.attended] == [2, 0, 0])
        }
    }

    @Test("an invitation names exactly one guest, who exists")
    func refusals() async throws {
        try await withServices([FakeDirectory.self, LobbyingApplication.self]) { services in
            let lobbying = services[.lobbying]
            let meeting = try await lobbying.meeting()
            let official = try await lobbying.official()
            func refusal(_ body: Invite.Body) async throws -> String? {
                try await problem { try await lobbying.invite(body, to: meeting) }?.errors?.first?.pointer
            }
            #expect(try await refusal(.init()) == "")
            #expect(try await refusal(.init(official: official.id, person: Person.ID())) == "")
            #expect(try await refusal(.init(official: Official.ID())) == "/official")
            #expect(try await refusal(.init(person: Person.ID())) == "/person")
            let person = Person(givenName: "Jon", familyName: "Etcheverry")
            try await FakeDirectory.put(person, in: services[.directory].backend)
            #expect(try await refusal(.init(person: person.id)) == nil)
        }
    }

    @Test("the guest's answer changes the invitation's state; it never returns to invited")
    func answers() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let meeting = try await lobbying.meeting()
            let official = try await lobbying.official().id
            let invitation = try await lobbying.invite(.init(official: official), to: meeting)
            let client = try lobbying.patient(.lobbyist)
            func move(_ state: Invitation.State) async throws -> Invitation {
                try await client.send(
                    TransitionInvitation.request(path: invitation.id, body: .init(to: state)))
            }
            #expect(try await move(.accepted).state == .accepted)
            #expect(try await move(.declined).version == 3)
            let back = try await problem { try await move(.invited) }
            #expect(back?.slug == "transition-not-allowed")
            #expect(try await move(.accepted).state == .accepted)
            let shown = try await client.send(GetCircleMeeting.request(path: meeting.id))
            #expect(shown.accepted == 1)
        }
    }

    @Test("the attendance list replaces the previous one, and repeating it changes nothing")
    func attendance() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let meeting = try await lobbying.meeting()
            let first = try await lobbying.official("Anne Castan").id
            let second = try await lobbying.official("Guy Lormont").id
            let guest = try await lobbying.guest()
            let client = try lobbying.patient(.lobbyist)
            func record(_ officials: [Official.ID], _ people: [Person.ID] = []) async throws -> Attendance {
                try await client.send(
                    RecordAttendance.request(
                        path: meeting.id, body: .init(officials: officials, people: people)))
            }
            let all = try await record([first, second], [guest])
            #expect(all.attendees.map(\.name) == ["Anne Castan", "Guy Lormont", "Ana Etcheverry"])
            #expect(try await record([second, first, first], [guest]) == all)
            #expect(try await record([second]).attendees.map(\.official) == [second])
            #expect(try await record([], [guest]).attendees.map(\.person) == [guest])
            let shown = try await client.send(GetAttendance.request(path: meeting.id))
            #expect(shown.attendees.map(\.person) == [guest])
            let unknown = try await problem { try await record([first, Official.ID()]) }
            #expect(unknown?.errors?.map(\.pointer) == ["/officials/1"])
            #expect(try await client.send(GetAttendance.request(path: meeting.id)) == shown)
        }
    }

    @Test("there is one meeting per day, the latest first")
    func meetings() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let first = try await lobbying.meeting(on: "2027-03-14")
            let second = try await lobbying.meeting(on: "2027-06-20")
            let again = try await problem { try await lobbying.meeting(on: "2027-03-14") }
            #expect(again?.slug == "already-exists")
            let client = try lobbying.patient(.lobbyist)
            let page = try await client.send(ListCircleMeetings.request(query: .init(limit: 1)))
            #expect(page.items == [second])
            let rest = try await client.send(ListCircleMeetings.request(query: .init(limit: 1, cursor: page.next)))
            #expect(rest.items == [first])
            let missing = try await problem {
                try await client.send(GetCircleMeeting.request(path: CircleMeeting.ID()))
            }
            #expect(missing?.status == 404)
        }
    }

    @Test("a person who is erased in the directory leaves no name here")
    func erased() async throws {
        try await withServices([FakeDirectory.self, LobbyingApplication.self]) { services in
            let lobbying = services[.lobbying]
            let person = Person(givenName: "Jon", familyName: "Etcheverry")
            try await FakeDirectory.put(person, in: services[.directory].backend)
            let meeting = try await lobbying.meeting()
            let invitation = try await lobbying.invite(.init(person: person.id, guestOfHonour: true), to: meeting)
            #expect(invitation.name == "Jon Etcheverry")
            try await FakeDirectory.erase(person.id, in: services[.directory].backend)
            let client = try lobbying.patient(.lobbyist)
            let end = ContinuousClock.now.advanced(by: .seconds(20))
            var names: [Line]
            repeat {
                try await Task.sleep(for: .milliseconds(20))
                names = try await client.send(GetCircleMeeting.request(path: meeting.id)).guestsOfHonour
            } while !names.isEmpty && ContinuousClock.now < end
            #expect(names.isEmpty)
            let listed = try await client.send(
                ListInvitations.request(path: meeting.id, query: .init(), body: Empty()))
            #expect(listed.items.map(\.name) == [nil])
            // A late response of the directory does not restore the person.
            try await LobbyingApplication.people(lobbying.backend).keep([PersonCopy(person)])
            let copy = try await lobbying.backend.database.first("select gone from person_copy where id = \(person.id)")
            #expect(try copy?["gone"] == true)
        }
    }

    @Test("changes are in the feed, with the current state")
    func feed() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let meeting = try await lobbying.meeting()
            let official = try await lobbying.official()
            _ = try await lobbying.invite(.init(official: official.id), to: meeting)
            // Shown when every transaction that began before has ended, including those of other tests on the same
            // server.
            let auditor = try lobbying.patient(.auditor)
            var changes: [Change] = []
            let end = ContinuousClock.now.advanced(by: .seconds(20))
            repeat {
                changes = try await auditor.send(ReadChanges.request(query: .init(wait: 0))).items
                try await Task.sleep(for: .milliseconds(20))
            } while changes.count < 3 && ContinuousClock.now < end
            #expect(changes.map(\.entity) == [.circleMeeting, .official, .invitation])
            #expect(changes.allSatisfy { $0.data != nil })
        }
    }
}
