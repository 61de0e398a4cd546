import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import Synchronization

@testable import ServiceKit

/// The smallest service with a bit of everything: two endpoints of its own, a table, a job, the feed.
enum NoteService: ServiceApplication {
    static let name = ServiceName.content
    static let title = "Notes"
    static let endpoints: [any Endpoint.Type] = [CreateNote.self, GetNote.self, ReadChanges.self]
    static let peers: [ServiceName] = []
    static let migrations = [
        Migration(
            "0001-notes",
            sql: Array(
                """
                create table note (
                    id uuid primary key, text text not null, stamped boolean not null default false,
                    version int not null default 1
                );
                """.utf8))
    ]

    static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        NoteRoutes(backend: backend).mount(on: &builder)
    }
}

/// The same service with a peer to call.
enum CallingNoteService: ServiceApplication {
    static let name = NoteService.name
    static let title = NoteService.title
    static let endpoints = NoteService.endpoints
    static let peers = [ServiceName.directory]
    static let migrations = NoteService.migrations

    static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        NoteRoutes(backend: backend).mount(on: &builder)
    }
}

/// A service that lists more endpoints than it mounts.
enum ForgetfulService: ServiceApplication {
    static let name = NoteService.name
    static let title = NoteService.title
    static let endpoints = NoteService.endpoints
    static let peers: [ServiceName] = []
    static let migrations: [Migration] = []

    static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {}
}

struct Note: Codable, Sendable {
    typealias ID = Identifier<Note>
    var id: ID
    var text: String
    var stamped: Bool
    var version: Int
}

enum CreateNote: Endpoint {
    static let operation = Operation(
        .post, "/v1/notes", "Keeps a note.", success: .created, access: .roles(.operator))
    struct Body: Codable, Sendable {
        var text: Line
    }
    typealias Response = Note
}

enum GetNote: Endpoint {
    static let operation = Operation(.get, "/v1/notes/{note}", "Shows a note.", access: .roles(.operator))
    typealias Path = Note.ID
    /// With `wait`, the response waits for ``Gate/open(_:)``.
    struct Query: Codable, Sendable {
        var gate: String?
    }
    typealias Response = Note
}

struct NoteRoutes {
    static let stamp = JobKind<Note.ID>("stamp-note")
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(GetNote.self, read)
        builder.routes.write(CreateNote.self, create)
        builder.job(Self.stamp) { [backend] note, _ in
            try await backend.database.execute("update note set stamped = true where id = \(note)")
        }
        builder.snapshot(.note) { ids in
            "select id, jsonb_build_object('text', text) as data from note where id = any(\(ids))"
        }
    }

    @Sendable func read(_ call: Call<GetNote>) async throws -> RouteResponse<Note> {
        if let gate = call.query.gate { await Gate.pass(gate) }
        return try .row(await backend.database.query("select * from note where id = \(call.path)"))
    }

    @Sendable func create(_ call: Call<CreateNote>, _ transaction: PostgresTransaction) async throws -> RouteResponse<
        Note
    > {
        let id = Note.ID()
        let rows = try await transaction.query(
            "insert into note (id, text) values (\(id), \(call.body.text)) returning *")
        try await transaction.record(.created, .note, id, version: 1, by: call.principal)
        _ = try await backend.jobs.enqueue(Self.stamp, id, in: transaction)
        return try .row(rows)
    }
}

/// Lets a test hold a request while it is being handled.
enum Gate {
    private struct State {
        var arrived = false
        var isOpen = false
    }

    private static let states = Mutex<[String: State]>([:])

    static func open(_ name: String) { states.withLock { $0[name, default: State()].isOpen = true } }

    /// Waits until a request has arrived at the gate.
    static func untilArrived(_ name: String) async throws {
        while !(states.withLock { $0[name]?.arrived ?? false }) { try await Task.sleep(for: .milliseconds(5)) }
    }

    static func pass(_ name: String) async {
        states.withLock { $0[name, default: State()].arrived = true }
        while !Task.isCancelled, !(states.withLock { $0[name]?.isOpen ?? false }) {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}
