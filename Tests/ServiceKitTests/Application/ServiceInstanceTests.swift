import ClubProtocol
import Foundation
import HTTPTypes
import Logging
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("A service")
struct ServiceInstanceTests {
    @Test("starts, serves, runs its jobs, and stops")
    func wholeLife() async throws {
        try await withService(NoteService.self) { service in
            let client = try service.client(.operator)
            let made = try await client.exchange(CreateNote.request(body: .init(text: "Bonjour")))
            #expect(made.status == .created)
            let path = made.value.id
            var note = try await client.send(GetNote.request(path: path, query: .init()))
            #expect(note.text == "Bonjour")
            while !note.stamped {
                try await Task.sleep(for: .milliseconds(20))
                note = try await client.send(GetNote.request(path: path, query: .init()))
            }
            let follower = try service.client(.service)
            var changes = try await follower.send(ReadChanges.request(query: .init()))
            while changes.items.isEmpty { changes = try await follower.send(ReadChanges.request(query: .init())) }
            #expect(changes.items.map(\.id) == [note.id.text])
            #expect(changes.items.first?.data?["text"]?.string == "Bonjour")
            try await service.stop()
            await #expect(throws: (any Error).self) { try await service.raw(.get, "/openapi.json") }
        }
    }

    @Test("answers in process as over a socket")
    func inProcess() async throws {
        try await withService(NoteService.self) { service in
            let token = try service.token(.operator)
            let (response, body) = await service.respond(
                to: .init(
                    method: .post, scheme: "http", authority: "test", path: "/v1/notes",
                    headerFields: [.authorization: "Bearer \(token)", .contentType: "application/json"]),
                body: Array(#"{"text": "in process"}"#.utf8))
            #expect(response.status == .created)
            #expect(String(decoding: body, as: UTF8.self).contains("in process"))
        }
    }

    @Test("shows its document and its public key to everyone")
    func documents() async throws {
        try await withService(NoteService.self) { service in
            let document = try await service.raw(.get, "/openapi.json").json()
            #expect(document["openapi"]?.string?.hasPrefix("3.1") == true)
            #expect(document["paths"]?["/v1/notes"] != nil)
            let keys = try await service.raw(.get, "/.well-known/jwks.json").json()
            #expect(keys["keys"]?.array?.first?["kid"]?.string == "content")
            #expect(keys["keys"]?.array?.first?["d"] == nil)
        }
    }

    @Test("does not start when it mounts less than it lists")
    func forgetful() async throws {
        await #expect(throws: RoutesError.self) {
            try await withService(ForgetfulService.self) { _ in }
        }
    }

    @Test("fails when its port is taken")
    func portTaken() async throws {
        try await withService(NoteService.self) { first in
            let problem = await #expect(throws: ConfigurationProblem.self) {
                try await withService(NoteService.self, adjust: { $0.port = first.apiPort }) { _ in }
            }
            #expect(problem?.description == "PORT: cannot listen on 127.0.0.1:\(first.apiPort): Address already in use")
        }
    }

    @Test("its runtime role cannot use another schema")
    func ownSchema() async throws {
        try await withServices([NoteService.self]) { services in
            let database = services[.content].backend.database
            try await database.withConnection { connection in
                await #expect(throws: PostgresError.self) {
                    try await connection.execute("create table intruder (id int)")
                }
            }
        }
    }

    @Test("first reports that it is not ready, then finishes accepted requests, then ends")
    func gracefulShutdown() async throws {
        try await withService(NoteService.self, adjust: { $0.drain = .milliseconds(300) }) { service in
            let client = try service.client(.operator)
            let note = try await client.send(CreateNote.request(body: .init(text: "slow")))
            let gate = UUID().uuidString
            async let slow = client.send(
                GetNote.request(path: note.id, query: .init(gate: gate)), timeout: .seconds(30))
            try await Gate.untilArrived(gate)
            await service.beginStop()
            // Draining: readiness fails, while the API still answers clients that have not noticed yet.
            while try await service.operatorPage("/health/ready").status == 200 {}
            #expect(try await service.operatorPage("/health/live").status == 200)
            let ready = try await service.operatorPage("/health/ready").decode(HealthReport.self)
            #expect(ready.checks["service:state"]?.first?.output == "shutting down")
            // After that it accepts no more requests.
            while (try? await service.raw(.get, "/openapi.json", headers: ["Connection": "close"])) != nil {}
            #expect(try await service.operatorPage("/health/ready").status == 503)
            // Accepted requests are answered all the same, with the database.
            Gate.open(gate)
            #expect(try await slow.text == "slow")
            try await service.stop()
            await #expect(throws: (any Error).self) { try await service.operatorPage("/health/live") }
        }
    }

    @Test("ends within its time limit even if a request never does")
    func shutdownLimit() async throws {
        try await withService(NoteService.self, adjust: { $0.shutdownLimit = .milliseconds(500) }) { service in
            let client = try service.client(.operator)
            let note = try await client.send(CreateNote.request(body: .init(text: "stuck")))
            let gate = UUID().uuidString
            let stuck = Task {
                try await client.send(
                    GetNote.request(path: note.id, query: .init(gate: gate)), timeout: .seconds(30))
            }
            try await Gate.untilArrived(gate)
            await #expect(throws: Never.self) { try? await service.stop() }
            Gate.open(gate)
            _ = await stuck.result
        }
    }
}
