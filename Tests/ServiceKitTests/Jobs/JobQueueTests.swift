import ClubProtocol
import Postgres
import Testing

@testable import ServiceKit

@Suite struct JobQueueTests {
    private static let kind = JobKind<Int>("queue")

    @Test("a job enqueued in a transaction that rolls back was never enqueued")
    func rollback() async throws {
        try await withServiceDatabase { kit in
            await #expect(throws: TestFailure.self) {
                try await kit.client.transaction { transaction in
                    #expect(try await kit.queue.enqueue(Self.kind, 1, in: transaction) != nil)
                    throw TestFailure()
                }
            }
            let stats = try await kit.queue.stats()
            #expect(stats.isEmpty)
        }
    }

    @Test("fifty concurrent requests for the same job enqueue one", arguments: [true, false])
    func unique(hasKey: Bool) async throws {
        try await withServiceDatabase { kit in
            let added = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await kit.queue.enqueue(
                            Self.kind, number, unique: hasKey ? "only" : nil, in: kit.client) != nil
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            // Without the key, the negative control, all fifty are enqueued.
            #expect(added == (hasKey ? 1 : 50))
            #expect(try await kit.queue.stats().first?.queued == added)
        }
    }

    @Test("a unique key is free again once its job is done or dead")
    func uniqueAgain() async throws {
        try await withServiceDatabase { kit in
            let store = JobStore(database: kit.client)
            for end in ["done", "dead"] {
                #expect(try await kit.queue.enqueue(Self.kind, 1, unique: "k", in: kit.client) != nil)
                let job = try #require(try await store.claim(kind: "queue", lease: .seconds(30), limit: 1).jobs.first)
                #expect(try await kit.queue.enqueue(Self.kind, 1, unique: "k", in: kit.client) == nil)
                #expect(
                    try await end == "done"
                        ? store.finish(job, on: kit.client) : store.discard(job, reason: "r"))
            }
            let dead = try #require(try await kit.dead().first)
            #expect(try await kit.queue.enqueue(Self.kind, 1, unique: "k", in: kit.client) != nil)
            // Two live jobs cannot have the same key.
            let error = await #expect(throws: PostgresError.self) { try await kit.revive(dead.id) }
            #expect(error?.constraint == "job_unique")
            #expect(try await kit.queue.withdraw(Self.kind, unique: "k", in: kit.client))
            try await kit.revive(dead.id)
        }
    }

    @Test("many jobs are enqueued with one statement, except those whose key is taken")
    func bulk() async throws {
        try await withServiceDatabase { kit in
            let first = try await kit.queue.enqueue(
                Self.kind, all: Array(0..<1000), unique: { "n\($0)" }, in: kit.client)
            let second = try await kit.queue.enqueue(
                Self.kind, all: Array(990..<1010), unique: { "n\($0)" }, in: kit.client)
            #expect((first, second) == (1000, 10))
            let payloads: [Int] = try await kit.client.query("select payload::int as n from job order by id")
                .map { try $0["n"] }
            #expect(payloads == Array(0..<1010))
        }
    }

    @Test("a job for later is not due before its time")
    func later() async throws {
        try await withServiceDatabase { kit in
            let store = JobStore(database: kit.client)
            let at = Timestamp.now.advanced(by: .seconds(3600))
            try await kit.queue.enqueue(Self.kind, 1, at: at, in: kit.client)
            #expect(try await store.claim(kind: "queue", lease: .seconds(30), limit: 1).jobs.isEmpty)
            let seconds = try #require(try await store.secondsToNext(kind: "queue"))
            #expect((3000...3700).contains(seconds))
        }
    }

    @Test("the delay after a failure doubles up to a maximum, with random jitter")
    func backOff() {
        let backOff = BackOff(first: .seconds(1), longest: .seconds(60))
        for (attempt, most) in [(1, 1.0), (2, 2), (3, 4), (6, 32), (7, 60), (20, 60), (200, 60)] {
            for _ in 0..<50 {
                let seconds = backOff.delay(after: attempt).seconds
                #expect(seconds >= most / 2 && seconds <= most, "attempt \(attempt)")
            }
        }
    }
}
