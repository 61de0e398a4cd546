import ClubProtocol
import Foundation
import HTTPTypes
import NIOHTTP1
import TestKit
import Testing

@testable import ServiceKit

@Suite("The syntax of a request")
struct WireRuleTests {
    private func head(host: String, target: String = "/v1/ping") -> RequestHead {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target)
        head.headers.add(name: "Host", value: host)
        return RequestHead(head, from: Peer(client: ClientAddress(IPAddress("127.0.0.1")), proxies: nil))
    }

    @Test("Host is a host, with or without a port; anything else is 400 (RFC 9112, 3.2)")
    func host() {
        for host in [
            "", "a", "club.example", "club.example:8080", "club.example:", "192.0.2.1:80", "[2001:db8::1]", "[::1]:80",
            "xn--caf-dma.example", "caf%C3%A9.example", "a_b", "a~b!$&'()*+;=", "[v7.a:b]", "localhost:00080",
        ] {
            #expect(head(host: host).fault == nil, "\(host)")
        }
        for host in [
            "a b/c@d", "a,b", "a b", "a/b", "user@a", "a:80:80", "a:x", "a:-1", "a%", "a%C", "a%GG", "[::1", "::1",
            "[::1]80", "[]", "[192.0.2.1]", "[fe80::1%eth0]", "[fe80::1%25eth0]", "[v.a]", "[v7.]", "a?b", "a#b",
            "a\"b", "<a>", "a\\b", "a\tb", "http://a",
        ] {
            #expect(head(host: host).fault?.type == .malformed, "\(host)")
        }
    }

    @Test("the host of a target in absolute form follows the same rules, and is required (RFC 9110, 4.2.1)")
    func absoluteForm() {
        for target in ["http://a", "http://a:80/x", "https://[::1]:80?y", "HTTP://192.0.2.1/"] {
            #expect(head(host: "a", target: target).fault == nil, "\(target)")
        }
        for target in [
            "http:///x", "http://", "http://:80/x", "https://a,b/x", "http://u@a/", "http://a:b/", "http://[a]/",
        ] {
            #expect(head(host: "a", target: target).fault?.type == .malformed, "\(target)")
        }
    }

    @Test("spaces and tabs are allowed around a media type and its parameters, not within them (RFC 9110, 5.6)")
    func mediaTypes() {
        for type in [
            "application/json", "application/json\t;charset=utf-8", "application/json;\tcharset=utf-8",
            " application/json \t; \tcharset=UTF-8\t", "Application/JSON;charset=\"utf-8\"", "application/json;",
            "application/json;;charset=utf-8", "application/json; profile=\"a;charset=utf-16\"",
            "application/json;charset=\"ut\\f-8\"", "application/json; CHARSET=utf-8; q=1",
        ] {
            #expect(MakeTicket.operation.media(of: type) == .json, "\(type)")
        }
        for type in [
            "appli cation/json", "application/ json", "application /json", "application/json;\tcharset=utf-16",
            "application/json; charset = utf-16", "application/json; charset= utf-8", "application/json; charset",
            "application/json charset=utf-8", "application/json; charset=utf-8; charset=utf-16", "application",
            "application/json; charset=\"utf-8", "application/json, text/plain", "", "/", ";", "application/json; =a",
            "application/json; charset=\"utf-8\"x", "application/jso\tn",
        ] {
            #expect(MakeTicket.operation.media(of: type) == nil, "\(type)")
        }
    }

    /// Sends the pieces in packets of their own, and reads until the service closes.
    private func exchange(_ pieces: [String]) async throws -> String {
        nonisolated(unsafe) var answer = ""
        try await withTickets { (tickets) async throws in
            let token = try tickets.keys.token(.operator, for: .events)
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                for (number, piece) in pieces.enumerated() {
                    if number > 0 { try await Task.sleep(for: .milliseconds(30)) }
                    await socket.send(piece.replacing("TOKEN", with: token))
                }
                answer = await socket.readAll()
            }
        }
        return answer
    }

    @Test("an unknown method gets the same response, however its packets are split and whatever came before")
    func unknownMethods() async throws {
        let before = "GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n"
        let after = " HTTP/1.1\r\nHost: a\r\n\r\n"
        for (path, status) in [("/v1/tickets", 405), ("/coffee", 404)] {
            for pieces in [
                ["get \(path)\(after)"], ["g", "et \(path)\(after)"], ["ge", "t \(path)\(after)"],
                ["BREW", " ", path, " HTTP/1.1", "\r\nHost: a\r\n\r\n"],
                ["BREW \(path.prefix(4))", path.dropFirst(4) + after],
                [before, "get \(path)\(after)"], [before + "get \(path)\(after)"],
                [before + "ge", "t \(path)\(after)"],
                [before + before + "BREW \(path)", after],
            ] {
                let answer = try await exchange(pieces)
                let last = answer.components(separatedBy: "HTTP/1.1 ").last ?? ""
                #expect(last.hasPrefix("\(status) ") && last.contains("connection: close\r\n"), "\(pieces) \(answer)")
                #expect(last.contains("allow: GET, HEAD, POST\r\n") == (status == 405), "\(pieces)")
            }
        }
        for pieces in [["get é", "x"], ["get\n"], ["BREW \u{1}"], ["get /v1/tickets HTTP/1.1 x\r\n"]] {
            #expect(try await exchange(pieces).hasPrefix("HTTP/1.1 400 "), "\(pieces)")
        }
        let long = String(repeating: "a", count: 5000)
        #expect(try await exchange(["BREW /\(long)", long, long]).hasPrefix("HTTP/1.1 414 "))
    }

    @Test("trailer fields are ASCII like header fields, or the request is 400")
    func trailers() async throws {
        let head =
            "POST /v1/tickets HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n"
            + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\ne\r\n{\"title\": \"a\"}\r\n0\r\n"
        for value in ["\u{301}", "é", "a\u{7F}"] {
            #expect(try await exchange(["\(head)X: \(value)\r\n\r\n"]).hasPrefix("HTTP/1.1 400 "), "\(value)")
        }
        #expect(try await exchange(["\(head)X: plain,\twith a tab\r\n\r\n"]).hasPrefix("HTTP/1.1 201 "))
    }

    @Test("a body in many tiny chunks is refused; one in few of them, or in many larger ones, is read")
    func chunks() async throws {
        func head(_ path: String, _ type: String) -> String {
            "POST \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nContent-Type: \(type)\r\n"
                + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        }
        let (json, csv) = (head("/v1/tickets", "application/json"), head("/v1/ticket-loads", "text/csv"))
        let tiny = String(repeating: "1\r\n \r\n", count: 3000)
        for head in [json, csv] {
            let answer = try await exchange([head + tiny + "0\r\n\r\n"])
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("too many small chunks"), "\(answer)")
        }
        let few = String(repeating: "1\r\n \r\n", count: 900) + "e\r\n{\"title\": \"a\"}\r\n0\r\n\r\n"
        #expect(try await exchange([json + few]).hasPrefix("HTTP/1.1 201 "))
        let larger = String(repeating: "a\r\n1234567890\r\n", count: 3000) + "0\r\n\r\n"
        #expect(try await exchange([csv + larger]).hasSuffix("{\"bytes\":30000}"))
    }

    @Test("memory for a body is reserved for several chunks at a time, and all of it is released")
    func room() {
        let client = ClientAddress(IPAddress("192.0.2.1"))
        let budget = BodyBudget(limit: 64 << 10, share: 64 << 10)
        var reservation: BodyReservation? = BodyReservation(budget, for: client)
        #expect(reservation?.take(14) == true && budget.used == 14)
        var figures: Set<Int> = []
        for _ in 0..<5000 {
            #expect(reservation?.take(1) == true)
            figures.insert(budget.used)
        }
        #expect(figures == [14 + (4 << 10), 14 + (8 << 10)])
        // Unused memory is reused before more is reserved.
        #expect(reservation?.resize(to: 6000) == true && budget.used == 14 + (8 << 10))
        reservation?.release(6000)
        #expect(budget.used == 14 + (8 << 10) - 6000)
        reservation = nil
        #expect(budget.used == 0)
        // If there is no room for a whole step there may be for the bytes.
        let tight = BodyBudget(limit: 100, share: 100)
        let small = BodyReservation(tight, for: client)
        #expect(small.take(60) && small.take(40) && !small.take(1))
    }
}
