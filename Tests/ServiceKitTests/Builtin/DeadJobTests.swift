import ClubProtocol
import HTTPTypes
import Postgres
import TestKit
import Testing

@testable import ServiceKit

/// The notes service, with operations for dead jobs.
enum NotesWithJobs: ServiceApplication {
    static let name = NoteService.name
    static let title = NoteService.title
    static let endpoints = NoteService.endpoints + JobAPI.endpoints
    static let peers: [ServiceName] = []
    static let migrations = NoteService.migrations

    static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        NoteRoutes(backend: backend).mount(on: &builder)
    }
}

@Suite("dead jobs")
struct DeadJobTests {
    /// Inserts a job for stamping a note that has been dead for some minutes.
    private func insertDeadJob(
        _ note: Note.ID = Note.ID(), unique: String? = nil, minutes: Int = 1, in service: TestService
    ) async throws -> Int64 {
        let row = try await service.backend.database.first(
            """
            insert into job (kind, payload, unique_key, state, attempt, maximum_attempts, died_at, last_error)
            values ('stamp-note', to_jsonb(\(note)::uuid), \(unique), 'dead', 3, 3,
                date_trunc('minute', now()) - make_interval(mins => \(minutes)::integer), 'TimeLimitPassed')
            returning id
            """)
        return try #require(try row?["id"])
    }

    @Test("a dead job is shown without its payload, and runs once it is revived")
    func revived() async throws {
        try await withService(NotesWithJobs.self) { service in
            let client = try service.client(.operator)
            let note = try await client.send(CreateNote.request(body: .init(text: "Bonjour")))
            let id = try await insertDeadJob(note.id, in: service)
            let list = try await service.raw(.get, "/v1/dead-jobs", role: .auditor)
            #expect(!list.text.contains(note.id.text))
            let job = try #require(try list.decode(Page<DeadJob>.self).items.first)
            #expect((job.id, job.kind, job.attempts, job.reason) == (id, "stamp-note", 3, "TimeLimitPassed"))

            try await service.backend.database.execute("update note set stamped = false")
            _ = try await client.send(RetryDeadJob.request(path: id))
            try await eventually("the note is stamped") {
                try await client.send(GetNote.request(path: note.id, query: .init())).stamped
            }
            #expect(try await client.send(ListDeadJobs.request(query: .init())).items.isEmpty)
            let again = try await problem { try await client.send(RetryDeadJob.request(path: id)) }
            #expect(again?.slug == "not-found")
            let traces = try await service.backend.database.first(
                "select count(*) as count from audit where entity = 'job' and action = 'changed' and subject = \("\(id)")"
            )
            #expect(try traces?["count"] == 1)
        }
    }

    @Test("they are listed page by page, the latest first, even with the same time")
    func pages() async throws {
        try await withService(NotesWithJobs.self) { service in
            var dead: [Int64] = []
            for minutes in [1, 2, 2, 2, 3] { dead.append(try await insertDeadJob(minutes: minutes, in: service)) }
            let client = try service.client(.operator)
            var listed: [Int64] = []
            var cursor: Cursor?
            repeat {
                let page = try await client.send(ListDeadJobs.request(query: .init(limit: 2, cursor: cursor)))
                listed += page.items.map(\.id)
                cursor = page.next
            } while cursor != nil
            #expect(listed == dead)
        }
    }

    @Test("one whose work was requested again is not revived, and can be removed")
    func removed() async throws {
        try await withService(NotesWithJobs.self) { service in
            let client = try service.client(.operator)
            let id = try await insertDeadJob(unique: "k", in: service)
            _ = try await service.backend.jobs.enqueue(
                NoteRoutes.stamp, Note.ID(), unique: "k", at: .now.advanced(by: .seconds(3600)),
                in: service.backend.database)
            let refusal = try await problem { try await client.send(RetryDeadJob.request(path: id)) }
            #expect(refusal?.slug == "job-asked-again")
            _ = try await client.send(DeleteDeadJob.request(path: id))
            #expect(try await client.send(ListDeadJobs.request(query: .init())).items.isEmpty)
            // Only dead jobs can be removed.
            let live = try #require(
                try await service.backend.database.first("select id from job where kind = 'stamp-note'"))
            let other: Int64 = try live["id"]
            let gone = try await problem { try await client.send(DeleteDeadJob.request(path: other)) }
            #expect(gone?.slug == "not-found")
        }
    }

    @Test("the health page warns of them until they have been handled")
    func warning() async throws {
        try await withService(NotesWithJobs.self) { service in
            func output() async throws -> String? {
                try await service.operatorPage("/health/ready").decode(HealthReport.self)
                    .checks["jobs:dead"]?.first?.output
            }
            #expect(try await output() == nil)
            let id = try await insertDeadJob(in: service)
            try await eventually("a warning") { try await output()?.hasPrefix("1 dead") == true }
            _ = try await service.client(.operator).send(DeleteDeadJob.request(path: id))
            try await eventually("no warning") { try await output() == nil }
        }
    }
}
