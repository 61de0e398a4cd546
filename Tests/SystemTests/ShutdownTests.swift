import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import ServiceKit
import Synchronization
import TestKit
import Testing

/// A service is told to stop while it works.
@Suite("shutdown", .serialized)
struct ShutdownTests {
    @Test("SIGTERM under load: every 201 is stored, no response is 5xx, and it exits by itself")
    func underLoad() async throws {
        try await TestClub.run([.directory], settings: ["DRAIN_SECONDS": "1"]) { club in
            let directory = club[.directory]
            let token = try club.token()
            let tally = Tally()
            let http = HTTPClient(eventLoopGroupProvider: .singleton)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<16 {
                    group.addTask {
                        // Until the listener is closed; bounded all the same.
                        for number in 0..<5000 {
                            var request = HTTPClientRequest(url: "\(directory.url)/v1/people")
                            request.method = .POST
                            request.headers = [
                                "Authorization": "Bearer \(token)", "Content-Type": "application/json",
                            ]
                            request.body = .bytes(
                                ByteBuffer(string: #"{"givenName":"Luc","familyName":"Essai \#(worker) \#(number)"}"#))
                            guard let response = try? await http.execute(request, timeout: .seconds(10)) else { return }
                            let body = try await response.body.collect(upTo: 1 << 20)
                            if response.status == .created {
                                let person = try JSONDecoder().decode(
                                    JSONValue.self, from: Data(body.readableBytesView))
                                tally.created.withLock { $0.append(person["id"]?.string ?? "") }
                            } else {
                                tally.broken.withLock { $0.append(Int(response.status.code)) }
                            }
                        }
                    }
                }
                for _ in 0..<500 where tally.created.withLock({ $0.count }) < 50 {
                    try await Task.sleep(for: .milliseconds(10))
                }
                directory.signal(SIGTERM)
                try await directory.waitForReadiness(503, seconds: 2)
                #expect(await directory.waitForExit(seconds: 25) == 0)
                try await group.waitForAll()
            }
            try await http.shutdown()
            #expect(tally.broken.withLock { $0 } == [])
            let answered = Set(tally.created.withLock { $0 })
            #expect(answered.count >= 50)
            let stored = try await club.database.withClient { client in
                try await Set(
                    client.query("select id::text as id from directory.person").map { try $0["id", as: String.self] })
            }
            // A request whose response was cut off would be stored without one: there are none of those either.
            #expect(stored == answered)
        }
    }

    @Test("a second signal ends it at once")
    func secondSignal() async throws {
        try await TestClub.run([.directory], settings: ["DRAIN_SECONDS": "10"]) { club in
            club[.directory].signal(SIGTERM)
            try await club[.directory].waitForReadiness(503, seconds: 5)
            club[.directory].signal(SIGTERM)
            #expect(await club[.directory].waitForExit(seconds: 5) != nil)
        }
    }
}

/// The responses: the identifiers of 201s, the statuses of all others.
private final class Tally: Sendable {
    let created = Mutex<[String]>([])
    let broken = Mutex<[Int]>([])
}
