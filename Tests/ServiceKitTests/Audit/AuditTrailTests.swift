import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import ServiceKit

private struct Values: Codable, Sendable {
    var name: String
    var city: String?
}

@Suite struct AuditTrailTests {
    private func trail(_ kit: ServiceDatabase) -> AuditTrail { AuditTrail(database: kit.client) }

    /// Records changes and seals them all.
    private func filled(_ kit: ServiceDatabase, _ count: Int) async throws -> AuditTrail {
        try await kit.client.transaction { transaction in
            try await transaction.record(
                (0..<count).map {
                    Journal.Entry(.created, .thing, RecordedID(), version: $0, values: Values(name: "n\($0)"))
                }, by: ServiceDatabase.somebody)
        }
        try await sealAll(kit)
        return trail(kit)
    }

    private func sealAll(_ kit: ServiceDatabase) async throws {
        try await eventually("everything is sealed") {
            try await trail(kit).seal()
            return try await kit.count("select count(*) from audit where seq is null") == 0
        }
    }

    @Test("a change and its audit row commit together or not at all")
    func together() async throws {
        try await withServiceDatabase { kit in
            let id = RecordedID()
            await #expect(throws: TestFailure.self) {
                try await kit.client.transaction { transaction in
                    try await kit.record(.created, id, in: transaction)
                    throw TestFailure()
                }
            }
            #expect(try await kit.count("select count(*) from audit") == 0)
            let person = Principal(subject: "marie", role: .editor)
            try await kit.client.transaction { transaction in
                try await transaction.record(.changed, .thing, id, version: 2, by: person)
                try await transaction.record(.deleted, .thing, id, by: .anonymous)
            }
            let rows = try await kit.client.query(
                """
                select concat_ws(' ', actor, role, audit.action, audit.entity, audit.version) as text
                from audit join change on change.xid = audit.xid and change.subject = audit.subject
                    and change.action = audit.action and change.entity = audit.entity
                where audit.subject = \(id.text) order by audit.id
                """)
            #expect(
                try rows.map { try $0["text"] } == ["marie editor changed thing 2", "anonymous none deleted thing"])
        }
    }

    @Test("a chain of a thousand rows is intact, and so is an empty one")
    func intact() async throws {
        try await withServiceDatabase { kit in
            #expect(try await trail(kit).verify() == .intact(try await trail(kit).head()))
            let trail = try await filled(kit, 1000)
            let head = try await trail.head()
            #expect(head.seq == 1000)
            #expect(try await trail.verify() == .intact(head))
        }
    }

    @Test("rows are sealed in commit order, though many write and many seal concurrently")
    func commitOrder() async throws {
        try await withServiceDatabase { kit in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        for _ in 0..<20 { try await kit.record(.created, RecordedID()) }
                    }
                }
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<20 { try await trail(kit).seal(limit: 7) } }
                }
                try await group.waitForAll()
            }
            try await sealAll(kit)
            let order: [Int] = try await kit.client.query("select seq from audit order by xid, id").map {
                try $0["seq"]
            }
            #expect(order == Array(1...120))
            #expect(try await trail(kit).verify() == .intact(try await trail(kit).head()))
        }
    }

    @Test("no row is sealed while an older transaction may still commit")
    func olderTransaction() async throws {
        try await withServiceDatabase { kit in
            let (older, newer) = (RecordedID(), RecordedID())
            try await kit.client.transaction { transaction in
                try await kit.record(.created, older, in: transaction)
                try await kit.record(.created, newer)
                #expect(try await trail(kit).seal() == 0)
            }
            try await sealAll(kit)
            let order: [String] = try await kit.client.query("select subject from audit order by seq").map {
                try $0["subject"]
            }
            #expect(order == [older.text, newer.text])
        }
    }

    @Test("negative control: sealing whatever is committed chains a newer transaction before an older one")
    func olderTransactionIgnored() async throws {
        try await withServiceDatabase { kit in
            let seal: SQL = """
                with head as (select seq, hash from audit_head), next as (select id from audit where seq is null order by xid, id limit 1)
                update audit set seq = head.seq + 1, previous = head.hash, hash = sha256(head.hash)
                from head, next where audit.id = next.id
                """
            let (older, newer) = (RecordedID(), RecordedID())
            try await kit.database.withClient(searchPath: ServiceDatabase.schema) { owner in
                // Otherwise the guard would notice that the head does not match.
                _ = try await owner.execute("alter table audit disable trigger audit_guard")
                try await kit.client.transaction { transaction in
                    try await kit.record(.created, older, in: transaction)
                    try await kit.record(.created, newer)
                    #expect(try await owner.execute(seal) == 1)
                }
            }
            let first: String? = try await kit.client.first("select subject from audit where seq = 1")?["subject"]
            #expect(first == newer.text)
        }
    }

    @Test("an interrupted seal leaves nothing behind, and the next one continues")
    func interrupted() async throws {
        try await withServiceDatabase { kit in
            let trail = try await filled(kit, 10)
            let head = try await trail.head()
            for _ in 0..<20 { try await kit.record(.changed, RecordedID()) }
            try await eventually("something was sealed, and undone") {
                var sealed = 0
                try? await kit.client.transaction { transaction in
                    sealed = try await transaction.first("select audit_seal(7) as sealed")?["sealed"] ?? 0
                    // A concurrent seal does not wait and does nothing.
                    #expect(try await trail.seal() == 0)
                    try await transaction.query("select pg_terminate_backend(pg_backend_pid())")
                }
                return sealed == 7
            }
            #expect(try await trail.head() == head)
            #expect(try await trail.verify() == .intact(head))
            try await sealAll(kit)
            #expect(try await trail.head().seq == 30)
            #expect(try await trail.verify() == .intact(try await trail.head()))
        }
    }

    struct Tampering: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: SQL
        let verdict: AuditTrail.Verdict
    }

    @Test(
        "tampering with the chain is detected and located",
        arguments: [
            Tampering(
                testDescription: "another actor", script: "update audit set actor = 'nobody' where seq = 5",
                verdict: .broken(at: 5, .changed)),
            Tampering(
                testDescription: "another time",
                script: "update audit set at = at + interval '1 microsecond' where seq = 1",
                verdict: .broken(at: 1, .changed)),
            Tampering(
                testDescription: "another subject", script: "update audit set subject = 'x' where seq = 20",
                verdict: .broken(at: 20, .changed)),
            Tampering(
                testDescription: "a version taken away", script: "update audit set version = null where seq = 7",
                verdict: .broken(at: 7, .changed)),
            Tampering(
                testDescription: "another commitment",
                script: "update audit set commitment = sha256('x') where seq = 7",
                verdict: .broken(at: 7, .changed)),
            Tampering(
                testDescription: "changed and hashed anew",
                script: """
                    with forged as (update audit set role = 'auditor' where seq = 9 returning audit.*)
                    select 1 from forged
                    """, verdict: .broken(at: 9, .changed)),
            Tampering(
                testDescription: "removed", script: "delete from audit where seq = 8", verdict: .broken(at: 8, .removed)
            ),
            Tampering(
                testDescription: "the first removed", script: "delete from audit where seq = 1",
                verdict: .broken(at: 1, .removed)),
            Tampering(
                testDescription: "cut off", script: "delete from audit where seq > 15",
                verdict: .broken(at: 16, .cutOff)),
            Tampering(
                testDescription: "all gone", script: "delete from audit", verdict: .broken(at: 1, .cutOff)),
            Tampering(
                testDescription: "the head set back",
                script: "update audit_head set seq = 15, hash = (select hash from audit where seq = 15)",
                verdict: .broken(at: 16, .added)),
            Tampering(
                testDescription: "another head", script: "update audit_head set hash = sha256('x')",
                verdict: .broken(at: 20, .changed)),
        ])
    func tampered(_ tampering: Tampering) async throws {
        try await withServiceDatabase { kit in
            let trail = try await filled(kit, 20)
            try await unguarded(kit, tampering.script)
            #expect(try await trail.verify() == tampering.verdict)
        }
    }

    @Test("two swapped rows are detected")
    func swapped() async throws {
        try await withServiceDatabase { kit in
            let trail = try await filled(kit, 20)
            try await unguarded(
                kit, "update audit set seq = -1 where seq = 4", "update audit set seq = 4 where seq = 6",
                "update audit set seq = 6 where seq = -1")
            #expect(try await trail.verify() == .broken(at: 4, .changed))
        }
    }

    @Test("a completely forged row does not follow the one before it, or the next one does not follow it")
    func forged() async throws {
        try await withServiceDatabase { kit in
            let trail = try await filled(kit, 20)
            try await unguarded(
                kit, "update audit set actor = 'nobody' where seq = 9",
                "update audit set hash = sha256(previous || audit_canonical(audit)) where seq = 9")
            #expect(try await trail.verify() == .broken(at: 10, .misplaced))
        }
    }

    @Test("a chain rewritten together with its head is detected by a head noted earlier")
    func rewritten() async throws {
        try await withServiceDatabase { kit in
            let trail = try await filled(kit, 20)
            let noted = try await trail.head()
            #expect(try await trail.verify(noted: noted) == .intact(noted))
            try await unguarded(
                kit, "update audit set seq = null, hash = null, previous = null",
                "update audit set actor = 'nobody' where version = 3",
                "update audit_head set seq = 0, hash = sha256('')")
            try await sealAll(kit)
            #expect(try await trail.verify() == .intact(try await trail.head()))
            #expect(try await trail.verify(noted: noted) == .broken(at: 20, .rewritten))
            // Cut off together with its head: the rows do not show it, the noted head does.
            try await unguarded(
                kit, "delete from audit where seq > 10",
                "update audit_head set seq = 10, hash = (select hash from audit where seq = 10)")
            #expect(try await trail.verify(noted: noted) == .broken(at: 11, .cutOff))
        }
    }

    @Test("values are committed to but never stored; erasing the subject hides them, with the chain intact")
    func erasure() async throws {
        try await withServiceDatabase { kit in
            let trail = trail(kit)
            let (id, other) = (RecordedID(), RecordedID())
            for thing in [id, other] {
                try await kit.client.transaction { transaction in
                    try await transaction.record(
                        .created, .thing, thing, version: 1, values: Values(name: "Zoé Martin", city: "Pau"),
                        by: ServiceDatabase.somebody)
                }
            }
            try await sealAll(kit)
            let entries: [Int64] = try await kit.client.query("select id from audit order by id").map { try $0["id"] }
            #expect(try await trail.matches(Values(name: "Zoé Martin", city: "Pau"), entry: entries[0]) == true)
            #expect(try await trail.matches(Values(name: "Zoé Martin", city: nil), entry: entries[0]) == false)
            // Equal values of two subjects cannot be recognized as equal.
            #expect(try await kit.count("select count(distinct commitment) from audit") == 2)
            let stored: [String] = try await kit.client.query("select audit::text as row from audit").map {
                try $0["row"]
            }
            #expect(stored.allSatisfy { !$0.contains("Martin") && !$0.contains("Pau") })

            try await kit.client.transaction { transaction in
                try await transaction.record(
                    .erased, .thing, id, values: Values(name: "Zoé Martin"), by: ServiceDatabase.somebody)
            }
            try await sealAll(kit)
            #expect(try await kit.count("select count(*) from audit_key") == 1)
            #expect(try await trail.matches(Values(name: "Zoé Martin", city: "Pau"), entry: entries[0]) == nil)
            #expect(try await trail.matches(Values(name: "Zoé Martin", city: "Pau"), entry: entries[1]) == true)
            #expect(try await trail.verify() == .intact(try await trail.head()))
            try await kit.client.transaction { try await AuditTrail.forget(.thing, [other], in: $0) }
            #expect(try await kit.count("select count(*) from audit_key") == 0)
        }
    }

    @Test("a subject has one key, though many transactions make its first commitment at once")
    func oneKey() async throws {
        try await withServiceDatabase { kit in
            let id = RecordedID()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await kit.client.transaction { transaction in
                            try await transaction.record(
                                .changed, .thing, id, values: Values(name: "n"), by: ServiceDatabase.somebody)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await kit.count("select count(*) from audit") == 20)
            #expect(try await kit.count("select count(distinct commitment) from audit") == 1)
            #expect(try await kit.count("select count(*) from audit_key") == 1)
        }
    }

    @Test("a commitment is HMAC-SHA-256 (RFC 4231, test case 2)")
    func hmac() async throws {
        try await withServiceDatabase { kit in
            let pads = CommitmentKey(Array("Jefe".utf8)).pads
            let message = Array("what do ya want for nothing?".utf8)
            let digest = try await kit.client.first(
                "select encode(audit_commitment('thing', 'x', \(pads), \(message)), 'hex') as digest")
            #expect(
                try digest?["digest"] == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        }
    }

    @Test("the sealer seals new rows, with one sealer in each replica")
    func sealer() async throws {
        try await withServiceDatabase { kit in
            let trail = trail(kit)
            let make = { AuditSealer(trail: trail, interval: .milliseconds(5), logger: kit.logger) }
            let (first, second) = (make(), make())
            try await running({ try await first.run() }) {
                try await running({ try await second.run() }) {
                    for _ in 0..<30 { try await kit.record(.changed, RecordedID()) }
                    try await eventually("sealed") { try await trail.head().seq == 30 }
                }
            }
            #expect(try await trail.verify() == .intact(try await trail.head()))
        }
    }
}
