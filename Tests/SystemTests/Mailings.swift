import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit

/// One issue after another, sent through whichever of the senders answers.
struct Mailings: Sendable {
    /// The counts of an edition do not add up to its addresses, or an issue never ends.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let club: TestClub
    private let readers: Int
    private let seed: UInt64
    private let senders: [ServiceClient]

    init(of club: TestClub, to readers: Int, seed: UInt64) throws {
        self.club = club
        self.readers = readers
        self.seed = seed
        senders = try club.processes(of: .content).map { try club.client($0) }
    }

    /// Sends until `end`, and waits until all that was begun has been sent, at most five minutes.
    ///
    /// - Returns: the deliveries of each issue.
    /// - Throws: ``Failure`` if ever an address is missing from the counts of an issue, or is counted twice.
    func run(until end: ContinuousClock.Instant) async throws -> [[Delivery]] {
        try await club.database.withClient(searchPath: "content") { try await run(until: end, passingTimeBy: $0) }
    }

    private func run(
        until end: ContinuousClock.Instant, passingTimeBy database: PostgresClient
    ) async throws -> [[Delivery]] {
        var issues: [ClubProtocol.Issue.ID] = []
        var open: [ClubProtocol.Issue.ID: Edition?] = [:]
        while ContinuousClock.now < end || !open.isEmpty {
            guard ContinuousClock.now < end + .seconds(300) else {
                throw Failure(description: "seed \(seed): in vain waited for the end of: \(open)")
            }
            // The next one begins when few are left of those before.
            if ContinuousClock.now < end, open.values.allSatisfy({ $0.map { left(of: $0) <= readers / 10 } ?? false }) {
                let next = try await begin()
                issues.append(next)
                open[next] = .some(nil)
            }
            for issue in open.keys {
                guard let now = try? await ask(GetIssue.request(path: issue)) else { continue }
                let edition = now.editions.first { $0.audience == .experts }
                if let edition, edition.resolved, edition.counts.total != readers {
                    throw Failure(description: "seed \(seed): \(edition.counts) of \(readers)")
                }
                open[issue] = .some(edition.flatMap { $0.resolved ? $0 : nil })
                if now.state == .sent { open[issue] = nil }
            }
            await passTime(by: database)
            try await Task.sleep(for: .milliseconds(200))
        }
        var ledger: [[Delivery]] = []
        for issue in issues { ledger.append(try await deliveries(of: issue)) }
        return ledger
    }

    private func left(of edition: Edition) -> Int { edition.counts.pending + edition.counts.sending }

    private func begin() async throws -> ClubProtocol.Issue.ID {
        let issue = try await persistently("an issue") {
            try await ask(CreateIssue.request(body: .init(title: "Flash info de l'été"))).id
        }
        _ = try await persistently("an item") {
            try await ask(
                AddIssueItem.request(
                    path: issue, body: .init(kind: .technical, title: "Une nouvelle", text: "Un texte accentué.")))
        }
        // It may be sending, although the response was lost.
        _ = try await persistently("an issue is sending") {
            guard try await ask(GetIssue.request(path: issue)).state == .draft else { return }
            _ = try await ask(TransitionIssue.request(path: issue, body: .init(to: .sending)))
        }
        return issue
    }

    private func deliveries(of issue: ClubProtocol.Issue.ID) async throws -> [Delivery] {
        var all: [Delivery] = []
        var cursor: Cursor?
        repeat {
            let query = ListDeliveries.Query(limit: 200, cursor: cursor)
            let page = try await persistently("a page of deliveries") {
                try await ask(ListDeliveries.request(path: issue, query: query, body: Empty()))
            }
            all += page.items
            cursor = page.next
        } while cursor != nil
        return all
    }

    /// Asks any of the senders. One that is paused does not answer.
    private func ask<E: Endpoint>(_ request: Request<E>) async throws -> E.Response {
        guard let sender = senders.randomElement() else { throw Failure(description: "no sender") }
        return try await sender.send(request, timeout: .seconds(3))
    }

    private func persistently<Result>(_ what: String, _ body: () async throws -> Result) async throws -> Result {
        var result: Result?
        try await eventually(what) {
            result = try? await body()
            return result != nil
        }
        guard let result else { throw Failure(description: what) }
        return result
    }

    /// What was postponed is due at once: its waits of minutes and hours are not what is tested here.
    private func passTime(by database: PostgresClient) async {
        _ = try? await database.execute(
            "update outgoing_mail set due_at = now() where state = 'pending' and sender is null and due_at > now()")
        _ = try? await database.execute(
            "update mail_lane set wait_until = null, wait_seconds = 0, refusals = 0 where wait_until > now()")
    }
}
