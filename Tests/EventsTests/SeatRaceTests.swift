import ClubProtocol
import Logging
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Events

/// Many at once for few seats, with two clients like those of two replicas. Tests the store's SQL alone.
@Suite("Seats under a rush", .serialized)
struct SeatRaceTests {
    static let people = 500
    static let seats = 25

    @Test("500 at once for 25 seats: 25 get one, the others are waitlisted without gaps", arguments: [1, 2, 3])
    func rush(seed: UInt64) async throws {
        try await RaceStage.run(seats: Self.seats) { stage in
            let outcomes = try await stage.rush(Self.people, seed: seed, locked: true)
            let confirmed = outcomes.filter { $0 == .seat }
            let places = outcomes.compactMap(\.place).sorted()
            #expect(confirmed.count == Self.seats)
            #expect(places == Array(1...(Self.people - Self.seats)))
            #expect(try await stage.counted() == [Self.seats, Self.seats, Self.people - Self.seats])
        }
    }

    @Test("without lock and constraint, the same run oversells")
    func rushWithoutGuard() async throws {
        try await RaceStage.run(seats: Self.seats) { stage in
            try await stage.removeGuard()
            let outcomes = try await stage.rush(Self.people, seed: 4, locked: false)
            #expect(outcomes.count { $0 == .seat } > Self.seats)
        }
    }

    @Test("without the lock, the database still refuses one seat too many")
    func rushWithGuardAlone() async throws {
        try await RaceStage.run(seats: Self.seats) { stage in
            let outcomes = try await stage.rush(Self.people, seed: 5, locked: false)
            #expect(outcomes.count { $0 == .seat } == Self.seats)
            #expect(outcomes.contains(.refused))
        }
    }

    @Test("a second session takes nothing from the first, and choosing both does not deadlock")
    func twoSessions() async throws {
        try await RaceStage.run(seats: Self.seats) { stage in
            let other = try await stage.addSession(seats: Self.seats)
            let outcomes = try await stage.rush(100, seed: 6, locked: true) { generator in
                generator.next() & 1 == 0 ? [stage.session, other] : [other, stage.session]
            }
            #expect(outcomes.count { $0 == .seat } == 2 * Self.seats)
            #expect(!outcomes.contains(.refused))
        }
    }
}

/// A published event with one session, and two clients of its database.
struct RaceStage: Sendable {
    enum Outcome: Hashable, Sendable {
        case seat
        case line(Int)
        /// The database refused it.
        case refused

        var place: Int? { if case .line(let place) = self { place } else { nil } }
    }

    let event = Event.ID()
    let session = Session.ID()
    let clients: [PostgresClient]
    let owner: PostgresClient

    static func run(seats: Int, _ body: (RaceStage) async throws -> Void) async throws {
        let migrator = EventsApplication.migrator(runtimeRole: EventsApplication.name.rawValue)
        try await withDatabase(migratedBy: [migrator]) { database in
            let patient: (inout PostgresConfiguration) -> Void = { $0.acquireTimeout = .seconds(60) }
            try await database.withClient(as: "events", adjust: patient) { first in
                try await database.withClient(as: "events", adjust: patient) { second in
                    try await database.withClient(as: TestRoles.migrator, searchPath: "events") { owner in
                        let stage = RaceStage(clients: [first, second], owner: owner)
                        try await stage.prepare(seats: seats)
                        try await body(stage)
                    }
                }
            }
        }
    }

    private func prepare(seats: Int) async throws {
        try await owner.execute(
            """
            insert into event (id, title, kind, state, starts_at, ends_at, venue)
            values (\(event), 'Rencontre', 'regionalMeeting', 'published', now() + '1 day', now() + '2 days', 'Pau')
            """)
        try await insert(session, seats: seats)
    }

    func addSession(seats: Int) async throws -> Session.ID {
        let id = Session.ID()
        try await insert(id, seats: seats)
        return id
    }

    private func insert(_ id: Session.ID, seats: Int) async throws {
        try await owner.execute(
            """
            insert into session (id, event, title, kind, starts_at, ends_at, capacity)
            select \(id), id, 'Atelier', 'workshop', starts_at, ends_at, \(seats) from event where id = \(event)
            """)
    }

    /// Removes the database's own protection against overselling.
    func removeGuard() async throws {
        try await owner.execute("alter table session drop constraint session_never_oversold")
    }

    /// `people` register at once, in an order and on replicas determined by the seed.
    func rush(
        _ people: Int, seed: UInt64, locked: Bool,
        choices: ((inout SeededGenerator) -> [Session.ID])? = nil
    ) async throws -> [Outcome] {
        var generator = SeededGenerator(seed: seed)
        return try await withThrowingTaskGroup(of: Outcome.self) { group in
            for _ in 0..<people {
                let client = clients[Int(generator.next() % UInt64(clients.count))]
                let choices = choices?(&generator) ?? [session]
                group.addTask { try await take(choices, on: client, locked: locked) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func take(_ choices: [Session.ID], on client: PostgresClient, locked: Bool) async throws -> Outcome {
        let person = PersonCopy(id: Person.ID(), name: "Ana Etcheverry", version: 1, gone: false)
        let take = RegistrationStore.take(
            Registration.ID(), event: event, choices: choices, person: person, note: nil)
        do {
            let row = try await client.transaction { transaction in
                try await transaction.batch(locked ? [SeatStore.lock(choices), take] : [take]).last?.first
            }
            let taken = try #require(row)
            return switch try taken["state", as: Registration.State.self] {
            case .confirmed: .seat
            default: .line(try taken["place"])
            }
        } catch let error as PostgresError where error.constraint == "session_never_oversold" {
            return .refused
        }
    }

    /// The seats taken according to the registrations, and the session's counts: seats, waitlisted.
    func counted() async throws -> [Int] {
        let row = try #require(
            try await owner.query(
                """
                select (select count(*) from registration where session = \(session) and state = 'confirmed') as taken,
                    confirmed, waitlisted
                from session where id = \(session)
                """
            ).first)
        return [try row["taken"], try row["confirmed"], try row["waitlisted"]]
    }
}

/// SplitMix64: the same order for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
