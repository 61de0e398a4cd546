import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Events

/// Runs one replica of the events service or several, beside a directory of which a test says whom it knows.
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

    /// A person whom the directory knows.
    func person(_ givenName: Line = "Ana", organization: Organization.ID? = nil) async throws -> Person {
        let person = Person(
            givenName: givenName, familyName: "Etcheverry", email: "ana@example.org", organization: organization)
        try await FakeDirectory.put(person, in: directory.backend)
        return person
    }

    /// An event in a month with one session of so many seats.
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
            : self.operator.send(GetEvent.request(path: .init(event: event.id)))
    }

    @discardableResult
    func session(of event: Event, _ title: Line = "Séance plénière", seats: Int) async throws -> Session {
        try await self.operator.send(
            AddSession.request(
                path: .init(event: event.id), body: .init(title: title, kind: .workshop, capacity: seats)))
    }

    @discardableResult
    func move(_ event: Event, to state: Event.State) async throws -> Event {
        try await self.operator.send(MoveEvent.request(path: .init(event: event.id), body: .init(to: state)))
    }

    /// Registers a person, as the operator unless somebody else does.
    func register(
        _ person: Person.ID, for event: Event, choices: [Session.ID] = [], note: Prose? = nil, key: String? = nil,
        by client: ServiceClient? = nil
    ) async throws -> Registration {
        try await (client ?? self.operator).send(
            RegisterForEvent.request(
                path: .init(event: event.id), body: .init(person: person, choices: choices, note: note),
                idempotencyKey: key))
    }

    func registration(_ id: Registration.ID) async throws -> Registration {
        try await self.operator.send(GetRegistration.request(path: .init(registration: id)))
    }

    func cancel(_ registration: Registration, by client: ServiceClient? = nil) async throws {
        _ = try await (client ?? self.operator).send(
            CancelRegistration.request(path: .init(registration: registration.id)))
    }

    /// How the only session of an event stands: confirmed, waitlisted.
    func seats(_ event: Event) async throws -> [Int] {
        let event = try await self.operator.send(GetEvent.request(path: .init(event: event.id)))
        return event.sessions.flatMap { [$0.confirmed, $0.waitlisted] }
    }

    /// What the feed says about a registration, once it says so many things. Changes are shown when every transaction
    /// that began before them has ended, those of other tests on the same server too.
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

/// The problem with which a call ends; an issue of the test when it ends well.
func problem<T>(_ call: () async throws -> T) async throws -> ProblemDocument? {
    do {
        _ = try await call()
        return nil
    } catch ServiceClientError.problem(let document) {
        return document
    }
}

/// The part of the directory that the events service calls, over a table that tests fill.
enum FakeDirectory: ServiceApplication {
    static let name = ServiceName.directory
    static let title = "A directory for tests"
    static let endpoints: [any Endpoint.Type] = [GetPerson.self, ReadChanges.self]
    static let peers: [ServiceName] = []
    static let migrations = [
        Migration("0001-people", sql: Array("create table person (id uuid primary key, data jsonb not null)".utf8)),
        Migration("0002-merges", sql: Array("create table merge (id uuid primary key, data jsonb not null)".utf8)),
    ]

    static func assemble(_ backend: Backend, into parts: inout ServiceParts) throws {
        parts.routes.read(GetPerson.self) { call in
            let rows = try await backend.database.query("select data from person where id = \(call.path.person)")
            guard let data = try rows.first?["data", as: JSONText.self] else { throw Problem(.notFound) }
            return .json(Array(data.text.utf8))
        }
        parts.snapshot("person") { "select id, data from person where id = any(\($0))" }
        parts.snapshot("merge") { "select id, data from merge where id = any(\($0))" }
    }

    /// Takes one person into another, or brings both back, as the directory does.
    static func merge(_ merged: Person, into survivor: Person, id: Merge.ID, undo: Bool = false, in backend: Backend)
        async throws
    {
        let notice = MergeNotice(
            id: id, kind: .person, survivor: .init(survivor.id.uuid), merged: .init(merged.id.uuid),
            state: undo ? .undone : .done)
        let data = JSONText(String(decoding: try WireJSON.encode(notice), as: UTF8.self))
        let person = JSONText(String(decoding: try WireJSON.encode(merged), as: UTF8.self))
        try await backend.database.transaction { transaction in
            try await transaction.execute(
                """
                insert into merge (id, data) values (\(id), \(data)) on conflict (id) do update set data = excluded.data
                """)
            if undo {
                try await transaction.execute("insert into person (id, data) values (\(merged.id), \(person))")
            } else {
                try await transaction.execute("delete from person where id = \(merged.id)")
            }
            try await backend.journal.record(
                [
                    .init(undo ? .changed : .created, "merge", id),
                    .init(undo ? .created : .merged, "person", merged.id, version: merged.version),
                ], by: .service(.directory), in: transaction)
        }
    }

    static func put(_ person: Person, in backend: Backend) async throws {
        let data = JSONText(String(decoding: try WireJSON.encode(person), as: UTF8.self))
        try await backend.database.transaction { transaction in
            try await transaction.execute(
                """
                insert into person (id, data) values (\(person.id), \(data))
                on conflict (id) do update set data = excluded.data
                """)
            try await backend.journal.record(
                person.version == 1 ? .created : .changed, "person", person.id, version: person.version,
                by: .service(.directory), in: transaction)
        }
    }

    static func erase(_ person: Person.ID, in backend: Backend) async throws {
        try await backend.database.transaction { transaction in
            try await transaction.execute("delete from person where id = \(person)")
            try await backend.journal.record(.erased, "person", person, by: .service(.directory), in: transaction)
        }
    }
}
