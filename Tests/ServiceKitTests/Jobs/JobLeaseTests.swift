import ClubProtocol
import Foundation
import Postgres
import Testing

@testable import ServiceKit

@Suite struct JobLeaseTests {
    private static let kind = JobKind<Int>("lease", maximumAttempts: 3)

    private func filled(_ kit: ServiceDatabase, _ count: Int) async throws -> JobStore {
        try await kit.queue.enqueue(Self.kind, all: Array(0..<count), in: kit.client)
        return JobStore(database: kit.client)
    }

    @Test("many concurrent claims never get the same job")
    func claimsAreDisjoint() async throws {
        try await withServiceDatabase { kit in
            let store = try await filled(kit, 200)
            let ids = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for _ in 0..<25 {
                    group.addTask {
                        try await store.claim(kind: "lease", lease: .seconds(30), limit: 8).jobs.map(\.id)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let rest = try await store.claim(kind: "lease", lease: .seconds(30), limit: 200).jobs.map(\.id)
            #expect(ids.count + rest.count == 200)
            #expect(Set(ids + rest).count == 200)
        }
    }

    @Test("negative control: without locks two concurrent claims take the same jobs")
    func claimsWithoutLocksCollide() async throws {
        try await withServiceDatabase { kit in
            _ = try await filled(kit, 10)
            let look: SQL = "select id from job where state <> 'dead' and due_at <= now() order by due_at, id limit 5"
            let first: [Int64] = try await kit.client.query(look).map { try $0["id"] }
            let second: [Int64] = try await kit.client.query(look).map { try $0["id"] }
            #expect(first == second)
        }
    }

    @Test("a late completion changes nothing, whatever its outcome")
    func lateCompletion() async throws {
        try await withServiceDatabase { kit in
            let store = try await filled(kit, 1)
            let late = try #require(try await store.claim(kind: "lease", lease: .zero, limit: 1).jobs.first)
            let owner = try #require(try await store.claim(kind: "lease", lease: .seconds(30), limit: 1).jobs.first)
            #expect(late.id == owner.id)
            #expect((late.attempt, owner.attempt) == (1, 2))
            let before = try await kit.client.first("select xmin::text as version from job")?[
                "version", as: String.self]
            #expect(try await store.finish(late, on: kit.client) == false)
            #expect(try await store.retry(late, after: .zero, reason: "r") == false)
            #expect(try await store.release(late) == false)
            #expect(try await store.discard(late, reason: "r") == false)
            #expect(try await store.renew(late, lease: .seconds(30), on: kit.client) == false)
            let after = try await kit.client.first("select xmin::text as version from job")?["version", as: String.self]
            #expect(before == after)
            #expect(try await store.finish(owner, on: kit.client))
        }
    }

    @Test("negative control: without the fence a late completion ends another worker's job")
    func lateCompletionWithoutFence() async throws {
        try await withServiceDatabase { kit in
            let store = try await filled(kit, 1)
            let late = try #require(try await store.claim(kind: "lease", lease: .zero, limit: 1).jobs.first)
            let owner = try #require(try await store.claim(kind: "lease", lease: .seconds(30), limit: 1).jobs.first)
            #expect(try await kit.client.execute("delete from job where id = \(late.id)") == 1)
            #expect(try await store.finish(owner, on: kit.client) == false)
        }
    }

    @Test("a fenced transaction takes effect once, though two workers run it", arguments: [true, false])
    func fencedEffect(isFenced: Bool) async throws {
        try await withServiceDatabase { kit in
            try await kit.owner { owner in
                try await owner.execute("create table effect (id bigint)")
                try await owner.execute("grant all on effect to events")
            }
            let store = try await filled(kit, 1)
            let late = try #require(try await store.claim(kind: "lease", lease: .zero, limit: 1).jobs.first)
            let owner = try #require(try await store.claim(kind: "lease", lease: .seconds(30), limit: 1).jobs.first)
            for job in [late, owner] {
                let context = JobContext(
                    isLastAttempt: false, logger: kit.logger, job: job, lease: .seconds(30), store: store)
                do {
                    try await kit.client.transaction { transaction in
                        try await transaction.execute("insert into effect values (\(job.id))")
                        if isFenced { try await context.finish(in: transaction) }
                    }
                } catch is LeaseLost {
                    #expect(job.attempt == 1)
                }
            }
            // Without the fence, the negative control, it takes effect twice.
            #expect(try await kit.count("select count(*) from effect") == (isFenced ? 1 : 2))
            #expect(try await kit.count("select count(*) from job") == (isFenced ? 0 : 1))
        }
    }

    @Test("a fenced transaction keeps the job from being claimed until it has ended, even past the lease")
    func fenceHoldsTheRow() async throws {
        try await withServiceDatabase { kit in
            let store = try await filled(kit, 1)
            let job = try #require(try await store.claim(kind: "lease", lease: .zero, limit: 1).jobs.first)
            let context = JobContext(isLastAttempt: false, logger: kit.logger, job: job, lease: .zero, store: store)
            try await kit.client.transaction { transaction in
                try await context.fence(in: transaction)
                #expect(try await store.claim(kind: "lease", lease: .seconds(30), limit: 1).jobs.isEmpty)
            }
            #expect(try await store.claim(kind: "lease", lease: .seconds(30), limit: 1).jobs.count == 1)
        }
    }

    @Test("a heartbeat keeps the job, by the database's clock")
    func heartbeat() async throws {
        try await withServiceDatabase { kit in
            let store = try await filled(kit, 1)
            let job = try #require(try await store.claim(kind: "lease", lease: .zero, limit: 1).jobs.first)
            let context = JobContext(
                isLastAttempt: false, logger: kit.logger, job: job, lease: .seconds(30), store: store)
            try await context.heartbeat()
            #expect(try await store.claim(kind: "lease", lease: .seconds(30), limit: 1).jobs.isEmpty)
            #expect(
                try await kit.count("select count(*) from job where due_at > now() + interval '25 seconds'") == 1)
        }
    }

    @Test("a job that crashes its worker on every attempt is dead in the end")
    func poison() async throws {
        try await withServiceDatabase { kit in
            let store = try await filled(kit, 1)
            for attempt in 1...3 {
                let claim = try await store.claim(kind: "lease", lease: .zero, limit: 1)
                #expect(claim.jobs.first?.attempt == attempt)
            }
            let last = try await store.claim(kind: "lease", lease: .zero, limit: 1)
            #expect(last.jobs.isEmpty)
            #expect(last.died.count == 1)
            #expect(try await kit.dead().first?.reason == "the last lease expired")
        }
    }

    @Test("a claim that continues from a position sees nothing before it, and one from the beginning does")
    func places() async throws {
        try await withServiceDatabase { kit in
            let store = try await filled(kit, 3)
            let first = try await store.claim(kind: "lease", lease: .seconds(30), limit: 2)
            let place = try #require(first.last)
            // Released, and so before the position.
            #expect(try await store.release(try #require(first.jobs.first)))
            try await kit.client.execute("update job set due_at = now() - interval '1 day' where state = 'queued'")
            #expect(try await store.claim(kind: "lease", lease: .seconds(30), limit: 9, from: place).jobs.isEmpty)
            #expect(try await store.claim(kind: "lease", lease: .seconds(30), limit: 9).jobs.count == 2)
        }
    }
}
