import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import ServiceKit
import TestKit
import Testing

/// Dependencies go away and come back.
@Suite("outages", .serialized)
struct OutageTests {
    @Test(
        "the database stops: live stays, ready does not, requests end with a problem; it returns: ready again by itself"
    )
    func database() async throws {
        try await TestCluster.private { cluster in
            try await TestClub.run([.directory], on: cluster) { club in
                let directory = club[.directory]
                let pid = directory.pid
                for mode in [TestCluster.StopMode.immediate, .fast] {
                    try cluster.stop(mode)
                    try await directory.waitForReadiness(503, seconds: 2)
                    #expect(await directory.health("live") == 200)
                    let answers = try await askManyTimes(directory, token: try club.token())
                    #expect(answers.allSatisfy { $0.status == 503 && $0.type == "application/problem+json" })
                    #expect(answers.allSatisfy { $0.retryAfter != nil })
                    try cluster.start()
                    try await directory.waitForReadiness(200, seconds: 5)
                    #expect(try await askOnce(directory, token: try club.token()).status == 200)
                }
                #expect(directory.pid == pid)
            }
        }
    }

    @Test("the database's connections are cut: the next request works")
    func connectionsCut() async throws {
        try await TestClub.run([.directory]) { club in
            for _ in 0..<5 {
                try await club.database.cluster.terminateAllConnections(club.database.name)
                try await club[.directory].waitForReadiness(200, seconds: 5)
                #expect(try await askOnce(club[.directory], token: try club.token()).status == 200)
            }
        }
    }

    @Test("the directory stops: events stays ready with a warning, answers in time, and continues when it is back")
    func peer() async throws {
        try await TestClub.run([.directory, .events]) { club in
            let events = try club.client(.events)
            let start = Timestamp.now.advanced(by: .seconds(86_400))
            let event = try await events.send(
                CreateEvent.request(
                    body: .init(
                        title: "Forum", kind: .ambassadorForum, startsAt: start,
                        endsAt: start.advanced(by: .seconds(3600)), venue: "Paris")))
            _ = try await events.send(
                AddSession.request(
                    path: event.id, body: .init(title: "Plénière", kind: .plenary, capacity: 10)))
            _ = try await events.send(
                TransitionEvent.request(path: event.id, body: .init(to: .published)))

            for signal in [SIGSTOP, SIGKILL] {
                club[.directory].signal(signal)
                // A person unknown to events: it has to ask the directory, which does not respond.
                let answer = try await HTTPClient.shared.execute(
                    registration(of: Person.ID(), for: event.id, in: club), timeout: .seconds(10))
                #expect([503, 504].contains(answer.status.code))
                #expect(answer.headers.first(name: "Content-Type") == "application/problem+json")
                #expect(await club[.events].health("ready") == 200)
                try await expectWarning(club[.events])
                if signal == SIGSTOP { club[.directory].signal(SIGCONT) }
                if signal == SIGKILL {
                    await club[.directory].waitForExit()
                    try await club[.directory].start()
                }
                let person = try await club.client(.directory).send(
                    CreatePerson.request(body: .init(givenName: "Inès", familyName: "Roux")))
                try await registerWhenBack(person.id, for: event.id, with: events)
            }
        }
    }

    // MARK: Steps

    private struct Answer: Sendable {
        var status: Int
        var type: String?
        var retryAfter: String?
    }

    private func askOnce(_ service: ServiceProcess, token: String) async throws -> Answer {
        var request = HTTPClientRequest(url: "\(service.url)/v1/experts")
        request.headers = ["Authorization": "Bearer \(token)"]
        // Ends within two seconds or fails the test.
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(2))
        return Answer(
            status: Int(response.status.code), type: response.headers.first(name: "Content-Type"),
            retryAfter: response.headers.first(name: "Retry-After"))
    }

    private func askManyTimes(_ service: ServiceProcess, token: String) async throws -> [Answer] {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<20 { group.addTask { try await askOnce(service, token: token) } }
            var answers: [Answer] = []
            for try await answer in group { answers.append(answer) }
            return answers
        }
    }

    private func registration(
        of person: Person.ID, for event: Event.ID, in club: TestClub
    ) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "\(club[.events].url)/v1/events/\(event)/registrations")
        request.method = .POST
        request.headers = [
            "Authorization": "Bearer \(try club.token())", "Content-Type": "application/json", "Club-Timeout": "3000",
        ]
        request.body = .bytes(ByteBuffer(string: #"{"person":"\#(person)","choices":[]}"#))
        return request
    }

    private func expectWarning(_ service: ServiceProcess) async throws {
        for _ in 0..<50 {
            let response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "\(service.operatorURL)/health/ready"), timeout: .seconds(3))
            let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
            if body.contains(#""warn""#), body.contains("directory") { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ServiceProcess.Failure(description: "no warning about the directory")
    }

    /// The circuit breaker lets a call through again after a moment.
    private func registerWhenBack(_ person: Person.ID, for event: Event.ID, with events: ServiceClient) async throws {
        for attempt in 1...50 {
            do {
                let registration = try await events.send(
                    RegisterForEvent.request(path: event, body: .init(person: person)))
                #expect(registration.state == .confirmed)
                return
            } catch {
                if attempt == 50 { throw error }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
