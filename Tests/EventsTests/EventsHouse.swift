import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import TestKit
import Testing

@testable import Events
@testable import ServiceKit

/// Runs one or more replicas of the events service, with a directory whose people the test sets.
func withEvents<T>(replicas: Int = 1, _ body: (EventsHouse) async throws -> T) async throws -> T {
    let applications: [any ServiceApplication.Type] =
        [FakeDirectory.self] + Array(repeating: EventsApplication.self, count: replicas)
    return try await withServices(applications) { try await body(EventsHouse(services: $0)) }
}

struct EventsHouse {
    let services: TestServices

    var events: TestService { services[.events] }
    var directory: TestService { services[.directory] }
    var `operator`: ServiceClient { get throws { try client(.operator) } }

    /// A client that waits as long as a busy machine needs.
    func client(
        _ role: Role, organization: Organization.ID? = nil, person: Person.ID? = nil, of replica: Int = 0
    ) throws -> ServiceClient {
        var policy = ServiceClient.Policy()
        policy.timeout = .seconds(60)
        let replicas = services.all(.events)
        return try replicas[replica % replicas.count].client(
            role, organization: organization, person: person, policy: policy)
    }

    /// Adds a person to the directory.
    func person(_ givenName: Line = "Ana", organization: Organization.ID? = nil) async throws -> Person {
        let person = Person(
            givenName: givenName, familyName: "Etcheverry", email: "ana@example.org", organization: organization)
        try await FakeDirectory.put(person, in: directory.backend)
        return person
    }

    /// Adds people to the copy of the directory, as if it had been asked about them.
    func copy(_ people: [PersonCopy]) async throws {
        try await EventsApplication.people(events.backend).keep(people)
    }

    /// The person in the copy, whom the directory is not asked about.
    func copied(_ person: Person.ID) async throws -> PersonCopy? {
        try await events.backend.database.first("select * from person_copy where id = \(person)")?.decode(
            PersonCopy.self)
    }

    /// An event in a month with one session of `capacity` seats.
    func event(
        seats: Int = 2, published: Bool = true, change: (inout CreateEvent.Body) -> Void = { _ in }
    ) async throws -> Event {
        let start = Timestamp.now.advanced(by: .seconds(30 * 86_400))
        var body = CreateEvent.Body(
            title: "Club des Partenaires", kind: .partnersClub, startsAt: start,
            endsAt: start.advanced(by: .seconds(7200)), venue: "Paris")
        change(&body)
        let event = try await self.operator.send(CreateEvent.request(body: body))
        _ = try await session(of: event, seats: seats)
        return try await published
            ? move(event, to: .published)
            : self.operator.send(GetEvent.request(path: event.id))
    }

    @discardableResult
    func session(of event: Event, _ title: Line = "Séance plénière", seats: Int) async throws -> Session {
        try await self.operator.send(
            AddSession.request(
                path: event.id, body: .init(title: title, kind: .workshop, capacity: seats)))
    }

    @discardableResult
    func move(_ event: Event, to state: Event.State) async throws -> Event {
        try await self.operator.send(TransitionEvent.request(path: event.id, body: .init(to: state)))
    }

    /// Registers a person, by default as the operator.
    func register(
        _ person: Person.ID, for event: Event, choices: [Session.ID] = [], note: Prose? = nil, key: String? = nil,
        by client: ServiceClient? = nil
    ) async throws -> Registration {
        try await (client ?? self.operator).send(
            RegisterForEvent.request(
                path: event.id, body: .init(person: person, choices: choices, note: note),
                idempotencyKey: key))
    }

    func registration(_ id: Registration.ID) async throws -> Registration {
        try await self.operator.send(GetRegistration.request(path: id))
    }

    func cancel(_ registration: Registration, by client: ServiceClient? = nil) async throws {
        _ = try await (client ?? self.operator).send(
            CancelRegistration.request(path: registration.id))
    }

    /// The counts of the event's only session: confirmed, waitlisted.
    func seats(_ event: Event) async throws -> [Int] {
        let event = try await self.operator.send(GetEvent.request(path: event.id))
        return event.sessions.flatMap { [$0.confirmed, $0.waitlisted] }
    }

    /// The changes of a registration in the feed, once there are `count`. The feed shows a change when every
    /// transaction that began before it has ended, including those of other tests on the same server.
    func changes(of registration: Registration.ID, atLeast count: Int) async throws -> [Change] {
        var changes: [Change] = []
        try await eventually("the feed shows the changes") {
            let batch = try await client(.auditor).send(ReadChanges.request(query: .init(wait: 0, limit: 200)))
            changes = batch.items.filter { $0.id == registration.text }
            return changes.count >= count
        }
        return changes
    }
}
