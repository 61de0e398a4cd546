import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// An undo while the survivor of its merge is being merged into another record.
@Suite("an undo concurrent with a merge", .serialized)
struct MergeRaceTests {
    private struct Outcome {
        var status: Int
        var slug: String?
        /// The survivor of both merges, once both have ended.
        var survivor: Person
        /// The record merged by the later merge.
        var last: Person
    }

    @Test("an undo that begins during a merge into the same survivor waits for it, and is refused")
    func waits() async throws {
        let outcome = try await race { try await MergeStore.lockMerges(in: $0) }
        #expect(outcome.status == 409 && outcome.slug == "merge-followed")
        #expect(outcome.survivor.organization == outcome.last.organization)
    }

    @Test("without the lock, the undo removes what the merge gave the survivor")
    func withoutTurn() async throws {
        let outcome = try await race { _ in }
        #expect(outcome.status == 200)
        #expect(outcome.survivor.organization == nil)
    }

    /// A merge is half done when the undo of the previous one begins.
    ///
    /// - Parameter begin: how the merge begins.
    private func race(_ begin: @escaping @Sendable (PostgresTransaction) async throws -> Void) async throws -> Outcome {
        try await withDirectory { directory in
            let own = try await directory.person("Ana", "A")
            let other = try await directory.person("Ana", "B")
            let home = try await directory.organization("Maison")
            let last = try await directory.person("Ana", "C", organization: home.id)
            let first = try await directory.merge(other.id.record, into: own.id.record, .person)
            return try await directory.database.withClient(searchPath: "directory") { client in
                let undo = try await client.transaction { transaction in
                    try await begin(transaction)
                    try await merge(last, into: own, in: transaction)
                    let undo = Task {
                        try await directory.ask(.post, "/v1/merges/\(first.id)/undo", json: "{}")
                    }
                    try await eventually("the undo waits") {
                        let waiting = try await client.first(
                            """
                            select pid from pg_stat_activity
                            where datname = current_database() and wait_event_type = 'Lock'
                            """)
                        return waiting != nil
                    }
                    return undo
                }
                let answer = try await undo.value
                return Outcome(
                    status: answer.status, slug: answer.status == 200 ? nil : try answer.problem().slug,
                    survivor: try await directory.person(own.id), last: last)
            }
        }
    }

    /// What the route does, except for its beginning.
    private func merge(_ merged: Person, into survivor: Person, in transaction: PostgresTransaction) async throws {
        let body = MergeRecords.Body(kind: .person, survivor: survivor.id.record, merged: merged.id.record)
        try await ConsentStore.setProvenanceOfMerge(in: transaction)
        let images = try await MergeStore.lock(body, in: transaction)
        let changes = try MergeRules.changes(of: images.survivor, with: images.merged, choices: [:])
        let step = try await MergeStore.absorb(
            MergeStore.table(.person), body.survivor, body.merged, in: transaction)
        _ = try await MergeStore.write(changes, into: body.survivor, .person, in: transaction)
        _ = try await MergeStore.insert(
            Merge.ID(), body, before: images.survivor, fields: [], steps: [step], by: .service(.directory),
            in: transaction)
    }
}
