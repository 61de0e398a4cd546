import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import Synchronization
import TestKit
import Testing

@testable import Content

/// A directory that lists many readers, and the last of them only when the test allows it.
private enum SlowDirectory: ServiceApplication {
    static let name = ServiceName.directory
    static let title = "A slow directory"
    static let endpoints: [any Endpoint.Type] = [ResolveAudience.self]
    static let peers: [ServiceName] = []
    static let migrations: [Migration] = []
    static let isReleased = Mutex(false)

    static func assemble(_: Backend, into builder: inout ServiceBuilder) throws {
        builder.routes.stream(ResolveAudience.self) { call, lines in
            for number in 1...3000 {
                if number == 2500 {
                    while !isReleased.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
                }
                try await lines.write(
                    AudienceMember(
                        entity: .expert, name: "Agence \(number)",
                        email: EmailAddress(
                            validating: "agence\(number)@\(call.body.audience.rawValue.lowercased()).example"))
                )
            }
        }
    }
}

@Suite("a cancelled issue")
struct CalledOffTests {
    @Test("cancelled while the directory still lists its readers, it takes no more of them, and leaves none pending")
    func whileResolving() async throws {
        let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await withServices(
            [SlowDirectory.self, ContentApplication.self], adjust: { $0.mailURL = "maildir:\(mail)" }
        ) { services in
            let editor = try services[.content].client(.editor)
            let issue = try await editor.send(CreateIssue.request(body: .init(title: "Flash info")))
            let path = issue.id
            _ = try await editor.send(
                AddIssueItem.request(path: path, body: .init(kind: .product, title: "Pour tous", text: "Du texte.")))
            _ = try await editor.send(TransitionIssue.request(path: path, body: .init(to: .sending)))
            try await until { try await count("select count(*) as n from content.delivery", services) >= 1000 }
            let cancelled = try await editor.send(TransitionIssue.request(path: path, body: .init(to: .cancelled)))
            #expect(cancelled.state == .cancelled)
            SlowDirectory.isReleased.withLock { $0 = true }
            try await until {
                try await count("select count(*) as n from content.job where kind = 'issue.freeze'", services) == 0
            }

            #expect(
                try await count(
                    "select count(*) as n from content.outgoing_mail where state <> 'cancelled'", services) == 0)
            #expect(try await count("select count(*) as n from content.delivery", services) < 6000)
        }
    }

    private func count(_ statement: SQL, _ services: TestServices) async throws -> Int {
        try await services.database.withClient { client in
            try await client.first(statement)?["n", as: Int.self] ?? 0
        }
    }

    private func until(_ isSo: () async throws -> Bool) async throws {
        for _ in 0..<300 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Problem(.conflict, "it did not come to pass within half a minute")
    }
}
