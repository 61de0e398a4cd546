import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("addresses that were erased")
struct ErasedAddressTests {
    private struct Rig {
        let content: TestService
        let issue: ClubProtocol.Issue.ID

        var database: PostgresClient { content.backend.database }

        func add(_ email: EmailAddress, to expert: DataSubject.ID, in transaction: PostgresTransaction) async throws {
            let member = AudienceMember(
                entity: .expert, id: .init(expert.uuid), name: "Zoé Quettehou", email: email)
            try await DeliveryStore.add([.init(member)], issue: issue, audience: .experts, in: transaction)
        }

        func erase(_ expert: DataSubject.ID, email: EmailAddress?) async throws -> [String] {
            try await database.transaction { transaction in
                try await ContentRights(backend: content.backend).erase(
                    ErasureNotice(
                        erasure: .init(), state: .erasing, entity: .expert, subject: expert,
                        emails: [email].compactMap { $0 }),
                    content.backend.journal, in: transaction)
            }
        }

        func deliveries() async throws -> [String] {
            try await database.query("select email from delivery order by email").map { try $0["email"] }
        }
    }

    private func withRig(_ body: (Rig) async throws -> Void) async throws {
        let mail = FileManager.default.temporaryDirectory.appendingPathComponent("mail-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await withService(ContentApplication.self, adjust: { $0.mailURL = "maildir:\(mail)" }) { content in
            let issue = try await content.client(.operator).send(
                CreateIssue.request(body: .init(title: "Flash info")))
            try await content.backend.database.transaction { try await IssueStore.openEditions(of: issue.id, in: $0) }
            try await body(Rig(content: content, issue: issue.id))
        }
    }

    @Test("deliveries go by reader and by address, suppressions too; the hash stays, and lets nothing in again")
    func erase() async throws {
        try await withRig { rig in
            let (expert, other) = (DataSubject.ID(), DataSubject.ID())
            try await rig.database.transaction { transaction in
                try await rig.add("old@example.org", to: expert, in: transaction)
                try await rig.add("other@example.org", to: other, in: transaction)
            }
            _ = try await rig.content.client(.operator).send(
                CreateSuppression.request(body: .init(email: "OLD@example.org", reason: .bounced)))
            let addresses = try await rig.erase(expert, email: "New@example.org")
            #expect(addresses.sorted() == ["new@example.org", "old@example.org"])
            #expect(try await rig.deliveries() == ["other@example.org"])
            #expect(try await rig.database.query("select id from suppression").isEmpty)
            try await rig.database.transaction { transaction in
                for email in ["old@example.org", "NEW@example.org", "third@example.org"] as [EmailAddress] {
                    try await rig.add(email, to: other, in: transaction)
                }
            }
            #expect(try await rig.deliveries() == ["other@example.org", "third@example.org"])
            // An issue still says how many there were.
            let issue = try await rig.content.client(.operator).send(GetIssue.request(path: .init(issue: rig.issue)))
            #expect(issue.editions.map(\.counts.cancelled).reduce(0, +) == 1)
            let token = rig.content.backend.links.token(
                purpose: DeliveryRoutes.unsubscribePurpose, subject: "old@example.org",
                expires: .now.advanced(by: .seconds(60)))
            #expect(try await rig.content.raw(.post, "/v1/unsubscriptions/\(token)").status == 204)
            #expect(try await rig.database.query("select id from suppression").isEmpty)
        }
    }

    @Test("an address that somebody else is mailed at stays theirs")
    func shared() async throws {
        try await withRig { rig in
            let (expert, other) = (DataSubject.ID(), DataSubject.ID())
            try await rig.database.transaction { try await rig.add("both@example.org", to: expert, in: $0) }
            let second = try await rig.content.client(.operator).send(CreateIssue.request(body: .init(title: "Suite")))
            try await rig.database.transaction { try await IssueStore.openEditions(of: second.id, in: $0) }
            let later = Rig(content: rig.content, issue: second.id)
            try await later.database.transaction { try await later.add("both@example.org", to: other, in: $0) }
            #expect(try await rig.erase(expert, email: nil) == [])
            #expect(try await rig.deliveries() == ["both@example.org"])
        }
    }

    /// - Returns: what is left of an address that was added while it was erased.
    private func race(_ rig: Rig, holding: Bool) async throws -> [String] {
        let expert = DataSubject.ID()
        let erasure = try await rig.database.transaction(retries: 0) { transaction in
            if holding {
                try await rig.add("late@example.org", to: expert, in: transaction)
            } else {
                // What the same statement does without the lock.
                try await transaction.execute(
                    """
                    insert into delivery (id, issue, audience, email)
                    values (\(Delivery.ID()), \(rig.issue), 'experts', 'late@example.org')
                    """)
            }
            let erasure = Task { _ = try await rig.erase(expert, email: "late@example.org") }
            if holding {
                while try await !isSomebodyWaiting(rig) { try await Task.sleep(for: .milliseconds(10)) }
            } else {
                try await erasure.value
            }
            return erasure
        }
        try await erasure.value
        return try await rig.deliveries()
    }

    private func isSomebodyWaiting(_ rig: Rig) async throws -> Bool {
        let row = try await rig.database.first(
            """
            select exists (
                select from pg_locks join pg_database on pg_database.oid = pg_locks.database
                where locktype = 'advisory' and not granted and datname = current_database()) as waiting
            """)
        return try row?["waiting"] ?? false
    }

    @Test("who is added while it is erased is erased: the erasure waits for those who write addresses down")
    func atOnce() async throws {
        try await withRig { rig in
            let left = try await race(rig, holding: true)
            #expect(left == [])
        }
    }

    @Test("negative control: without waiting, the address comes in behind the erasure")
    func atOnceWithoutLock() async throws {
        try await withRig { rig in
            let left = try await race(rig, holding: false)
            #expect(left == ["late@example.org"])
        }
    }
}
