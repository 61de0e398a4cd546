import ClubProtocol
import Foundation
import HTTPTypes
import Logging
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("Health")
struct HealthTests {
    @Test("a running service is live, has started, is ready, and shows its metrics")
    func ready() async throws {
        try await withService(NoteService.self) { service in
            for path in ["/health/live", "/health/started", "/health/ready"] {
                let page = try await service.operatorPage(path)
                #expect(page.status == 200)
                #expect(page.headers["content-type"] == "application/health+json")
                #expect(page.headers["cache-control"] == "no-store")
                #expect(try page.decode(HealthReport.self).status == .pass)
            }
            let report = try await service.operatorPage("/health/ready").decode(HealthReport.self)
            #expect(report.serviceId == "content")
            #expect(report.checks["database:schema"]?.first?.componentId == "content")
            #expect(report.checks["database:responseTime"]?.first?.observedUnit == "ms")
            let metrics = try await service.operatorPage("/metrics")
            #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let text = try PrometheusTests.Exposition(metrics.body)
            #expect(text.types["service_ready"] == "gauge")
            #expect(text.types["db_client_operation_duration_seconds"] == "histogram")
        }
    }

    @Test("the operator port serves nothing else, and only reads")
    func otherPaths() async throws {
        try await withService(NoteService.self) { service in
            for path in ["/", "/health", "/health/ready/", "/v1/notes", "/openapi.json", "/../metrics"] {
                let page = try await service.operatorPage(path)
                #expect(page.status == 404)
                #expect(try page.problem().slug == "not-found")
            }
            let page = try await service.raw(.post, "/health/ready", body: [], port: service.operatorPort)
            #expect(page.status == 405)
            #expect(page.headers["allow"] == "GET, HEAD")
            #expect(page.headers["content-type"] == "application/problem+json")
            let head = try await service.raw(.head, "/health/live", port: service.operatorPort)
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test("the operator port drops slow senders, and has room for the next one however many are open")
    func rudeness() async throws {
        try await withService(NoteService.self) { service in
            let (ports, bound) = AsyncStream<Int>.makeStream()
            let listener = OperatorListener(
                host: "127.0.0.1", port: 0, health: service.health, metrics: Observability.metrics,
                logger: TicketFixture.quiet, requestTime: .milliseconds(400), connections: 3
            ) { bound.yield($0) }
            let running = Task { try await listener.run() }
            defer { running.cancel() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let request = "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"

            let dripping = try RawSocket(port: port)
            async let end = dripping.readAll()
            let head = Array("GET /health/live HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 400))".utf8)
            for byte in head {
                guard await dripping.send([byte]) else { break }
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(await end == "")
            // Also after a response.
            let second = try RawSocket(port: port)
            await second.send(request)
            #expect(await second.read(until: "}").hasPrefix("HTTP/1.1 200"))
            await second.send("GET /health/li")
            #expect(await second.readAll() == "")

            var idle: [RawSocket] = []
            for _ in 0..<10 {
                let socket = try RawSocket(port: port)
                await socket.send(request)
                #expect(await socket.read(until: "}").lowercased().contains("x-content-type-options: nosniff"))
                idle.append(socket)
            }
            // The first connection has made room.
            #expect(await idle[0].readAll() == "")
        }
    }

    @Test("a peer that is down is a warning, and does not make the service unready")
    func peerDown() async throws {
        try await withService(CallingNoteService.self) { service in
            var page = try await service.operatorPage("/health/ready")
            while try page.decode(HealthReport.self).status == .pass {
                try await Task.sleep(for: .milliseconds(20))
                page = try await service.operatorPage("/health/ready")
            }
            #expect(page.status == 200)
            let report = try page.decode(HealthReport.self)
            #expect(report.status == .warn)
            #expect(report.checks["peer:directory"]?.first?.output?.hasPrefix("down since") == true)
        }
    }

    @Test("a service without its schema is live, waits, and is ready once the schema has been migrated")
    func unmigrated() async throws {
        try await withDatabase(migratedBy: []) { database in
            let keys = try TestKeys()
            let service = try await Self.start(on: database, keys)
            try await Self.stopping(service) {
                let page = try await service.operatorPage("/health/ready")
                #expect(page.status == 503)
                let output = try page.decode(HealthReport.self).checks["database:schema"]?.first?.output
                #expect(output?.hasSuffix("the first is kit-0001-job") == true)
                #expect(try await service.operatorPage("/health/live").status == 200)
                try await database.withClient(as: "migrator") { client in
                    _ = try await client.withConnection {
                        try await NoteService.migrator(runtimeRole: "content").migrate($0)
                    }
                }
                try await service.untilReady()
                let client = try service.client(.operator)
                let note = try await client.send(CreateNote.request(body: .init(text: "at last")))
                #expect(note.text == "at last")
            }
        }
    }

    @Test("a service whose database is gone stays live, is not ready, and recovers by itself")
    func databaseGone() async throws {
        try await TestCluster.private { cluster in
            try await withService(NoteService.self, on: cluster) { service in
                try cluster.stop(.immediate)
                while try await service.operatorPage("/health/ready").status == 200 {}
                #expect(try await service.operatorPage("/health/live").status == 200)
                #expect(try await service.operatorPage("/health/started").status == 200)
                let refused = try await service.raw(.get, "/v1/notes/\(Note.ID().text)", role: .operator)
                #expect(refused.status == 503)
                #expect(refused.headers["retry-after"] != nil)
                #expect(try refused.problem().slug == "unavailable")
                try cluster.start()
                try await service.untilReady()
                let client = try service.client(.operator)
                #expect(try await client.send(CreateNote.request(body: .init(text: "again"))).text == "again")
            }
        }
    }

    @Test("a service connected to a standby is not ready until that is promoted")
    func standby() async throws {
        try await TestCluster.private { cluster in
            let migrator = NoteService.migrator(runtimeRole: "content")
            try await withDatabase(migratedBy: [migrator], on: cluster) { database in
                try await cluster.withStandby { standby in
                    let keys = try TestKeys()
                    for parameter in ["", "?target_session_attrs=any"] {
                        let url = standby.url(database: database.name, role: "content") + parameter
                        let service = try await Self.start(on: database, keys, url: url)
                        try await Self.stopping(service) {
                            let page = try await service.operatorPage("/health/ready")
                            #expect(page.status == 503)
                            let failed = try page.decode(HealthReport.self).checks.values.joined().filter {
                                $0.status == .fail
                            }
                            #expect(!failed.isEmpty)
                            if !parameter.isEmpty {
                                #expect(
                                    failed.contains { $0.output == "the server is a standby and accepts no writes" })
                                try standby.promote()
                                try await service.untilReady()
                                let client = try service.client(.operator)
                                let note = try await client.send(CreateNote.request(body: .init(text: "promoted")))
                                #expect(note.text == "promoted")
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("a waiting commit is a warning with its age, and does not make the service unready")
    func commitWaits() async throws {
        try await TestCluster.private { cluster in
            try await withService(NoteService.self, on: cluster) { service in
                let client = try service.client(.operator)
                let note = try await client.send(CreateNote.request(body: .init(text: "before")))
                try await cluster.withoutSynchronousStandby(in: service.database) {
                    await #expect(throws: ServiceClientError.self) {
                        try await client.send(CreateNote.request(body: .init(text: "waits")), timeout: .seconds(1))
                    }
                    var output: String?
                    try await eventually("the warning") {
                        let page = try await service.operatorPage("/health/ready")
                        #expect(page.status == 200)
                        output = try page.decode(HealthReport.self).checks["database:commit"]?.first?.output
                        return output != nil
                    }
                    #expect(output?.hasPrefix("a commit has been waiting for ") == true)
                    #expect(
                        try await client.send(GetNote.request(path: note.id, query: .init())).text
                            == "before")
                }
                try await eventually("no warning") {
                    try await service.operatorPage("/health/ready").decode(HealthReport.self)
                        .checks["database:commit"]?.first?.status == .pass
                }
            }
        }
    }

    @Test("a service that is started before its database waits for it")
    func startedFirst() async throws {
        try await TestCluster.private { cluster in
            let migrator = NoteService.migrator(runtimeRole: "content")
            try await withDatabase(migratedBy: [migrator], on: cluster) { database in
                try cluster.stop(.fast)
                let keys = try TestKeys()
                let service = try await Self.start(on: database, keys)
                try await Self.stopping(service) {
                    #expect(try await service.operatorPage("/health/live").status == 200)
                    #expect(try await service.operatorPage("/health/ready").status == 503)
                    try cluster.start()
                    try await service.untilReady()
                    let client = try service.client(.operator)
                    #expect(try await client.send(CreateNote.request(body: .init(text: "late"))).text == "late")
                }
            }
        }
    }

    // MARK: Without waiting for readiness

    private static func start(
        on database: TestDatabase, _ keys: TestKeys, url: String? = nil
    ) async throws -> TestService {
        let configuration = try ServiceConfiguration(
            service: .content,
            environment: [
                "DATABASE_URL": url ?? database.url(as: "content"), "PORT": "0", "OPERATOR_PORT": "0",
                "DRAIN_SECONDS": "0",
                "SIGNING_KEY_FILE": keys.signingKeyFile(of: .content), "TRUST_FILE": keys.trustFile,
            ])
        return try await TestService.start(
            NoteService.self, configuration: configuration, keys: keys, database: database)
    }

    private static func stopping(_ service: TestService, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            try? await service.stop()
            throw error
        }
        try await service.stop()
    }
}
