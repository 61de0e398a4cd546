import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import ServiceKit
import TestKit
import Testing

/// Everyone wants a seat at once, with two processes of the events service.
@Suite("registration rush", .serialized)
struct RegistrationRushTests {
    private static let people = 500
    private static let seats = 25

    /// Three rounds in a short run; `LONG_TESTS=1` runs the full ten.
    private static var rounds: Int { ProcessInfo.processInfo.environment["LONG_TESTS"] == nil ? 3 : 10 }

    @Test("500 at once for 25 seats: 25 confirmed, the others waitlisted without a gap, none turned away")
    func rush() async throws {
        try await TestClub.run([.directory, .events], replicas: [.events]) { club in
            let people = try await makePeople(in: club)
            for round in 0..<Self.rounds {
                let event = try await makeEvent(in: club)
                let statuses = try await registerAll(
                    people, shuffledBy: UInt64(round), for: event, in: club)
                #expect(statuses == [201: Self.people])
                try await expectFairLine(event, in: club)
            }
        }
    }

    private func makePeople(in club: TestClub) async throws -> [Person.ID] {
        let directory = try club.client(.directory)
        return try await withThrowingTaskGroup(of: Person.ID.self) { group in
            for number in 0..<Self.people {
                group.addTask {
                    try await directory.send(
                        CreatePerson.request(
                            body: .init(
                                givenName: "Camille", familyName: Line(validating: "Numéro \(number)"),
                                email: EmailAddress(validating: "camille.\(number)@conseil.example")))
                    ).id
                }
            }
            var identifiers: [Person.ID] = []
            for try await identifier in group { identifiers.append(identifier) }
            return identifiers.sorted()
        }
    }

    private func makeEvent(in club: TestClub) async throws -> Event.ID {
        let events = try club.client(.events)
        let start = Timestamp.now.advanced(by: .seconds(30 * 86_400))
        let event = try await events.send(
            CreateEvent.request(
                body: .init(
                    title: "Rencontre régionale", kind: .regionalMeeting, startsAt: start,
                    endsAt: start.advanced(by: .seconds(7200)), venue: "Pau")))
        _ = try await events.send(
            AddSession.request(
                path: event.id, body: .init(title: "Atelier", kind: .workshop, capacity: Self.seats)))
        _ = try await events.send(TransitionEvent.request(path: event.id, body: .init(to: .published)))
        return event.id
    }

    /// Sends every request on a connection of its own, in an order determined by the seed, alternating between the
    /// replicas; returns how many got which status.
    private func registerAll(
        _ people: [Person.ID], shuffledBy seed: UInt64, for event: Event.ID, in club: TestClub
    ) async throws -> [Int: Int] {
        var generator = SeededGenerator(state: seed)
        let order = people.shuffled(using: &generator)
        let urls = club.processes(of: .events).map { "\($0.url)/v1/events/\(event)/registrations" }
        let token = try club.token()
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(30), read: .seconds(60)))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.people
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        defer { http.shutdown { _ in } }
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for (index, person) in order.enumerated() {
                var request = HTTPClientRequest(url: urls[index % urls.count])
                request.method = .POST
                request.headers = [
                    "Authorization": "Bearer \(token)", "Content-Type": "application/json", "Connection": "close",
                    "Idempotency-Key": "\(event)-\(person)",
                ]
                request.body = .bytes(ByteBuffer(string: #"{"person":"\#(person)","choices":[]}"#))
                group.addTask { [request] in
                    Int(try await http.execute(request, timeout: .seconds(60)).status.code)
                }
            }
            var statuses: [Int: Int] = [:]
            for try await status in group { statuses[status, default: 0] += 1 }
            return statuses
        }
    }

    private func expectFairLine(_ event: Event.ID, in club: TestClub) async throws {
        let events = try club.client(.events)
        var registrations: [Registration] = []
        var cursor: Cursor?
        repeat {
            let page = try await events.send(
                ListRegistrations.request(
                    path: event, query: .init(limit: 200, cursor: cursor), body: Empty()))
            registrations += page.items
            cursor = page.next
        } while cursor != nil
        #expect(registrations.count == Self.people)
        #expect(registrations.count { $0.state == .confirmed } == Self.seats)
        let places = registrations.filter { $0.state == .waitlisted }.compactMap(\.place).sorted()
        #expect(places == Array(1...(Self.people - Self.seats)))
    }
}

/// The same order for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
