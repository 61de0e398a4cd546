import ClubProtocol
import Foundation
import HTTPTypes
import NIOHTTP1
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("The life cycle of a webhook")
struct WebhookLifeTests {
    @Test("its secret is shown once, kept encrypted, and shown again only to the same request")
    func secret() async throws {
        try await HookedClub.run({ _, _ in .answer(200) }) { club in
            let body = Array(#"{"url": "\#(club.receiver.url)/hook", "description": "Le site"}"#.utf8)
            func create() async throws -> RawAnswer {
                try await club.service.raw(
                    .post, "/v1/webhooks", role: .operator, headers: ["Idempotency-Key": "k"], body: body)
            }
            let made = try await create()
            #expect(made.status == 201)
            #expect(made.headers["etag"] == "\"1\"")
            let hook = try made.decode(Webhook.self)
            let secret = try #require(hook.secret)
            let again = try await create()
            #expect(again.headers["idempotency-replayed"] == "true")
            #expect(again.body == made.body)
            let shown = try await club.webhook(hook.id)
            #expect(shown.secret == nil)
            #expect(shown.description == "Le site")
            let list = try await club.client.send(ListWebhooks.request(query: .init()))
            #expect(list.items == [shown])
            // The database contains it neither as text nor as bytes.
            let key = try #require(Data(base64Encoded: String(secret.dropFirst(6))))
            let hex = key.map { String(format: "%02x", $0) }.joined()
            try await club.service.database.withClient(as: "content") { client in
                for table: SQL in ["idempotency", "webhook", "webhook_secret", "audit", "job"] {
                    let rows = try await client.query("select row_to_json(\(table))::text as row from \(table)")
                    let text = try rows.map { try $0["row", as: String.self] }.joined()
                    let plain = Array(secret.utf8).map { String(format: "%02x", $0) }.joined()
                    for form in [secret, hex, plain] { #expect(!text.contains(form)) }
                }
                let stored = try await client.first("select count(*) as held from idempotency")
                let held: Int? = try stored?["held"]
                #expect(held == 1)
            }
        }
    }

    @Test("for a day after a rotation messages carry both signatures, and then only the new one")
    func rotation() async throws {
        try await HookedClub.run({ _, _ in .answer(200) }) { club in
            let hook = try await club.hook()
            let old = try #require(hook.secret)
            let rotated = try await club.client.send(RotateWebhookSecret.request(path: hook.id))
            #expect(rotated.secret != old)
            #expect(rotated.previousValidUntil > hook.createdAt.advanced(by: .seconds(86_300)))
            try await club.note()
            _ = try await club.deliveries(hook.id, .delivered, count: 1)
            let first = club.receiver.received[0]
            #expect(first.signatures(matching: old) == 1)
            #expect(first.signatures(matching: rotated.secret) == 1)
            #expect(first.headers.first(name: "webhook-signature")?.split(separator: " ").count == 2)
            try await club.sql("update webhook_secret set valid_until = now() where valid_until is not null")
            try await club.note()
            _ = try await club.deliveries(hook.id, .delivered, count: 2)
            let second = club.receiver.received[1]
            #expect(second.signatures(matching: old) == 0)
            #expect(second.signatures(matching: rotated.secret) == 1)
            for _ in 0..<4 {
                _ = try await club.client.send(RotateWebhookSecret.request(path: hook.id))
            }
            let sixth = try await club.service.raw(
                .post, "/v1/webhooks/\(hook.id)/secret", role: .operator)
            #expect(sixth.status == 409)
        }
    }

    @Test("410 disables it, health warns, and once reactivated it continues")
    func gone() async throws {
        try await HookedClub.run({ _, number in .answer(number == 1 ? 410 : 200) }) { club in
            let hook = try await club.hook()
            try await club.note()
            try await eventually("disabled") { try await club.webhook(hook.id).state == .disabled }
            let disabled = try await club.webhook(hook.id)
            #expect(disabled.disabledReason == .gone)
            #expect(disabled.version == 2)
            #expect(try await club.deliveries(hook.id, .exhausted).count == 1)
            try await eventually("a warning") {
                try await club.service.operatorPage("/health/ready").decode(HealthReport.self)
                    .checks["webhooks:disabled"]?.first?.status == .warn
            }
            #expect(try await club.service.operatorPage("/health/ready").status == 200)
            // Changes in the meantime are not kept for it, and nothing can be replayed.
            try await club.note()
            for path in ["test", "replay"] {
                let refused = try await club.service.raw(
                    .post, "/v1/webhooks/\(hook.id)/\(path)", role: .operator,
                    json: path == "replay" ? #"{"since": "2026-01-01T00:00:00Z"}"# : "")
                #expect(refused.status == 409)
                #expect(try refused.problem().slug == "webhook-disabled")
            }
            let active = try await club.client.send(
                ChangeWebhook.request(path: hook.id, body: .init(state: .active), ifMatch: 2))
            #expect(active.state == .active)
            #expect(active.disabledReason == nil)
            let last = try await club.note()
            try await eventually("the last note") {
                try await club.deliveries(hook.id, .delivered).contains { $0.subject == last.id.text }
            }
            try await eventually("no warning") {
                try await club.service.operatorPage("/health/ready").decode(HealthReport.self)
                    .checks["webhooks:disabled"] == nil
            }
        }
    }

    @Test("five days of failures alone disable it; one success restarts the count")
    func failing() async throws {
        try await HookedClub.run(delays: [.zero], { _, number in .answer(number == 2 ? 200 : 500) }) { club in
            let hook = try await club.hook()
            func fail(_ count: Int, since days: Int) async throws {
                try await club.note()
                _ = try await club.deliveries(hook.id, .exhausted, count: count)
                try await club.sql("update webhook set failing_since = now() - \(days) * interval '1 day'")
            }
            try await fail(1, since: 6)
            try await club.note()
            _ = try await club.deliveries(hook.id, .delivered, count: 1)
            #expect(try await club.webhook(hook.id).failingSince == nil)
            try await fail(2, since: 4)
            try await fail(3, since: 6)
            #expect(try await club.webhook(hook.id).state == .active)
            try await club.note()
            try await eventually("disabled") { try await club.webhook(hook.id).state == .disabled }
            #expect(try await club.webhook(hook.id).disabledReason == .failing)
        }
    }

    @Test("a test message says that it is one, and is in the log like any other")
    func test() async throws {
        try await HookedClub.run({ _, _ in .answer(200) }) { club in
            let hook = try await club.hook(events: ["person.changed"])
            let asked = try await club.client.send(TestWebhook.request(path: hook.id))
            #expect(asked.type == "webhook.test")
            #expect(asked.subject == hook.id.text)
            #expect(asked.state == .pending)
            let done = try await club.deliveries(hook.id, .delivered, count: 1)
            #expect(done.map(\.id) == [asked.id])
            let message = try #require(club.receiver.received.first).message()
            #expect(message.type == "webhook.test")
            #expect(message.data.entity == .webhook)
            #expect(message.data.id == hook.id.text)
        }
    }

    @Test("the log comes in pages, the latest first, filtered by state")
    func log() async throws {
        try await HookedClub.run(delays: [.zero], { _, number in .answer(number % 2 == 0 ? 200 : 500) }) { club in
            let hook = try await club.hook()
            var subjects: [String] = []
            for count in 1...5 {
                subjects.append(try await club.note().id.text)
                try await eventually("\(count) ended") {
                    try await club.deliveries(hook.id).count { $0.finishedAt != nil } == count
                }
            }
            var found: [WebhookDelivery] = []
            var cursor: Cursor?
            repeat {
                let page = try await club.client.send(
                    ListWebhookDeliveries.request(
                        path: hook.id, query: .init(limit: 2, cursor: cursor)))
                #expect(page.items.count <= 2)
                found += page.items
                cursor = page.next
            } while cursor != nil
            #expect(found.map(\.subject) == subjects.reversed())
            let failed = try await club.deliveries(hook.id, .exhausted)
            #expect(failed.map(\.subject) == [subjects[4], subjects[2], subjects[0]])
            #expect(try await club.deliveries(hook.id, .delivered).map(\.lastStatus) == [200, 200])
            #expect(
                try await club.service.raw(.get, "/v1/webhooks/\(Webhook.ID())/deliveries", role: .auditor).status
                    == 404)
            let again = try await club.service.raw(
                .post, "/v1/webhook-deliveries/\(found[0].id)/replay", role: .auditor)
            #expect(again.status == 403)
            // Removing it removes its log.
            let path = "/v1/webhooks/\(hook.id)"
            #expect(try await club.service.raw(.delete, path, role: .operator).status == 428)
            let stale = try await club.service.raw(.delete, path, role: .operator, headers: ["If-Match": "\"7\""])
            #expect(stale.status == 412)
            let gone = try await club.service.raw(.delete, path, role: .operator, headers: ["If-Match": "\"1\""])
            #expect(gone.status == 204)
            #expect(
                try await club.service.raw(.get, "/v1/webhook-deliveries/\(found[0].id)", role: .operator).status == 404
            )
        }
    }

    @Test("an address that is not on the public Internet, or not secure, is refused")
    func refused() async throws {
        try await withService(HookedNotes.self) { service in
            for (url, reason) in [
                ("https://127.0.0.1/", "public"), ("https://localhost/", "public"), ("https://[::1]/", "public"),
                ("https://169.254.169.254/latest/meta-data", "public"), ("https://10.0.0.1:8443/", "public"),
                ("http://1.1.1.1/", "https"), ("http://127.0.0.1/", "https"), ("https://nobody.invalid/", "no address"),
            ] {
                let answer = try await service.raw(
                    .post, "/v1/webhooks", role: .operator, json: #"{"url": "\#(url)"}"#)
                #expect(answer.status == 422, "\(url)")
                let field = try #require(try answer.problem().errors?.first)
                #expect(field.pointer == "/url")
                #expect(field.detail.contains(reason), "\(url): \(field.detail)")
            }
            let client = try service.client(.operator)
            let hook = try await client.send(CreateWebhook.request(body: .init(url: "https://1.1.1.1/hook")))
            let moved = try await service.raw(
                .patch, "/v1/webhooks/\(hook.id)", role: .operator, headers: ["If-Match": "\"1\""],
                json: #"{"url": "https://192.168.0.1/"}"#)
            #expect(moved.status == 422)
            for _ in 2...32 { _ = try await client.send(CreateWebhook.request(body: .init(url: "https://1.1.1.1/"))) }
            let oneMore = try await service.raw(
                .post, "/v1/webhooks", role: .operator, json: #"{"url": "https://1.1.1.1/"}"#)
            #expect(oneMore.status == 409)
            #expect(try oneMore.problem().slug == "too-many-webhooks")
        }
    }
}
