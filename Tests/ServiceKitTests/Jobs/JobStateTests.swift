import Postgres
import Testing

@testable import ServiceKit

@Suite struct JobStateTests {
    private static let allowed: Set<[JobState]> = [
        [.queued, .running], [.running, .running], [.running, .queued], [.running, .done], [.running, .dead],
        [.dead, .queued],
    ]

    @Test("every pair of states is allowed or not, as in the diagram")
    func pairs() {
        for from in JobState.allCases {
            for to in JobState.allCases {
                #expect(from.allows(to) == Self.allowed.contains([from, to]), "\(from) to \(to)")
            }
        }
    }

    @Test("no statement of the queue makes a transition that is not in the diagram")
    func statements() async throws {
        try await withServiceDatabase { kit in
            let store = JobStore(database: kit.client)
            let kind = JobKind<Int>("walk")
            let transitions: [(String, @Sendable (ClaimedJob) async throws -> Void)] = [
                ("claim", { _ in _ = try await store.claim(kind: "walk", lease: .seconds(30), limit: 1) }),
                ("renew", { _ = try await store.renew($0, lease: .seconds(30), on: kit.client) }),
                ("finish", { _ = try await store.finish($0, on: kit.client) }),
                ("retry", { _ = try await store.retry($0, after: .zero, reason: "r") }),
                ("release", { _ = try await store.release($0) }),
                ("discard", { _ = try await store.discard($0, reason: "r") }),
                ("revive", { _ = try? await kit.revive($0.id) }),
                ("withdraw", { _ in _ = try await kit.queue.withdraw(kind, unique: "u", in: kit.client) }),
            ]
            for from in [JobState.queued, .running, .dead] {
                for (name, transition) in transitions {
                    try await kit.client.execute("delete from job")
                    try await kit.queue.enqueue(kind, 1, unique: "u", in: kit.client)
                    let claim = try await store.claim(kind: "walk", lease: .zero, limit: 1)
                    let job = try #require(claim.jobs.first)
                    if from == .queued { #expect(try await store.retry(job, after: .zero, reason: "r")) }
                    if from == .dead { #expect(try await store.discard(job, reason: "r")) }
                    try await transition(job)
                    let row = try await kit.client.first("select state from job where id = \(job.id)")
                    let to = try row.map { try #require(JobState(rawValue: try $0["state"])) } ?? .done
                    // A queued job that its requester withdraws ends without having run.
                    if name == "withdraw" && from == .queued { continue }
                    #expect(to == from || from.allows(to), "\(name): \(from) to \(to)")
                }
            }
        }
    }
}
