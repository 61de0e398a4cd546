import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Several experts accept the last place at the same time.
@Suite("a rush for the last place", .serialized)
struct ReferralRaceTests {
    @Test("five accept at once over HTTP: one gets the place, the others are told that it is taken")
    func overHTTP() async throws {
        try await withDirectory { directory in
            let stage = try await Stage.make(directory)
            for _ in 0..<4 {
                let offers = try await stage.offers()
                let answers = try await withThrowingTaskGroup(of: RawAnswer.self) { group in
                    for offer in offers {
                        group.addTask {
                            try await directory.ask(
                                .patch, "/v1/referral-offers/\(offer.id)", as: .expert,
                                organization: offer.expert.claim,
                                ifMatch: 1, json: #"{"state":"accepted"}"#)
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.count { $0.status == 200 } == 1)
                #expect(answers.count { $0.status == 409 } == 4)
                #expect(
                    try answers.filter { $0.status == 409 }.allSatisfy { try $0.problem().slug == "referral-taken" })
                #expect(try await stage.taken(offers) == 1)
            }
        }
    }

    @Test("without the lock, the database still refuses one place too many")
    func guardAlone() async throws {
        try await withDirectory { directory in
            let stage = try await Stage.make(directory)
            let offers = try await stage.offers()
            #expect(try await stage.acceptAll(offers) == 1)
            #expect(try await stage.taken(offers) == 1)
        }
    }

    @Test("without lock and constraint, all of them get the place")
    func withoutGuard() async throws {
        try await withDirectory { directory in
            let stage = try await Stage.make(directory)
            try await directory.database.withClient { client in
                try await client.execute("alter table directory.referral drop constraint referral_places_check")
            }
            let offers = try await stage.offers()
            #expect(try await stage.acceptAll(offers) == 5)
            #expect(try await stage.taken(offers) == 5)
        }
    }

    @Test("an expert that is leaving is not asked: the request waits, and finds that it has left")
    func leaving() async throws {
        #expect(try await askedWhileLeaving { try await ReferralOfferStore.hold($0, in: $1) } == 0)
    }

    @Test("without locking the expert, an offer remains that is never withdrawn")
    func leavingWithoutGuard() async throws {
        #expect(try await askedWhileLeaving { _, _ in } == 1)
    }

    /// Asks an expert while the transaction in which it leaves is open.
    ///
    /// - Returns: how many of its offers then wait for an answer.
    private func askedWhileLeaving(
        _ hold: @escaping @Sendable ([Expert.ID], PostgresTransaction) async throws -> Void
    ) async throws -> Int {
        try await withDirectory { directory in
            let stage = try await Stage.make(directory)
            let operating = try directory.client(.operator)
            let referral = try await operating.send(
                CreateReferral.request(
                    body: .init(topics: ["cloud"], postalCode: "64000", description: "Une caisse.")))
            let expert = try #require(stage.experts.first).id
            let (held, letGo) = AsyncStream<Void>.makeStream()
            let (moved, move) = AsyncStream<Void>.makeStream()
            return try await directory.database.withClient(searchPath: "directory") { client in
                async let leaving: Void = client.transaction { transaction in
                    defer { move.finish() }
                    try await EnrolmentTransitions(backend: directory.backend).transition(
                        .expert(expert), to: .left, by: Principal(subject: "test", role: .operator), in: transaction)
                    move.finish()
                    for await _ in held {}
                }
                for await _ in moved {}
                async let asking: Void = client.transaction { transaction in
                    try await hold([expert], transaction)
                    _ = try await ReferralOfferStore.send(
                        referral, to: [expert], ids: [ReferralOffer.ID()], answerBy: Day.today.adding(days: 7),
                        in: transaction)
                }
                // Committed once the request waits for the expert; without the lock, it has ended by then.
                for _ in 1...100 {
                    let waiting = try await client.first(
                        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                    if waiting != nil { break }
                    try await Task.sleep(for: .milliseconds(10))
                }
                letGo.finish()
                try await leaving
                try await asking
                return try await client.first(
                    "select count(*) as count from referral_offer where expert = \(expert) and state = 'sent'")?[
                        "count"] ?? -1
            }
        }
    }

    /// Five experts who can be asked, and the staff who ask them.
    private struct Stage {
        let directory: TestService
        let experts: [Expert]

        static func make(_ directory: TestService) async throws -> Stage {
            var experts: [Expert] = []
            for number in 0..<5 {
                experts.append(
                    try await directory.expert(Line(validating: "Expert \(number)")) {
                        $0.topics = ["cloud"]
                        $0.consents = ConsentChoices(publicDirectory: true)
                    })
            }
            return Stage(directory: directory, experts: experts)
        }

        /// A new referral with one place, sent to all five.
        func offers() async throws -> [ReferralOffer] {
            let operating = try directory.client(.operator)
            let referral = try await operating.send(
                CreateReferral.request(
                    body: .init(topics: ["cloud"], postalCode: "64000", description: "Une caisse.")))
            return try await operating.send(
                SendReferral.request(path: referral.id, body: .init(experts: experts.map(\.id)))
            ).items
        }

        /// All of them at once, by the store's statement alone, without locking the referral first.
        ///
        /// - Returns: how many the database gave the place to.
        func acceptAll(_ offers: [ReferralOffer]) async throws -> Int {
            try await directory.database.withClient(searchPath: "directory") { client in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for offer in offers {
                        group.addTask {
                            do {
                                try await client.transaction { transaction in
                                    try await ReferralOfferStore.transition(
                                        offer.id, .init(state: .accepted), in: transaction)
                                }
                                return true
                            } catch let error as PostgresError where error.constraint == "referral_places_check" {
                                return false
                            }
                        }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
            }
        }

        func taken(_ offers: [ReferralOffer]) async throws -> Int {
            let offer = try #require(offers.first)
            return try await directory.client(.operator).send(
                GetReferral.request(path: offer.referral)
            ).taken
        }
    }
}
