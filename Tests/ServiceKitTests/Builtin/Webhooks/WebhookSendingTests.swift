import ClubProtocol
import Foundation
import NIOHTTP1
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("What a receiver of webhooks gets")
struct WebhookSendingTests {
    @Test("a change is sent once, signed, without content, and the log shows the outcome")
    func delivered() async throws {
        try await HookedClub.run({ _, _ in .answer(204) }) { club in
            let hook = try await club.hook("/a/b?c=d")
            let secret = try #require(hook.secret)
            let note = try await club.note()
            let done = try await club.deliveries(hook.id, .delivered, count: 1)
            let got = try #require(club.receiver.received.first)
            #expect(club.receiver.received.count == 1)
            #expect(got.method == "POST")
            #expect(got.uri == "/a/b?c=d")
            #expect(got.headers.first(name: "Content-Type") == "application/json")
            #expect(got.headers.first(name: "Authorization") == nil)
            #expect(got.id == done[0].id.text)
            #expect(got.signatures(matching: secret) == 1)
            #expect(got.signatures(matching: WebhookSecret().text) == 0)
            let message = try got.message()
            #expect(message.type == "note.created")
            let expected = WebhookMessage.Content(
                id: note.id.text, entity: .note, action: "created", version: 1, service: .content)
            #expect(message.data == expected)
            #expect(!got.body.contains("Bonjour"))
            let shown = try await club.shown(done[0].id)
            #expect(shown.type == "note.created")
            #expect(shown.subject == note.id.text)
            #expect(shown.subjectVersion == 1)
            #expect(shown.state == .delivered)
            #expect(shown.attempts == 1)
            #expect(shown.lastStatus == 204)
            #expect(shown.happenedAt == message.timestamp)
            #expect(shown.finishedAt != nil)
            let attempt = try #require(shown.log?.first)
            #expect(attempt.number == 1)
            #expect(attempt.status == 204)
            #expect(attempt.responseBytes == 0)
            #expect(attempt.failure == nil)
            #expect(attempt.milliseconds != nil)
        }
    }

    @Test("the state is included on request, as it is at the time of sending")
    func state() async throws {
        try await HookedClub.run(delays: [.zero, .zero], { _, number in .answer(number == 1 ? 500 : 200) }) { club in
            let hook = try await club.hook(payload: .state)
            let note = try await club.note("Le premier texte")
            try await eventually("the first attempt") { club.receiver.received.count >= 1 }
            _ = try await club.deliveries(hook.id, .delivered, count: 1)
            #expect(try club.receiver.received[0].message().data.state?["text"]?.string == "Le premier texte")
            // A replay after the resource is gone says that it is gone, and nothing of what it was.
            try await club.sql("delete from note where id = \(note.id)")
            let delivery = try await club.deliveries(hook.id)[0]
            _ = try await club.client.send(ReplayWebhookDelivery.request(path: delivery.id))
            try await eventually("the replay") { club.receiver.received.count == 3 }
            #expect(try club.receiver.received[2].message().data.state == nil)
            #expect(club.receiver.received[2].id == delivery.id.text)
        }
    }

    @Test("only the requested events are sent")
    func filter() async throws {
        try await HookedClub.run({ _, _ in .answer(200) }) { club in
            let all = try await club.hook("/all")
            _ = try await club.hook("/none", events: ["note.changed", "person.*", "*.deleted"])
            _ = try await club.hook("/kind", events: ["note.*"])
            _ = try await club.hook("/action", events: ["*.created"])
            try await club.note()
            _ = try await club.deliveries(all.id, .delivered, count: 1)
            try await eventually("three messages") { club.receiver.received.count >= 3 }
            #expect(Set(club.receiver.received.map(\.uri)) == ["/all", "/kind", "/action"])
            #expect(club.receiver.received.count == 3)
        }
    }

    @Test("a failed delivery is retried with the same identifier and the same body")
    func retried() async throws {
        try await HookedClub.run({ _, number in .answer(number < 3 ? 500 : 200, body: "Je ne peux pas") }) { club in
            let hook = try await club.hook()
            try await club.note()
            let done = try await club.deliveries(hook.id, .delivered, count: 1)
            let received = club.receiver.received
            #expect(received.count == 3)
            #expect(Set(received.map(\.id)) == [done[0].id.text])
            #expect(Set(received.map(\.body)).count == 1)
            let log = try #require(try await club.shown(done[0].id).log)
            #expect(log.map(\.status) == [500, 500, 200])
            let failures: [WebhookAttempt.Failure?] = [.status, .status, nil]
            #expect(log.map(\.failure) == failures)
            #expect(log.map(\.responseBytes) == [14, 14, 14])
            #expect(try await club.webhook(hook.id).failingSince == nil)
        }
    }

    @Test("after the last attempt it is exhausted; a replay sends it again, one or all since a time")
    func exhausted() async throws {
        try await HookedClub.run(delays: [.zero, .zero], { _, number in .answer(number <= 4 ? 503 : 200) }) { club in
            let hook = try await club.hook()
            try await club.note()
            try await club.note()
            let failed = try await club.deliveries(hook.id, .exhausted, count: 2)
            #expect(failed.map(\.attempts) == [2, 2])
            #expect(try await club.webhook(hook.id).failingSince != nil)
            let later = try Timestamp(validating: "2100-01-01T00:00:00Z")
            func replay(since: Timestamp) async throws -> Int {
                try await club.client.send(
                    ReplayWebhook.request(path: hook.id, body: .init(since: since))
                ).replayed
            }
            #expect(try await replay(since: later) == 0)
            let one = try await club.client.send(
                ReplayWebhookDelivery.request(path: failed[0].id))
            #expect(one.state == .pending)
            _ = try await club.deliveries(hook.id, .delivered, count: 1)
            #expect(try await replay(since: failed[1].createdAt) == 1)
            let done = try await club.deliveries(hook.id, .delivered, count: 2)
            #expect(Set(done.map(\.id)) == Set(failed.map(\.id)))
            #expect(done.map(\.attempts) == [3, 3])
            #expect(club.receiver.received.count == 6)
        }
    }

    @Test("a receiver that never responds, hangs up, or redirects has failed")
    func unwilling() async throws {
        let reactions: [ScriptedServer.Reaction] = [
            .stall, .hangUp, .answer(302, headers: [("Location", "/other")]), .halting(["x"]),
        ]
        try await HookedClub.run(
            delays: Array(repeating: .zero, count: 4), timeLimit: .seconds(2),
            { _, number in reactions[number - 1] }
        ) { club in
            let hook = try await club.hook()
            try await club.note()
            let failed = try await club.deliveries(hook.id, .exhausted, count: 1)
            let log = try #require(try await club.shown(failed[0].id).log)
            let failures: [WebhookAttempt.Failure?] = [.timeout, .connection, .status, .timeout]
            #expect(log.map(\.failure) == failures)
            let statuses: [Int?] = [nil, nil, 302, nil]
            #expect(log.map(\.status) == statuses)
            #expect(club.receiver.received.map(\.uri) == ["/hook", "/hook", "/hook", "/hook"])
        }
    }

    @Test("only the beginning of an endless response is read")
    func flood() async throws {
        try await HookedClub.run({ _, _ in .flood(line: 64 << 10, count: 800) }) { club in
            let hook = try await club.hook()
            try await club.note()
            let done = try await club.deliveries(hook.id, .delivered, count: 1)
            let bytes = try #require(try await club.shown(done[0].id).log?.first?.responseBytes)
            // Up to the limit and the chunk that exceeded it, out of fifty megabytes.
            #expect(bytes > 64 << 10 && bytes < 5_000_000)
        }
    }

    @Test("a slow receiver delays no one but itself")
    func slow() async throws {
        try await HookedClub.run(
            delays: [.zero], timeLimit: .seconds(5), { got, _ in got.uri == "/slow" ? .stall : .answer(200) }
        ) { club in
            let slow = try await club.hook("/slow")
            let quick = try await club.hook("/quick")
            for _ in 0..<20 { try await club.note() }
            _ = try await club.deliveries(quick.id, .delivered, count: 20)
            #expect(try await club.deliveries(slow.id, .delivered).isEmpty)
            // Four at a time, and no more.
            #expect(try await club.deliveries(slow.id, .sending).count <= 4)
        }
    }

    @Test("a receiver that asks us to wait gets no message at all until then")
    func pause() async throws {
        try await HookedClub.run(
            delays: [.zero, .zero],
            { _, number in number == 1 ? .answer(429, headers: [("Retry-After", "3000")]) : .answer(200) }
        ) { club in
            let hook = try await club.hook()
            try await club.note()
            try await eventually("one attempt") { try await club.deliveries(hook.id).first?.lastStatus == 429 }
            try await club.note()
            try await eventually("two deliveries") { try await club.deliveries(hook.id).count == 2 }
            let waiting = try await club.deliveries(hook.id)
            #expect(waiting.map(\.state) == [.pending, .pending])
            let due = try #require(waiting[1].dueAt)
            #expect(due > waiting[1].createdAt.advanced(by: .seconds(2900)))
            #expect(club.receiver.received.count == 1)
            try await club.sql("update webhook set resume_at = now()")
            try await club.sql("update webhook_delivery set due_at = now()")
            try await club.sql("update job set due_at = now() where kind = 'webhook.send'")
            _ = try await club.deliveries(hook.id, .delivered, count: 2)
        }
    }

    @Test("connects to the addresses that were checked, with TLS and Host for the name")
    func pinned() async throws {
        try await ScriptedServer.with({ _, _ in .answer(200) }) { receiver in
            let port = try #require(receiver.url.split(separator: ":").last)
            let local = try #require(IPAddress("127.0.0.1"))
            var settings = WebhookSettings()
            settings.timeLimit = .seconds(5)
            let connections = WebhookConnections(
                settings: settings,
                resolver: WebhookResolver(allowsPrivate: true) { $0 == "receiver.invalid" ? [local] : [] })
            let url = try WebhookAddress(validating: "http://receiver.invalid:\(port)/x")
            let outcome = try await connections.post([1], headers: [:], to: url)
            #expect(outcome.status == 200)
            #expect(receiver.received.first?.headers.first(name: "Host") == "receiver.invalid:\(port)")
            // The name resolves elsewhere now: nothing is sent.
            let strict = WebhookConnections(
                settings: settings, resolver: WebhookResolver(allowsPrivate: false) { _ in [local] })
            let refused = try await strict.post([1], headers: [:], to: url)
            #expect(refused.result == .failed(.forbiddenAddress))
            let unknown = try await connections.post([1], headers: [:], to: "https://nobody.invalid/")
            #expect(unknown.result == .failed(.resolution))
            #expect(receiver.received.count == 1)
            await connections.shutdown()
            await strict.shutdown()
        }
    }
}
