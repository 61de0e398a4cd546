import ClubProtocol
import Foundation
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("A connection")
struct ConnectionTests {
    /// Sends, and reads until the service closes.
    private func exchange(
        _ text: String, limits: (inout HTTPLimits) -> Void = { _ in }, endsSending: Bool = false
    ) async throws -> String {
        nonisolated(unsafe) var answer = ""
        try await withTickets(limits: limits) { tickets in
            let text = text.replacing("TOKEN", with: try tickets.keys.token(.operator, for: .events))
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send(text)
                if endsSending { socket.endSending() }
                answer = await socket.readAll()
            }
        }
        return answer
    }

    private func isProblem(_ answer: String, _ status: Int) -> Bool {
        answer.hasPrefix("HTTP/1.1 \(status) ") && answer.contains("content-type: application/problem+json\r\n")
            && answer.contains("connection: close\r\n") && answer.contains("\"status\":\(status)")
    }

    @Test("stays open for the next request, and answers pipelined requests in order")
    func pipelining() async throws {
        let answer = try await exchange(
            """
            GET /v1/ping HTTP/1.1\r\nHost: a\r\nX-Request-ID: one\r\n\r\n\
            HEAD /v1/ping HTTP/1.1\r\nHost: a\r\nX-Request-ID: two\r\n\r\n\
            GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-ID: three\r\n\r\n\
            POST /v1/tickets HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n\
            Transfer-Encoding: chunked\r\nX-Request-ID: four\r\n\r\n6\r\n{"titl\r\n9\r\ne": "abc"\r\n1\r\n}\r\n0\r\n\r\n\
            GET /v1/ping HTTP/1.1\r\nHost: a\r\nX-Request-ID: five\r\nConnection: close\r\n\r\n
            """)
        let order = ["one", "two", "three", "four", "five"].map {
            answer.range(of: "x-request-id: \($0)\r\n")?.lowerBound
        }
        #expect(order.allSatisfy { $0 != nil })
        #expect(order.compactMap { $0 } == order.compactMap { $0 }.sorted())
        #expect(answer.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
        #expect(answer.contains("HTTP/1.1 201 Created"))
        #expect(answer.components(separatedBy: "{\"pong\":true}").count == 3)
        #expect(answer.contains("GMT\r\n"))
    }

    @Test("with HTTP/1.0 closes after the response")
    func oldClients() async throws {
        let answer = try await exchange("GET /v1/ping HTTP/1.0\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(answer.contains("connection: close"))
        let lines = try await exchange("GET /v1/ticket-lines?count=20000 HTTP/1.0\r\n\r\n")
        #expect(lines.hasSuffix("{\"number\":19999}\n"))
        #expect(!lines.contains("chunked"))
    }

    @Test("whose client closes its side after the request still gets the response")
    func halfClosed() async throws {
        let answer = try await exchange("GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n", endsSending: true)
        #expect(answer.hasSuffix("{\"pong\":true}"))
    }

    @Test(
        "that does not speak HTTP is answered 400 and closed",
        arguments: [
            "\u{16}\u{3}\u{1}\u{2}\u{0}", "GET /v1/ping\r\n\r\n", "GET /v1/ping HTTP/3.7\r\n\r\n",
            "GET /v1/ping HTTP/1.1\r\nHost: a\r\nna me: b\r\n\r\n", "GET /v1/ping HTTP/1.1\r\n\r\n",
            "GET /v1/ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
            "POST /v1/tickets HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            // Line folding (RFC 9112, 5.2), a lone CR, a space before a colon, an empty line without CR.
            "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
            "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n",
            "GET /v1/ping HTTP/1.1\r\nHost : a\r\n\r\n", "GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: b\u{0}c\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /v1/ping HTTP/0.9\r\n\r\n",
            "GET http://user:secret@a/v1/ping HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        ])
    func malformed(_ text: String) async throws {
        let answer = try await exchange(text)
        #expect(isProblem(answer, 400), "\(answer)")
    }

    @Test("with too long a line is 414, with too large a header 431, each before it has all arrived")
    func largeHeads() async throws {
        let long = String(repeating: "a", count: 9_000)
        #expect(isProblem(try await exchange("GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n"), 414))
        let endless = String(repeating: "a", count: 100_000)
        #expect(isProblem(try await exchange("GET /\(endless)"), 414))
        #expect(isProblem(try await exchange("GET /v1/ping HTTP/1.1\r\nHost: a\r\nX: \(endless)"), 431))
        let fields = (0..<40).map { "X-\($0): \(String(repeating: "b", count: 1000))\r\n" }.joined()
        #expect(isProblem(try await exchange("GET /v1/ping HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"), 431))
        let many = (0..<1000).map { "X-\($0): b\r\n" }.joined()
        #expect(isProblem(try await exchange("GET /v1/ping HTTP/1.1\r\nHost: a\r\n\(many)\r\n"), 431))
    }

    @Test("with an unknown method is 405 with the methods that the path allows, or 404")
    func methods() async throws {
        let known = try await exchange("BREW /v1/tickets HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(isProblem(known, 405))
        #expect(known.contains("allow: GET, HEAD, POST\r\n"))
        #expect(isProblem(try await exchange("BREW /coffee HTTP/1.1\r\nHost: a\r\n\r\n"), 404))
        let trace = try await exchange("TRACE /v1/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(isProblem(trace, 405))
    }

    @Test("with too long trailers is 431")
    func trailers() async throws {
        let head =
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n"
            + "Transfer-Encoding: chunked\r\n\r\ne\r\n{\"title\": \"a\"}\r\n0\r\n"
        let one = String(repeating: "a", count: 100_000)
        #expect(isProblem(try await exchange("\(head)X: \(one)\r\n\r\n"), 431))
        let many = (0..<1000).map { "X-\($0): b\r\n" }.joined()
        #expect(isProblem(try await exchange("\(head)\(many)\r\n"), 431))
        // Also after another request, and before the parser has seen a line of the next one.
        let second = try await exchange("GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n\(head)X: \(one)\r\n\r\n")
        #expect(second.hasPrefix("HTTP/1.1 200") && second.contains("HTTP/1.1 431"))
        let short = try await exchange("\(head)X: b\r\n\r\n", endsSending: true)
        #expect(short.hasPrefix("HTTP/1.1 201"))
    }

    @Test("that asks for a tunnel or another protocol is answered and closed")
    func tunnels() async throws {
        let after = "GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n"
        let tunnel = try await exchange("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n\(after)")
        #expect(isProblem(tunnel, 405))
        #expect(tunnel.contains("allow: GET, HEAD, POST, PATCH, DELETE\r\n"))
        #expect(!tunnel.contains("pong"))
        let upgrade = try await exchange(
            "GET /v1/ping HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\(after)")
        #expect(upgrade.hasPrefix("HTTP/1.1 200") && upgrade.contains("connection: close\r\n"))
        #expect(upgrade.components(separatedBy: "pong").count == 2)
    }

    @Test("with a target in asterisk or absolute form continues")
    func targets() async throws {
        let answer = try await exchange(
            """
            OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n\
            GET http://a/v1/ping HTTP/1.1\r\nHost: a\r\n\r\n\
            GET HTTPS://a HTTP/1.1\r\nHost: a\r\n\r\n\
            HEAD /v1/ticket-lines?count=50000 HTTP/1.1\r\nHost: a\r\n\r\n\
            GET /v1/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n
            """)
        let statuses = answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
        #expect(statuses == ["405", "200", "404", "200", "200"])
        #expect(!answer.contains("content-length: 0\r\n"))
    }

    @Test("whose client closes its side after three requests gets all responses, up to a malformed request")
    func halfClosedPipeline() async throws {
        let request = "GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n"
        func pongs(_ answer: String) -> Int { answer.components(separatedBy: "{\"pong\":true}").count - 1 }
        let three = try await exchange(request + request + request, endsSending: true)
        #expect(pongs(three) == 3)
        // The last one announces that no more follow; if the end of the stream arrives first, the responses are the
        // same.
        let slow = "GET /v1/naps?seconds=0 HTTP/1.1\r\nHost: a\r\n\r\n"
        let mixed = try await exchange(slow + request + slow + request, endsSending: true)
        #expect(pongs(mixed) == 2 && mixed.components(separatedBy: "{\"done\":true}").count == 3)
        #expect(pongs(try await exchange(slow + request + "GET /v1/pi", endsSending: true)) == 1)
        let broken = try await exchange(slow + request + "\u{16}\u{3}\r\n\r\n")
        #expect(pongs(broken) == 1 && broken.contains("HTTP/1.1 400 "))
    }

    @Test("with too large a body is 413 before the body has arrived, with Content-Length or in chunks")
    func largeBodies() async throws {
        let head =
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n"
        #expect(isProblem(try await exchange("\(head)Content-Length: 1000000000\r\n\r\n{"), 413))
        let chunk = "10000\r\n\(String(repeating: " ", count: 65_536))\r\n"
        let chunks = String(repeating: chunk, count: 20)
        #expect(isProblem(try await exchange("\(head)Transfer-Encoding: chunked\r\n\r\n\(chunks)"), 413))
    }

    @Test("asks for the body only when it needs it")
    func expectation() async throws {
        let head = "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        let refused = try await exchange("\(head)Content-Length: 14\r\n\r\n")
        #expect(isProblem(refused, 401))
        let taken = try await exchange(
            "\(head)Authorization: Bearer TOKEN\r\nConnection: close\r\nContent-Length: 14\r\n\r\n{\"title\": \"a\"}")
        #expect(taken.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"))
    }

    @Test("whose header is not completed is 408")
    func slowHead() async throws {
        let answer = try await exchange(
            "GET /v1/ping HTTP/1.1\r\nHos", limits: { $0.headerTimeout = .milliseconds(200) })
        #expect(isProblem(answer, 408))
    }

    @Test("whose second header is not completed is 408 too")
    func slowSecondHead() async throws {
        let answer = try await exchange(
            "GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n", limits: { $0.headerTimeout = .milliseconds(200) },
            endsSending: true)
        #expect(answer.hasPrefix("HTTP/1.1 200"))
        try await withTickets(limits: { $0.headerTimeout = .milliseconds(200) }) { tickets in
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send("GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await socket.read(until: "true}").hasPrefix("HTTP/1.1 200"))
                await socket.send("GET /v1/ping HT")
                #expect(isProblem(await socket.readAll(), 408))
            }
        }
    }

    @Test("whose body is not completed is 408, and a refused body is cut off")
    func slowBody() async throws {
        let head = "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 14\r\n"
        let stalled = try await exchange(
            "\(head)Authorization: Bearer TOKEN\r\n\r\n{\"ti", limits: { $0.bodyStall = .milliseconds(200) })
        #expect(isProblem(stalled, 408))
        let refused = try await exchange("\(head)\r\n{\"ti", limits: { $0.bodyStall = .milliseconds(200) })
        #expect(refused.hasPrefix("HTTP/1.1 401"))
        #expect(!refused.contains("HTTP/1.1 408"))
    }

    @Test("without a request is closed")
    func idle() async throws {
        #expect(try await exchange("", limits: { $0.idleTimeout = .milliseconds(200) }) == "")
    }

    @Test("that is in use is finished when the service stops, and then closed")
    func shutdown() async throws {
        try await withTickets { tickets in
            let token = try tickets.keys.token(.operator, for: .events)
            nonisolated(unsafe) var waiting: RawSocket?
            try await tickets.listening { port in
                let idle = try RawSocket(port: port)
                let socket = try RawSocket(port: port)
                waiting = socket
                await socket.send("POST /v1/gate HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\r\n")
                while tickets.desk.runs.load(ordering: .relaxed) == 0 { await Task.yield() }
                tickets.responder.drain()
                Task {
                    try await Task.sleep(for: .milliseconds(100))
                    tickets.desk.open()
                }
                withExtendedLifetime(idle) {}
            }
            let answer = await waiting?.readAll() ?? ""
            #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
            #expect(answer.hasSuffix("{\"items\":[]}"))
        }
    }
}
