import ClubProtocol
import Crypto
import Foundation
import NIOHTTP1
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("Deliveries with many senders")
struct WebhookClaimTests {
    /// ServiceKit's tables with one webhook.
    private struct Shelf: Sendable {
        let kit: ServiceDatabase
        let webhooks: WebhookStore
        let store: WebhookDeliveryStore
        let webhook: Webhook.ID

        func state(_ id: WebhookDelivery.ID) async throws -> WebhookDelivery.State? {
            try await kit.client.first("select state from webhook_delivery where id = \(id)")?["state"]
        }

        func add(_ count: Int) async throws {
            try await kit.client.transaction { transaction in
                for _ in 0..<count { _ = try await store.addTest(webhook, in: transaction) }
            }
        }

        func sender(_ snapshots: [EntityName: ChangeSnapshot] = [:]) -> WebhookSender {
            WebhookSender(
                service: .events, webhooks: webhooks, deliveries: store, settings: store.settings,
                resolver: WebhookResolver(allowsPrivate: true), snapshots: snapshots,
                logger: kit.logger)
        }
    }

    private func withShelf(
        _ url: WebhookAddress = "https://1.1.1.1/", adjust: (inout WebhookSettings) -> Void = { _ in },
        _ body: (Shelf) async throws -> Void
    ) async throws {
        var settings = WebhookSettings()
        adjust(&settings)
        let chosen = settings
        try await withServiceDatabase { kit in
            let webhooks = WebhookStore(database: kit.client, key: SymmetricKey(size: .bits256))
            let id = Webhook.ID()
            _ = try await kit.client.transaction {
                _ = try await webhooks.create(id, CreateWebhook.Body(url: url), in: $0)
            }
            try await body(
                Shelf(
                    kit: kit, webhooks: webhooks,
                    store: WebhookDeliveryStore(database: kit.client, settings: chosen), webhook: id))
        }
    }

    @Test("many concurrent claims never get the same delivery")
    func disjoint() async throws {
        try await withShelf { shelf in
            try await shelf.add(60)
            let ids = try await withThrowingTaskGroup(of: [WebhookDelivery.ID].self) { group in
                for _ in 0..<15 { group.addTask { try await shelf.store.claim(shelf.webhook).map(\.id) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(ids).count == ids.count)
            var rest = try await shelf.store.claim(shelf.webhook).map(\.id)
            var all = ids
            while !rest.isEmpty {
                all += rest
                rest = try await shelf.store.claim(shelf.webhook).map(\.id)
            }
            #expect(all.count == 60)
            #expect(Set(all).count == 60)
        }
    }

    @Test("negative control: without locks two concurrent claims take the same deliveries")
    func colliding() async throws {
        try await withShelf { shelf in
            try await shelf.add(10)
            let look: SQL = "select id from webhook_delivery where state = 'pending' order by due_at, number limit 4"
            let first: [WebhookDelivery.ID] = try await shelf.kit.client.query(look).map { try $0["id"] }
            let second: [WebhookDelivery.ID] = try await shelf.kit.client.query(look).map { try $0["id"] }
            #expect(first == second && first.count == 4)
        }
    }

    @Test("a late completion changes nothing, and losing the last attempt is the end")
    func late() async throws {
        try await withShelf(adjust: {
            $0.lease = .zero
            $0.delays = [.zero, .zero]
        }) { shelf in
            try await shelf.add(1)
            let late = try #require(try await shelf.store.claim(shelf.webhook).first)
            let holder = try #require(try await shelf.store.claim(shelf.webhook).first)
            #expect(late.id == holder.id)
            #expect(late.attempt == 1)
            #expect(holder.attempt == 2)
            let delivered = WebhookOutcome(result: .delivered, duration: .zero, status: 200)
            #expect(try await shelf.store.record(delivered, of: late, for: shelf.webhook).state == nil)
            try await shelf.store.release(late)
            #expect(try await shelf.state(late.id) == .sending)
            // Its holder is lost too, and no attempt is left.
            #expect(try await shelf.store.claim(shelf.webhook).isEmpty)
            #expect(try await shelf.state(late.id) == .exhausted)
            #expect(try await shelf.store.record(delivered, of: holder, for: shelf.webhook).state == nil)
        }
    }

    @Test("no statement makes a transition that is not in the diagram")
    func statements() async throws {
        try await withShelf(adjust: { $0.lease = .zero }) { shelf in
            let failed = WebhookOutcome(result: .failed(.timeout), duration: .zero)
            let (store, webhook) = (shelf.store, shelf.webhook)
            let transitions: [(String, @Sendable (ClaimedDelivery) async throws -> Void)] = [
                ("claim", { _ in _ = try await store.claim(webhook) }),
                (
                    "succeed",
                    {
                        _ = try await store.record(.init(result: .delivered, duration: .zero), of: $0, for: webhook)
                    }
                ),
                ("fail", { _ = try await store.record(failed, of: $0, for: webhook) }),
                ("refuse", { _ = try await store.record(.init(result: .gone, duration: .zero), of: $0, for: webhook) }),
                ("release", { try await store.release($0) }),
                (
                    "replay",
                    { claimed in
                        _ = try? await shelf.kit.client.transaction { try await store.replay(claimed.id, in: $0) }
                    }
                ),
                (
                    "replayAll",
                    { _ in
                        _ = try await shelf.kit.client.transaction {
                            try await store.replay(webhook, since: Timestamp(microseconds: 0), in: $0)
                        }
                    }
                ),
            ]
            for from in WebhookDelivery.State.allCases {
                for (name, transition) in transitions {
                    try await shelf.kit.client.execute("delete from webhook_delivery")
                    try await shelf.add(1)
                    let claimed = try #require(try await store.claim(webhook).first)
                    switch from {
                    case .pending: try await store.release(claimed)
                    case .sending: break
                    case .delivered:
                        _ = try await store.record(
                            .init(result: .delivered, duration: .zero), of: claimed, for: webhook)
                    case .exhausted:
                        _ = try await store.record(.init(result: .gone, duration: .zero), of: claimed, for: webhook)
                    }
                    #expect(try await shelf.state(claimed.id) == from)
                    try await transition(claimed)
                    let to = try #require(try await shelf.state(claimed.id))
                    #expect(to == from || from.allows(to), "\(name): \(from) to \(to)")
                }
            }
        }
    }

    @Test("when a sender dies before recording its attempt, the delivery is sent again with the same identifier")
    func killed() async throws {
        try await ScriptedServer.with({ _, _ in .answer(200) }) { receiver in
            try await withShelf(try WebhookAddress(validating: receiver.url)) { shelf in
                try await shelf.add(1)
                // The first sender sends, and then dies.
                let claimed = try #require(try await shelf.store.claim(shelf.webhook).first)
                let connections = WebhookConnections(
                    settings: shelf.store.settings, resolver: WebhookResolver(allowsPrivate: true))
                let url = try #require(try await shelf.webhooks.target(shelf.webhook)).url
                _ = try await connections.post([123, 125], headers: ["webhook-id": claimed.id.text], to: url)
                await connections.shutdown()
                #expect(receiver.received.count == 1)
                // While it is leased no other sender takes it.
                try await shelf.sender().sendDue(shelf.webhook)
                #expect(receiver.received.count == 1)
                try await shelf.kit.client.execute("update webhook_delivery set due_at = now()")
                try await shelf.sender().sendDue(shelf.webhook)
                #expect(receiver.received.map(\.id) == [claimed.id.text, claimed.id.text])
                #expect(try await shelf.state(claimed.id) == .delivered)
                let rows = try await WebhookDeliveryLog.get(claimed.id, on: shelf.kit.client)
                let log = try #require(try rows.first?.decode(WebhookDelivery.self).log)
                let statuses: [Int?] = [nil, 200]
                #expect(log.map(\.status) == statuses)
                #expect(log[0].milliseconds == nil)
            }
        }
    }

    @Test("a sender that is told to stop releases its deliveries at once, and the attempt does not count")
    func interrupted() async throws {
        try await ScriptedServer.with({ _, number in number == 1 ? .stall : .answer(200) }) { receiver in
            try await withShelf(try WebhookAddress(validating: receiver.url)) { shelf in
                try await shelf.add(1)
                let work = Task { try await shelf.sender().sendDue(shelf.webhook) }
                try await eventually("it was sent") { receiver.received.count == 1 }
                work.cancel()
                await #expect(throws: CancellationError.self) { try await work.value }
                let row = try #require(try await shelf.kit.client.first("select id from webhook_delivery"))
                let id: WebhookDelivery.ID = try row["id"]
                #expect(try await shelf.state(id) == .pending)
                try await shelf.sender().sendDue(shelf.webhook)
                #expect(try await shelf.state(id) == .delivered)
                #expect(receiver.received.count == 2)
            }
        }
    }

    @Test("a service that was given another key cannot sign, and says so")
    func otherKey() async throws {
        try await ScriptedServer.with({ _, _ in .answer(200) }) { receiver in
            try await withShelf(try WebhookAddress(validating: receiver.url)) { shelf in
                try await shelf.add(1)
                let other = WebhookStore(database: shelf.kit.client, key: SymmetricKey(size: .bits256))
                let changed = Shelf(kit: shelf.kit, webhooks: other, store: shelf.store, webhook: shelf.webhook)
                try await changed.sender().sendDue(shelf.webhook)
                let row = try #require(try await shelf.kit.client.first("select failure from webhook_attempt"))
                #expect(try row["failure"] == "secret")
                #expect(receiver.received.isEmpty)
            }
        }
    }

    @Test("recording the same changes twice makes one delivery each, and none for changes before the webhook")
    func fanOut() async throws {
        try await withShelf { shelf in
            func change(_ transaction: UInt64, _ id: Int64, _ entity: EntityName = .thing) throws -> Change {
                Change(
                    cursor: try FeedPosition(transaction: transaction, id: id).cursor, entity: entity,
                    id: RecordedID().text, action: .changed, version: nil, at: .now, data: nil)
            }
            let row = try #require(try await shelf.kit.client.first("select starts::text as starts from webhook"))
            let starts: String = try row["starts"]
            let first = try #require(UInt64(starts))
            let changes = [
                try change(first - 1, 1), try change(first, 2), try change(first, 3), try change(first + 5, 4),
                try change(first + 6, 5, .webhook),
            ]
            func fanOut() async throws -> Int {
                try await shelf.kit.client.transaction { try await shelf.store.fanOut(changes, in: $0).count }
            }
            #expect(try await fanOut() == 3)
            #expect(try await fanOut() == 0)
            let told = try await shelf.kit.client.query("select subject from webhook_delivery order by number")
            let subjects: [String] = try told.map { try $0["subject"] }
            #expect(subjects == changes[1...3].map(\.id))
        }
    }

    @Test("deliveries are deleted after thirty days, and with their webhook")
    func purge() async throws {
        try await withShelf { shelf in
            try await shelf.add(3)
            _ = try await shelf.store.claim(shelf.webhook)
            try await shelf.kit.client.execute(
                "update webhook_delivery set created_at = now() - (28 + number) * interval '1 day'")
            try await shelf.store.purge()
            #expect(try await shelf.kit.count("select count(*) from webhook_delivery") == 1)
            #expect(try await shelf.kit.count("select count(*) from webhook_attempt") == 1)
            try await shelf.kit.client.execute("delete from webhook")
            try await shelf.store.purge()
            #expect(try await shelf.kit.count("select count(*) from webhook_delivery") == 0)
            #expect(try await shelf.kit.count("select count(*) from webhook_secret") == 0)
        }
    }

    @Test("with two replicas creating and sending, each receiver gets every delivery once")
    func replicas() async throws {
        try await ScriptedServer.with({ _, _ in .answer(200) }) { receiver in
            try await withServices(
                [HookedNotes.self, HookedNotes.self],
                adjust: {
                    $0.webhooks.allowsPrivate = true
                    $0.webhooks.idle = .milliseconds(20)
                }
            ) { services in
                let clients = try services.all(.content).map { try $0.client(.operator) }
                var hooks: [Webhook.ID] = []
                for path in ["/a", "/b", "/c"] {
                    let url = try WebhookAddress(validating: receiver.url + path)
                    hooks.append(try await clients[0].send(CreateWebhook.request(body: .init(url: url))).id)
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<60 {
                        group.addTask {
                            _ = try await clients[number % 2].send(CreateNote.request(body: .init(text: "x")))
                        }
                    }
                    try await group.waitForAll()
                }
                for hook in hooks {
                    try await eventually("all are delivered") {
                        try await clients[0].send(
                            ListWebhookDeliveries.request(
                                path: hook, query: .init(.init(state: .delivered), limit: 200))
                        ).items.count == 60
                    }
                }
                #expect(receiver.received.count == 180)
                let messages = receiver.received.map { "\($0.uri) \($0.id)" }
                #expect(Set(messages).count == 180)
                let subjects = try receiver.received.map { "\($0.uri) \(try $0.message().data.id)" }
                #expect(Set(subjects).count == 180)
            }
        }
    }
}
