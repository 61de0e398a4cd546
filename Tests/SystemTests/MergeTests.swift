import ClubProtocol
import Foundation
import ServiceKit
import TestKit
import Testing

/// A merge in the directory and its undo, as the other services follow them.
@Suite("merges", .serialized)
struct MergeTests {
    @Test("a seat, an invitation and a resource follow a merge through the feed, and move back on undo")
    func follow() async throws {
        try await TestClub.run { club in
            let directory = try club.client(.directory)
            let people = try await [person("Ana", in: club), person("Anna", in: club)]
            let firms = try await [organization("Altéa", in: club), organization("Altea", in: club)]
            let event = try await event(in: club)
            let events = try club.client(.events)
            _ = try await events.send(
                RegisterForEvent.request(path: event, body: .init(person: people[1].id)))
            let lobbying = try club.client(.lobbying)
            let meeting = try await lobbying.send(
                CreateCircleMeeting.request(body: .init(date: "2027-03-14", place: "Paris", theme: "Souveraineté"))
            ).id
            _ = try await lobbying.send(
                Invite.request(path: meeting, body: .init(person: people[1].id)))
            let content = try club.client(.content, .editor)
            let resource = try await content.send(
                CreateResource.request(
                    body: .init(kind: .article, title: "Dossier", organization: firms[1].id))
            ).id

            func stand(with person: Person, _ name: Line, _ firm: Organization) async throws -> Bool {
                let seats = try await events.send(
                    ListRegistrations.request(path: event, query: .init(), body: Empty())
                ).items
                let invited = try await lobbying.send(
                    ListInvitations.request(path: meeting, query: .init(), body: Empty())
                ).items
                let filed = try await content.send(GetResource.request(path: resource))
                return seats.map(\.person) == [person.id] && seats.map(\.personName) == [name]
                    && invited.map(\.person) == [person.id] && filed.organization == firm.id
            }
            try await eventually("all is the second one's") {
                try await stand(with: people[1], "Anna Etcheverry", firms[1])
            }
            let merges = [
                try await directory.send(
                    MergeRecords.request(
                        body: .init(
                            kind: .person, survivor: .init(people[0].id.uuid), merged: .init(people[1].id.uuid)))),
                try await directory.send(
                    MergeRecords.request(
                        body: .init(
                            kind: .organization, survivor: .init(firms[0].id.uuid), merged: .init(firms[1].id.uuid)))),
            ]
            try await eventually("all is the survivor's") {
                try await stand(with: people[0], "Ana Etcheverry", firms[0])
            }
            for merge in merges { _ = try await directory.send(UndoMerge.request(path: merge.id)) }
            try await eventually("all is the second one's again") {
                try await stand(with: people[1], "Anna Etcheverry", firms[1])
            }
        }
    }

    private func person(_ name: Line, in club: TestClub) async throws -> Person {
        try await club.client(.directory).send(
            CreatePerson.request(body: .init(givenName: name, familyName: "Etcheverry")))
    }

    private func organization(_ name: Line, in club: TestClub) async throws -> Organization {
        try await club.client(.directory).send(CreateOrganization.request(body: .init(kind: .brand, name: name)))
    }

    private func event(in club: TestClub) async throws -> Event.ID {
        let events = try club.client(.events)
        let start = Timestamp.now.advanced(by: .seconds(30 * 86_400))
        let event = try await events.send(
            CreateEvent.request(
                body: .init(
                    title: "Club des Partenaires", kind: .partnersClub, startsAt: start,
                    endsAt: start.advanced(by: .seconds(7200)), venue: "Paris")))
        _ = try await events.send(
            AddSession.request(
                path: event.id, body: .init(title: "Plénière", kind: .plenary, capacity: 10)))
        _ = try await events.send(TransitionEvent.request(path: event.id, body: .init(to: .published)))
        return event.id
    }
}
