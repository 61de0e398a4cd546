import ClubProtocol
import Crypto
import Foundation
import NIOHTTP1
import Postgres
import TestKit
import Testing

@testable import ServiceKit

/// The notes service with webhooks.
enum HookedNotes: ServiceApplication {
    static let name = NoteService.name
    static let title = NoteService.title
    static let endpoints = NoteService.endpoints + WebhookAPI.endpoints
    static let peers: [ServiceName] = []
    static let migrations = NoteService.migrations

    static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        NoteRoutes(backend: backend).mount(on: &builder)
    }
}

/// A notes service, and a receiver that does what a test says.
struct HookedClub: Sendable {
    let service: TestService
    let receiver: ScriptedServer
    let client: ServiceClient

    /// - Parameters:
    ///   - delays: the delay before each attempt; after the last one a delivery is exhausted.
    static func run(
        delays: [Duration] = [.zero, .milliseconds(10), .milliseconds(10)], timeLimit: Duration = .seconds(15),
        _ react: @escaping @Sendable (ScriptedServer.Received, Int) -> ScriptedServer.Reaction,
        _ body: (HookedClub) async throws -> Void
    ) async throws {
        try await ScriptedServer.with(react) { receiver in
            try await withService(
                HookedNotes.self,
                adjust: { configuration in
                    configuration.webhooks.allowsPrivate = true
                    configuration.webhooks.delays = delays
                    configuration.webhooks.timeLimit = timeLimit
                    configuration.webhooks.idle = .milliseconds(20)
                }
            ) { service in
                try await body(
                    HookedClub(service: service, receiver: receiver, client: try service.client(.operator)))
            }
        }
    }

    func hook(
        _ path: String = "/hook", events: [WebhookEvent] = [], payload: Webhook.Payload = .thin
    ) async throws -> Webhook {
        try await client.send(
            CreateWebhook.request(
                body: .init(
                    url: try WebhookAddress(validating: receiver.url + path), events: events, payload: payload)))
    }

    @discardableResult func note(_ text: Line = "Bonjour") async throws -> Note {
        try await client.send(CreateNote.request(body: .init(text: text)))
    }

    func webhook(_ id: Webhook.ID) async throws -> Webhook {
        try await client.send(GetWebhook.request(path: id))
    }

    func deliveries(_ id: Webhook.ID, _ state: WebhookDelivery.State? = nil) async throws -> [WebhookDelivery] {
        try await client.send(
            ListWebhookDeliveries.request(path: id, query: .init(.init(state: state)))
        ).items
    }

    /// Waits until there are `count` deliveries in a state.
    func deliveries(
        _ id: Webhook.ID, _ state: WebhookDelivery.State, count: Int
    ) async throws -> [WebhookDelivery] {
        try await eventually("\(count) are \(state)") { try await deliveries(id, state).count >= count }
        return try await deliveries(id, state)
    }

    func shown(_ id: WebhookDelivery.ID) async throws -> WebhookDelivery {
        try await client.send(GetWebhookDelivery.request(path: id))
    }

    /// Runs statements with the service's own role, to simulate the passage of time.
    func sql(_ statement: SQL) async throws {
        _ = try await service.database.withClient(as: "content") { try await $0.execute(statement) }
    }
}

extension ScriptedServer.Received {
    var id: String { headers.first(name: "webhook-id") ?? "" }

    func message() throws -> WebhookMessage {
        try JSONDecoder().decode(WebhookMessage.self, from: Data(body.utf8))
    }

    /// Verifies signatures as a receiver would that knows only the specification: HMAC by RFC 2104 from the hash alone.
    func signatures(matching secret: String) -> Int {
        guard let key = Data(base64Encoded: String(secret.dropFirst("whsec_".count))), key.count <= 64,
            let timestamp = headers.first(name: "webhook-timestamp"),
            let list = headers.first(name: "webhook-signature")
        else { return 0 }
        let block = [UInt8](key) + [UInt8](repeating: 0, count: 64 - key.count)
        let content = [UInt8]("\(id).\(timestamp).\(body)".utf8)
        let (inside, outside): ([UInt8], [UInt8]) = (block.map { $0 ^ 0x36 }, block.map { $0 ^ 0x5c })
        let inner = [UInt8](SHA256.hash(data: inside + content))
        let outer = SHA256.hash(data: outside + inner)
        let expected = "v1," + Data(outer).base64EncodedString()
        return list.split(separator: " ").count { $0 == expected }
    }
}
