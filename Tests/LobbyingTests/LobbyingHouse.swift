import ClubProtocol
import Postgres
import ServiceKit
import TestKit

@testable import Lobbying

/// What tests of the lobbying service begin with.
extension TestService {
    /// A client that waits as long as a busy machine needs.
    func patient(_ role: Role) throws -> ServiceClient {
        var policy = ServiceClient.Policy()
        policy.timeout = .seconds(60)
        return try client(role, policy: policy)
    }

    func official(_ name: Line = "Hélène Vasseur", kind: Official.Kind = .deputy) async throws -> Official {
        try await patient(.lobbyist).send(CreateOfficial.request(body: .init(name: name, kind: kind)))
    }

    func meeting(on date: Day = "2027-03-14") async throws -> CircleMeeting {
        try await patient(.lobbyist).send(
            CreateCircleMeeting.request(
                body: .init(date: date, place: "Palais du Luxembourg", theme: "Le numérique dans les TPE")))
    }

    /// A person of the directory whom the copy has.
    func guest(_ name: Line = "Ana Etcheverry") async throws -> Person.ID {
        let guest = Guest(id: Person.ID(), name: name, version: 1, gone: false)
        try await GuestStore.keep([guest], on: backend.database)
        return guest.id
    }

    func invite(_ body: Invite.Body, to meeting: CircleMeeting) async throws -> Invitation {
        try await patient(.lobbyist).send(Invite.request(path: .init(meeting: meeting.id), body: body))
    }
}

/// The problem with which a call ends; nil when it ends well.
func problem<T>(_ call: () async throws -> T) async throws -> ProblemDocument? {
    do {
        _ = try await call()
        return nil
    } catch ServiceClientError.problem(let document) {
        return document
    }
}

/// The part of the directory that the lobbying service calls, over a table that tests fill.
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
            try await transaction.execute("insert into person (id, data) values (\(person.id), \(data))")
            try await backend.journal.record(
                .created, "person", person.id, version: 1, by: .service(.directory), in: transaction)
        }
    }

    static func erase(_ person: Person.ID, in backend: Backend) async throws {
        try await backend.database.transaction { transaction in
            try await transaction.execute("delete from person where id = \(person)")
            try await backend.journal.record(.erased, "person", person, by: .service(.directory), in: transaction)
        }
    }
}
