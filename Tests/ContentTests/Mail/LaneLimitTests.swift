import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import Synchronization
import TestKit
import Testing

@testable import Content

/// A directory that lists the readers of a test, and the changes of their records.
enum ListingDirectory: ServiceApplication {
    static let name = ServiceName.directory
    static let title = "A directory with the readers of a test"
    static let endpoints: [any Endpoint.Type] = [ResolveAudience.self, ReadChanges.self]
    static let peers: [ServiceName] = []
    static let migrations = [
        Migration("0001-people", sql: Array("create table person (id uuid primary key, data jsonb not null)".utf8))
    ]
    static let readers = Mutex<[AudienceMember]>([])

    static func assemble(_: Backend, into builder: inout ServiceBuilder) throws {
        builder.routes.stream(ResolveAudience.self) { call, lines in
            guard call.body.audience == .experts else { return }
            for reader in readers.withLock({ $0 }) { try await lines.write(reader) }
        }
        builder.snapshot(.expert) { "select id, data from person where id = any(\($0))" }
    }

    /// Readers at these domains, so many at each.
    static func list(_ count: Int, at domains: String...) throws {
        let listed = try domains.flatMap { domain in
            try (0..<count).map { number in
                AudienceMember(
                    entity: .expert, name: "Agence \(number)",
                    email: try EmailAddress(validating: "agence\(number)@\(domain)"))
            }
        }
        readers.withLock { $0 = listed }
    }
}

@Suite("limits of lanes", .serialized, .timeLimit(.minutes(3)))
struct LaneLimitTests {
    private func withMailing(
        replicas: Int = 1, connections: Int = 8, to server: FaultyMailServer,
        _ body: (TestServices, ClubProtocol.Issue.ID) async throws -> Void
    ) async throws {
        let url = "smtp://127.0.0.1:\(server.port)?starttls=never&connections=\(connections)"
        try await withServices(
            [ListingDirectory.self] + Array(repeating: ContentApplication.self, count: replicas),
            adjust: { $0.mailURL = url }
        ) { services in
            let editor = try services[.content].client(.editor)
            let issue = try await editor.send(CreateIssue.request(body: .init(title: "Flash info")))
            _ = try await editor.send(
                AddIssueItem.request(path: issue.id, body: .init(kind: .technical, title: "T", text: "Du texte.")))
            _ = try await editor.send(TransitionIssue.request(path: issue.id, body: .init(to: .sending)))
            try await body(services, issue.id)
        }
    }

    private func counts(_ issue: ClubProtocol.Issue.ID, _ services: TestServices) async throws -> DeliveryCounts {
        let now = try await services[.content].client(.editor).send(GetIssue.request(path: issue))
        return try #require(now.editions.first { $0.audience == .experts }).counts
    }

    private func until(_ isSo: () async throws -> Bool) async throws {
        for _ in 0..<600 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Testing.Issue.record("it did not come to pass within a minute")
    }

    @Test("two replicas together keep to a provider's connections, and to its messages on each")
    func limits() async throws {
        try await FaultyMailServer.run(MailFaultPlan()) { server in
            try ListingDirectory.list(250, at: "orange.fr", "wanadoo.fr", "yahoo.fr", "agence.example")
            try await withMailing(replicas: 2, connections: 16, to: server) { services, issue in
                try await until { try await counts(issue, services).sent == 1000 }
            }
            let record = server.record
            #expect(record.accepted.count == 1000 && Set(record.accepted.map(\.recipient)).count == 1000)
            for (domain, connections, texts) in [("orange.fr", 2, 100), ("wanadoo.fr", 2, 100), ("yahoo.fr", 5, 20)] {
                #expect(record.mostConnectionsByDomain[domain, default: 0] <= connections)
                #expect(record.mostTextsByDomain[domain, default: 0] <= texts)
            }
            // The others are not held to such limits.
            #expect(record.mostConnectionsByDomain["agence.example", default: 0] > 2)
        }
    }

    @Test(
        "a domain that does not answer holds up no other, whatever it does not answer",
        arguments: [MailFault.stallAtCommand, .stallAfterText])
    func stall(fault: MailFault) async throws {
        let plan = MailFaultPlan(domains: ["muet.example": [fault: 1]])
        try await FaultyMailServer.run(plan) { server in
            try ListingDirectory.list(100, at: "muet.example", "agence.example", "web.example")
            try await withMailing(connections: 4, to: server) { services, issue in
                try await until { try await counts(issue, services).sent == 200 }
                let now = try await counts(issue, services)
                #expect(now.sent == 200 && now.pending + now.sending == 100)
                // The others may have been sent before the connection counts as stalled.
                try await until {
                    let lanes = try await services[.content].client(.editor).send(ListMailLanes.request(query: .init()))
                    return lanes.items.contains { $0.code == "domain:muet.example" }
                }
                server.calmDown()
            }
        }
    }

    @Test("a paused lane sends nothing more than the texts begun, while others go on; resumed, it ends")
    func pause() async throws {
        try await FaultyMailServer.run(MailFaultPlan()) { server in
            try ListingDirectory.list(400, at: "orange.fr", "agence.example")
            try await withMailing(connections: 8, to: server) { services, issue in
                let operating = try services[.content].client(.operator)
                try await until { server.record.accepted.contains { $0.recipient.hasSuffix("@orange.fr") } }
                _ = try await operating.send(TransitionMailLane.request(path: "orange", body: .init(to: .paused)))
                let atPause = server.record.accepted.count { $0.recipient.hasSuffix("@orange.fr") }
                try await until { server.record.accepted.count { $0.recipient.hasSuffix("@agence.example") } == 400 }
                let paused = server.record.accepted.count { $0.recipient.hasSuffix("@orange.fr") }
                // Orange has two connections.
                #expect(paused <= atPause + 2 && paused < 400, "\(atPause), then \(paused)")
                _ = try await operating.send(TransitionMailLane.request(path: "orange", body: .init(to: .open)))
                try await until { try await counts(issue, services).sent == 800 }
            }
            #expect(Set(server.record.accepted.map(\.id)).count == 800 && server.record.accepted.count == 800)
        }
    }

    @Test("too many addresses that do not exist pause an issue, with the reason; what is left is sent when it goes on")
    func hardBounces() async throws {
        let plan = MailFaultPlan(domains: ["vieux.example": [.unknownRecipient: 1]])
        try await FaultyMailServer.run(plan) { server in
            try ListingDirectory.list(1500, at: "vieux.example", "agence.example")
            try await withMailing(connections: 2, to: server) { services, issue in
                let editor = try services[.content].client(.editor)
                try await until { try await editor.send(GetIssue.request(path: issue)).state == .paused }
                let held = try await editor.send(GetIssue.request(path: issue))
                #expect(held.holdReason?.contains("addresses that do not exist") == true, "\(held.holdReason ?? "")")
                let now = try await counts(issue, services)
                #expect(now.failed > 0 && now.total == 3000)
            }
        }
    }

    @Test("whoever withdraws consent while an issue goes out gets nothing; a changed address gets the mail")
    func readers() async throws {
        try await FaultyMailServer.run(MailFaultPlan()) { server in
            let people = (0..<3).map { _ in Person.ID() }
            let addresses: [EmailAddress] = ["un@orange.fr", "deux@orange.fr", "trois@orange.fr"]
            ListingDirectory.readers.withLock { readers in
                readers = zip(people, addresses).map { person, email in
                    AudienceMember(entity: .expert, id: .init(person.uuid), name: "Zoé", email: email)
                }
            }
            try await server.goDown()
            try await withMailing(to: server) { services, issue in
                try await until { try await counts(issue, services).pending == 3 }
                let directory = services[.directory].backend.database
                for (person, email, agreed) in [(people[0], "un@orange.fr", false), (people[1], "Neuf@free.fr", true)] {
                    let data = """
                        {"id": "\(person)", "subKind": "webAgency", "name": "Agence", "email": "\(email)",
                        "commune": "Pau", "departement": "64", "departements": ["64"], "topics": [], "brands": [],
                        "consents": {"flashInfo": {"agreed": \(agreed), "at": "2026-01-01T00:00:00Z"}},
                        "enrolledOn": "2026-01-01", "confirmedAt": "2026-01-01T00:00:00Z", "version": 2,
                        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
                        """
                    try await directory.transaction { transaction in
                        try await transaction.execute(
                            "insert into person (id, data) values (\(person), \(JSONText(data)))")
                        try await transaction.record(
                            [.init(.changed, .expert, person, version: 2)], by: .service(.directory))
                    }
                }
                try await until { try await counts(issue, services).suppressed == 1 }
                try await server.goUp()
                try await until { try await counts(issue, services).sent == 2 }
                #expect(Set(server.record.accepted.map(\.recipient)) == ["Neuf@free.fr", "trois@orange.fr"])
            }
        }
    }
}
