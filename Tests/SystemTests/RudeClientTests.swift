import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import TestKit
import Testing

/// Clients that hold on to connections must not affect others.
@Suite("rude clients", .serialized)
struct RudeClientTests {
    @Test("with 5,000 silent sockets, health and API still respond")
    func idleSockets() async throws {
        try await TestClub.run([.directory]) { club in
            let directory = club[.directory]
            let token = try club.token()
            let sockets = try (0..<5000).map { _ in try RawSocket(port: directory.port) }
            var slowest = Duration.zero
            for _ in 0..<100 {
                let begin = ContinuousClock.now
                #expect(await directory.health("ready") == 200)
                slowest = max(slowest, ContinuousClock.now - begin)
            }
            print("\(sockets.count) idle sockets: the slowest of 100 health answers took \(slowest)")
            var request = HTTPClientRequest(url: "\(directory.url)/v1/people")
            request.headers = ["Authorization": "Bearer \(token)"]
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            #expect(response.status == .ok)
            withExtendedLifetime(sockets) {}
        }
    }

    @Test("a header that arrives byte by byte and a body that stalls are cut off with 408 while others are served")
    func slowSenders() async throws {
        try await TestClub.run([.directory]) { club in
            let directory = club[.directory]
            let token = try club.token()
            let slow = Task {
                let socket = try RawSocket(port: directory.port)
                let begin = ContinuousClock.now
                for byte in "GET /v1/people HTTP/1.1\r\nHost: club\r\nX-Slow: \(String(repeating: "a", count: 200))"
                    .utf8
                {
                    guard await socket.send([byte]) else { break }
                    try await Task.sleep(for: .milliseconds(100))
                    if ContinuousClock.now - begin > .seconds(20) { break }
                }
                return await socket.readAll()
            }
            let stalled = Task {
                let socket = try RawSocket(port: directory.port)
                await socket.send(
                    "POST /v1/people HTTP/1.1\r\nHost: club\r\nAuthorization: Bearer \(token)\r\n"
                        + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"givenName\":")
                return await socket.readAll()
            }
            #expect(try await slow.value.hasPrefix("HTTP/1.1 408"))
            #expect(try await stalled.value.hasPrefix("HTTP/1.1 408"))
            #expect(await directory.health("ready") == 200)
        }
    }
}
