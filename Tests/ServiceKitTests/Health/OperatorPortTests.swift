import ClubProtocol
import Foundation
import Logging
import TestKit
import Testing

@testable import ServiceKit

@Suite("The operator port")
struct OperatorPortTests {
    @Test("accepts no request that the API does not accept, and responds in the same way")
    func rules() async throws {
        let long = String(repeating: "a", count: 20_000)
        let requests: [(text: String, status: Int)] = [
            ("GET PATH HTTP/1.1\r\n\r\n", 400), ("GET PATH HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            ("GET PATH HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("GET PATH HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n", 417),
            ("GET PATH HTTP/1.1\r\nHost: a\r\nX: é\r\n\r\n", 400),
            ("GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            ("GET PATH HTTP/1.1\r\nHost: a\r\nX: \(long)\(long)\r\n\r\n", 431),
            ("GET PATH HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
            ("GET PATH HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("\u{16}\u{3}\u{1}\r\n\r\n", 400), ("BREW PATH HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\nGET PATH HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ]
        try await withService(NoteService.self) { (service) async throws in
            for (port, path) in [(service.operatorPort, "/health/live"), (service.apiPort, "/v1/notes")] {
                for request in requests {
                    let socket = try RawSocket(port: port)
                    await socket.send(request.text.replacing("PATH", with: path))
                    let answer = await socket.readAll()
                    #expect(
                        answer.hasPrefix("HTTP/1.1 \(request.status) "), "\(path) \(request.text.prefix(80)) \(answer)")
                    #expect(answer.contains("content-type: application/problem+json\r\n"))
                    #expect(answer.contains("x-content-type-options: nosniff\r\n"))
                    #expect(answer.contains("connection: close\r\n"))
                    #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2)
                }
            }
        }
    }

    @Test("answers and closes a request for another protocol, so that no one waits for unread bytes")
    func upgrade() async throws {
        try await withService(NoteService.self) { (service) async throws in
            let socket = try RawSocket(port: service.operatorPort)
            let request = "GET /health/live HTTP/1.1\r\nHost: a\r\n"
            await socket.send("\(request)\r\n\(request)Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n\(request)\r\n")
            let answer = await socket.readAll()
            #expect(
                answer.components(separatedBy: "HTTP/1.1 200").count == 3 && answer.contains("connection: close\r\n"))
        }
    }

    @Test("discards a request's body, and refuses a long one")
    func bodies() async throws {
        try await withService(NoteService.self) { (service) async throws in
            let head = "GET /health/live HTTP/1.1\r\nHost: a\r\n"
            let socket = try RawSocket(port: service.operatorPort)
            await socket.send("\(head)Content-Length: 3\r\n\r\nabc\(head)Connection: close\r\n\r\n")
            #expect(await socket.readAll().components(separatedBy: "HTTP/1.1 200").count == 3)
            let long = try RawSocket(port: service.operatorPort)
            await long.send("\(head)Content-Length: 100000\r\n\r\n\(String(repeating: "a", count: 100_000))")
            #expect(await long.readAll().hasPrefix("HTTP/1.1 413 "))
        }
    }
}
