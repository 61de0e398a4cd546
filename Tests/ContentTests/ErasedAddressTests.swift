import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("erased addresses")
struct ErasedAddressTests {
    private struct Rig {
        let content: TestService
        let issue: ClubProtocol.Issue.ID

        var database: PostgresClient { content.backend.database }

        func add(
            _ email: EmailAddress, to expert: DataSubject.ID, agreedAt: Timestamp? = nil,
            in transaction: PostgresTransaction
        ) async throws {
            let member = AudienceMember(
                entity: .expert, id: .init(expert.uuid), name: "Zoé Quettehou", email: email, agreedAt: agreedAt)
            try await DeliveryStore.add(
                [.init(member)], issue: issue, audience: .experts, lanes: [:], deadline: 3600, in: transaction)
        }

        func erase(
            _ expert: DataSubject.ID, email: EmailAddress?, reason: Erasure.Reason = .request
        ) async throws -> [String] {
            try await database.transaction { transaction in
                try await ContentRights(backend: content.backend).erase(
                    ErasureNotice(
                        erasure: .init(), state: .erasing, entity: .expert, subject: expert, reason: reason,
                        emails: [email].compactMap { $0 }),
                    in: transaction
                ).map(\.email.text)
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

    @Test(
        "deliveries are deleted by reader and address, suppressions by address; the hash stays and blocks new ones"
    )
    func erase() async throws {
        try await withRig { rig in
            let (expert, other) = (DataSubject.ID(), DataSubject.ID())
            try await rig.database.transaction { transaction in
                try await rig.add("old@example.org", to: expert, in: transaction)
                try await rig.add("other@example.org", to: other, in: transaction)
            }
            for email in ["OLD@example.org", "NEW@example.org"] as [EmailAddress] {
                _ = try await rig.content.client(.operator).send(
                    CreateSuppression.request(body: .init(email: email, reason: .bounced)))
            }
            let addresses = try await rig.erase(expert, email: "New@example.org")
            #expect(addresses.sorted() == ["new@example.org", "old@example.org"])
            #expect(try await rig.deliveries() == ["other@example.org"])
            // The directory says nothing about the old address: mails sent to it do not show whose it was.
            func suppressed() async throws -> [String] {
                try await rig.database.query("select email from suppression").map { try $0["email"] }
            }
            #expect(try await suppressed() == ["old@example.org"])
            try await rig.database.transaction { transaction in
                for email in ["old@example.org", "NEW@example.org", "third@example.org"] as [EmailAddress] {
                    try await rig.add(email, to: other, in: transaction)
                }
            }
            #expect(try await rig.deliveries() == ["other@example.org", "third@example.org"])
            // An issue keeps its counts.
            let issue = try await rig.content.client(.operator).send(GetIssue.request(path: rig.issue))
            #expect(issue.editions.map(\.counts.cancelled).reduce(0, +) == 1)
            let token = rig.content.backend.links.token(
                purpose: Suppression.Purpose.flashInfo.tokenPurpose, subject: "old@example.org",
                expires: .now.advanced(by: .seconds(60)))
            #expect(try await rig.content.raw(.post, "/v1/unsubscriptions/\(token)").status == 200)
            #expect(try await suppressed() == ["old@example.org"])
        }
    }

    @Test(
        "after a requested erasure only new consent allows mail; a mistake or an expired retention blocks no one"
    )
    func anew() async throws {
        try await withRig { rig in
            let before = Timestamp.now
            for reason in [Erasure.Reason.request, .mistake, .retention] {
                _ = try await rig.erase(
                    .init(), email: EmailAddress(validating: "\(reason.rawValue)@example.org"), reason: reason)
            }
            func add(_ agreedAt: Timestamp) async throws {
                try await rig.database.transaction { transaction in
                    for email in ["request@example.org", "mistake@example.org", "retention@example.org"] {
                        try await rig.add(
                            EmailAddress(validating: email), to: .init(), agreedAt: agreedAt, in: transaction)
                    }
                }
            }
            try await add(before)
            #expect(try await rig.deliveries() == ["mistake@example.org", "retention@example.org"])
            try await add(.now)
            #expect(
                try await rig.deliveries() == ["mistake@example.org", "request@example.org", "retention@example.org"])
            // They can unsubscribe again.
            let token = rig.content.backend.links.token(
                purpose: Suppression.Purpose.flashInfo.tokenPurpose, subject: "request@example.org",
                expires: .now.advanced(by: .seconds(60)))
            #expect(try await rig.content.raw(.post, "/v1/unsubscriptions/\(token)").status == 200)
            #expect(try await rig.database.query("select id from suppression").count == 1)
        }
    }

    @Test("consent newer than the unsubscription removes the suppression, and nothing else does")
    func lifted() async throws {
        try await withRig { rig in
            let operating = try rig.content.client(.operator)
            let before = Timestamp.now
            for (email, reason) in [
                ("left@example.org", .unsubscribed), ("bounced@example.org", .bounced),
                ("complaint@example.org", .complaint), ("manual@example.org", .manual),
            ] as [(EmailAddress, Suppression.Reason)] {
                _ = try await operating.send(CreateSuppression.request(body: .init(email: email, reason: reason)))
            }
            _ = try await operating.send(
                CreateSuppression.request(body: .init(email: "bounced@example.org", reason: .unsubscribed)))
            /// The addresses that a new issue is mailed to.
            func mailed(_ agreedAt: Timestamp) async throws -> [String] {
                let issue = try await operating.send(CreateIssue.request(body: .init(title: "Suite")))
                let later = Rig(content: rig.content, issue: issue.id)
                try await rig.database.transaction { transaction in
                    try await IssueStore.openEditions(of: issue.id, in: transaction)
                    for name in ["left", "bounced", "complaint", "manual"] {
                        try await later.add(
                            EmailAddress(validating: "\(name)@example.org"), to: .init(), agreedAt: agreedAt,
                            in: transaction)
                    }
                }
                return try await rig.database.query(
                    """
                    select email from delivery join outgoing_mail using (id)
                    where delivery.issue = \(issue.id) and state = 'pending'
                    """
                ).map { try $0["email"] }
            }
            #expect(try await mailed(before) == [])
            let agreed = Timestamp.now
            #expect(try await mailed(agreed) == ["left@example.org"])
            // Unsubscribing again counts, whatever the earlier consent.
            _ = try await operating.send(
                CreateSuppression.request(body: .init(email: "left@example.org", reason: .unsubscribed)))
            #expect(try await mailed(agreed) == [])
        }
    }

    @Test("an address at which someone else is mailed stays theirs")
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

    /// - Returns: what remains of an address that was added during its erasure.
    private func race(_ rig: Rig, holding: Bool) async throws -> [String] {
        let expert = DataSubject.ID()
        let erasure = try await rig.database.transaction(retries: 0) { transaction in
            if holding {
                try await rig.add("late@example.org", to: expert, in: transaction)
            } else {
                // The same statement without the lock.
                try await transaction.execute(
                    """
                    with mail as (
                        insert into outgoing_mail (id, issue, audience, lane, priority, state, deadline)
                        values (\(Delivery.ID()), \(rig.issue), 'experts', 'other', 3, 'pending', now()) returning id
                    )
                    insert into delivery (id, issue, audience, email)
                    select id, \(rig.issue), 'experts', 'late@example.org' from mail
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

    @Test("a reader added during their erasure is erased: the erasure waits for transactions that write addresses")
    func atOnce() async throws {
        try await withRig { rig in
            let left = try await race(rig, holding: true)
            #expect(left == [])
        }
    }

    @Test("negative control: without waiting, the address is added after the erasure")
    func atOnceWithoutLock() async throws {
        try await withRig { rig in
            let left = try await race(rig, holding: false)
            #expect(left == ["late@example.org"])
        }
    }
}
