import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("A request, in process")
struct PipelineTests {
    @Test("a resource is created, read, changed and deleted")
    func life() async throws {
        try await withTickets { tickets in
            let made = try await tickets.send(.post, "/v1/tickets", #"{"title": "Bal'; drop table ticket; --"}"#)
            #expect(made.status == 201)
            #expect(made.headers["etag"] == "\"1\"")
            #expect(made.headers["content-type"] == "application/json")
            let ticket = try made.decode(Ticket.self)
            #expect(ticket.title == "Bal'; drop table ticket; --")
            let path = "/v1/tickets/\(ticket.id)"
            let read = try await tickets.send(.get, path)
            #expect(try read.decode(Ticket.self) == ticket)
            let changed = try await tickets.send(.patch, path, #"{"title": "Gala"}"#, ["If-Match": "\"1\""])
            #expect(changed.status == 200)
            #expect(changed.headers["etag"] == "\"2\"")
            let dropped = try await tickets.send(.delete, path)
            #expect(dropped.status == 204)
            #expect(dropped.body.isEmpty)
            #expect(dropped.headers["content-length"] == nil)
            let gone = try await tickets.send(.get, path)
            #expect(gone.status == 404)
            #expect(gone.headers["content-type"] == "application/problem+json")
            let problem = try gone.problem()
            #expect(problem.slug == "not-found")
            #expect(problem.requestID == gone.headers["x-request-id"])
        }
    }

    @Test(
        "a body that is not JSON is 400, an invalid one 422",
        arguments: [
            (#"{"title": "#, 400, ""), ("{\"title\": \"\u{0}\"}", 400, ""), (#"{"title": "a", "title": "b"}"#, 400, ""),
            (String(repeating: "[", count: 10_000), 400, ""), (#"{"title": "\ud800"}"#, 400, ""),
            (#"{"title": "a", "role": "operator"}"#, 422, "role"), (#"{"places": 3}"#, 422, "/title"),
            (#"{"title": "a", "places": 99999999999999999999}"#, 422, "/places"),
            (#"{"title": "a\nSubject: b"}"#, 422, "/title"), (#"{"title": "\u0000"}"#, 422, "/title"),
            (#"{"title": 3}"#, 422, "/title"), (#"{"title": "\u202e"}"#, 422, "/title"),
        ])
    func bodies(_ body: String, _ status: Int, _ named: String) async throws {
        try await withTickets { tickets in
            let answer = try await tickets.send(.post, "/v1/tickets", body)
            #expect(answer.status == status)
            #expect(answer.headers["content-type"] == "application/problem+json")
            #expect(named.isEmpty || answer.text.contains(named))
            #expect(try await tickets.count() == 0)
        }
    }

    @Test("invalid UTF-8 is 400, an empty body too")
    func bytes() async throws {
        try await withTickets { (tickets) async throws in
            let bytes = Array(#"{"title": ""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)
            #expect(try await tickets.send(.post, "/v1/tickets", bytes: bytes).status == 400)
            #expect(try await tickets.send(.post, "/v1/tickets").status == 400)
        }
    }

    @Test("only the operation's media type is read, and only without an encoding")
    func mediaTypes() async throws {
        try await withTickets { tickets in
            let body = #"{"title": "a"}"#
            for type in ["text/plain", "application/json; charset=latin1", "multipart/form-data", nil] {
                #expect(try await tickets.send(.post, "/v1/tickets", body, type: type).status == 415)
            }
            let packed = try await tickets.send(.post, "/v1/tickets", body, ["Content-Encoding": "gzip"])
            #expect(packed.status == 415)
            let plain = try await tickets.send(.post, "/v1/tickets", body, type: "Application/JSON; charset=\"UTF-8\"")
            #expect(plain.status == 201)
        }
    }

    @Test("a body over the limit is 413")
    func limit() async throws {
        try await withTickets(limits: { $0.maxBodyBytes = 100 }) { tickets in
            let body = #"{"title": "\#(String(repeating: "a", count: 100))"}"#
            #expect(try await tickets.send(.post, "/v1/tickets", body).status == 413)
            let undeclared = try await tickets.send(.post, "/v1/tickets", body, ["Content-Length": "1"])
            #expect(undeclared.status == 413)
        }
    }

    @Test("unknown paths are 404, methods that a path does not allow 405 with those that it allows")
    func routing() async throws {
        try await withTickets { tickets in
            for path in [
                "/", "/v2/tickets", "/v1/tickets/", "/v1//tickets", "/v1/%74ickets", "/v1/tickets/%2e%2e/x",
                "/v1/tickets/%00", "/v1/tickets/not-a-uuid", "/v1/tickets/%zz",
            ] {
                #expect(try await tickets.send(.get, path).status == 404, "\(path)")
            }
            let put = try await tickets.send(.put, "/v1/tickets")
            #expect(put.status == 405)
            #expect(put.headers["allow"] == "GET, HEAD, POST")
            for method in [HTTPRequest.Method.trace, .options, .connect, HTTPRequest.Method("PROPFIND")!] {
                #expect(try await tickets.send(method, "/v1/ping").headers["allow"] == "GET, HEAD")
            }
            for (method, target) in [(HTTPRequest.Method.options, "*"), (.connect, "example.org:443")] {
                let answer = try await tickets.send(method, target)
                #expect(answer.status == 405)
                #expect(answer.headers["allow"] == "GET, HEAD, POST, PATCH, DELETE")
            }
            let head = try await tickets.send(.head, "/v1/ping")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(head.headers["content-length"] == "13")
        }
    }

    @Test("an unknown or repeated parameter is 400, a limit out of range 422")
    func parameters() async throws {
        try await withTickets { (tickets) async throws in
            let statuses = [
                ("limit=10&limit=20", 400), ("colour=red", 400), ("word=%ff", 400), ("limit=0", 422), ("limit=-1", 422),
                ("limit=1000000000", 422), ("limit=ten", 422), ("word=a%0Ab", 422), ("limit=10", 200),
            ]
            for (query, status) in statuses {
                #expect(try await tickets.send(.get, "/v1/tickets?\(query)").status == status, "\(query)")
            }
            #expect(try await tickets.send(.get, "/v1/ping?x=1", by: nil).status == 400)
        }
    }

    @Test("pages follow each other by cursors that belong to one list and cannot be forged")
    func cursors() async throws {
        try await withTickets { tickets in
            for title in ["ant", "bee", "cat", "dog", "eel"] { _ = try await tickets.makeTicket(title) }
            var titles: [String] = []
            var next: Cursor?
            repeat {
                let query = next.map { "limit=2&cursor=\($0)" } ?? "limit=2"
                let page = try await tickets.send(.get, "/v1/tickets?\(query)").decode(Page<Ticket>.self)
                titles += page.items.map(\.title.text)
                next = page.next
            } while next != nil
            #expect(titles == ["ant", "bee", "cat", "dog", "eel"])

            let first = try await tickets.send(.get, "/v1/tickets?limit=1").decode(Page<Ticket>.self)
            let cursor = try #require(first.next?.text)
            var forged = Array(cursor.utf8)
            forged[forged.count - 2] ^= 1
            for bad in [String(cursor.dropLast(4)), String(decoding: forged, as: UTF8.self), "AAAA", "!"] {
                #expect(try await tickets.send(.get, "/v1/tickets?cursor=\(bad)").status == 400, "\(bad)")
            }
            let foreign = try await tickets.send(.get, "/v1/tickets?word=a&cursor=\(cursor)")
            #expect(foreign.status == 400)
            #expect(try foreign.problem().slug == "malformed")
        }
    }

    @Test("a change requires If-Match with the current version")
    func versions() async throws {
        try await withTickets { tickets in
            let path = "/v1/tickets/\(try await tickets.makeTicket("a").id)"
            let missing = try await tickets.send(.patch, path, #"{"title": "b"}"#)
            #expect(missing.status == 428)
            for tag in ["*", "W/\"1\"", "1", "\"", "\"1\", \"2\"", "\"1\"\"", "\"a b\""] {
                let answer = try await tickets.send(.patch, path, #"{"title": "b"}"#, ["If-Match": tag])
                #expect(answer.status == 400, "\(tag)")
            }
            // Tags that this service never issued match no current version.
            for tag in ["7", "+1", "01", "-1", "1.0", "0x1", "x", "", "99999999999999999999"] {
                let answer = try await tickets.send(.patch, path, #"{"title": "b"}"#, ["If-Match": "\"\(tag)\""])
                #expect(answer.status == 412, "\(tag)")
                #expect(try answer.problem().slug == "stale")
            }
            #expect(try await tickets.send(.patch, path, #"{"title": "b"}"#, ["If-Match": "\"1\""]).status == 200)
        }
    }

    @Test("a value refused by the database has the name and the status of its constraint")
    func constraints() async throws {
        try await withTickets { tickets in
            _ = try await tickets.makeTicket("a")
            let twice = try await tickets.send(.post, "/v1/tickets", #"{"title": "a"}"#)
            #expect(twice.status == 409)
            #expect(try twice.problem().detail == "There is a ticket of this title.")
            let none = try await tickets.send(.post, "/v1/tickets", #"{"title": "b", "places": 0}"#)
            #expect(none.status == 422)
            #expect(!none.text.contains("ticket_places"))
        }
    }

    @Test("without a token it is 401, with the wrong role 403, and made-up headers mean nothing")
    func identity() async throws {
        try await withTickets { tickets in
            let none = try await tickets.send(.get, "/v1/tickets", by: nil)
            #expect(none.status == 401)
            #expect(none.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
            let bad = try await tickets.send(.get, "/v1/tickets", by: nil, ["Authorization": "Bearer a.b.c"])
            #expect(bad.status == 401)
            #expect(try await tickets.send(.get, "/v1/tickets", by: .auditor).status == 403)
            let posing = try await tickets.send(
                .get, "/v1/tickets", by: .auditor, ["X-User-ID": "operator", "X-Forwarded-For": "10.0.0.1"])
            #expect(posing.status == 403)
            #expect(try await tickets.send(.get, "/v1/ping", by: nil).status == 200)
        }
    }

    @Test("too many wrong tokens from one address are 429, and right tokens are still accepted")
    func wrongTokens() async throws {
        try await withTickets { tickets in
            var statuses: Set<Int> = []
            for _ in 0..<200 {
                let answer = try await tickets.send(.get, "/v1/tickets", by: nil, ["Authorization": "Bearer a.b.c"])
                statuses.insert(answer.status)
                if answer.status == 429 { #expect(answer.headers["retry-after"] == "1") }
            }
            #expect(statuses == [401, 429])
            #expect(try await tickets.send(.get, "/v1/tickets").status == 200)
        }
    }

    @Test("a person has a rate limit, an operator has none")
    func rates() async throws {
        try await withTickets(limits: { $0.principalRate = RateLimit(perSecond: 0.001, burst: 2) }) { tickets in
            var statuses: [Int] = []
            for _ in 0..<3 { statuses.append(try await tickets.send(.get, "/v1/tickets", by: .expert).status) }
            #expect(statuses == [200, 200, 429])
            for _ in 0..<3 { #expect(try await tickets.send(.get, "/v1/tickets").status == 200) }
        }
    }

    @Test("the caller's deadline is kept")
    func deadlines() async throws {
        try await withTickets { tickets in
            for text in ["-1", "soon", "1.5", "", "99999999999"] {
                #expect(try await tickets.send(.get, "/v1/ping", ["Club-Timeout": text]).status == 400, "\(text)")
            }
            #expect(try await tickets.send(.get, "/v1/ping", ["Club-Timeout": "0"]).status == 504)
            let late = try await tickets.send(.get, "/v1/naps?seconds=5", ["Club-Timeout": "100"])
            #expect(late.status == 504)
            #expect(try late.problem().slug == "deadline")
            #expect(try await tickets.send(.get, "/v1/ping", ["Club-Timeout": "5000"]).status == 200)
        }
    }

    @Test("a request keeps the identifier that it came with, if valid")
    func requestIDs() async throws {
        try await withTickets { tickets in
            let named = try await tickets.send(.get, "/v1/ping", ["X-Request-ID": "a-b_c.1"])
            #expect(named.headers["x-request-id"] == "a-b_c.1")
            for bad in ["a b", "é", String(repeating: "a", count: 65)] {
                let answer = try await tickets.send(.get, "/v1/ping", ["X-Request-ID": bad])
                #expect(answer.headers["x-request-id"]?.count == 13)
            }
            let first = try await tickets.send(.get, "/v1/ping"), second = try await tickets.send(.get, "/v1/ping")
            #expect(first.headers["x-request-id"] != second.headers["x-request-id"])
        }
    }

    @Test("a request's trace continues within its handler, with a span of its own")
    func traces() async throws {
        try await withTickets { tickets in
            let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            #expect(try await tickets.send(.get, "/v1/ping", ["traceparent": text]).status == 200)
            let trace = try #require(tickets.desk.trace.withLock { $0 })
            #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c" && trace.isSampled)
            #expect(trace.traceparent != text)
            for ignored in [[:], ["traceparent": text.uppercased()]] {
                #expect(try await tickets.send(.get, "/v1/ping", ignored).status == 200)
                #expect(tickets.desk.trace.withLock { $0 } == nil)
            }
        }
    }

    @Test("an unknown expectation is 417")
    func expectations() async throws {
        try await withTickets { tickets in
            for value in ["a-miracle", "100-continue, a-miracle", "200-ok"] {
                let answer = try await tickets.send(.get, "/v1/ping", ["Expect": value])
                #expect(answer.status == 417)
                #expect(try answer.problem().slug == "expectation-failed")
            }
            #expect(try await tickets.send(.get, "/v1/ping", ["Expect": "100-Continue"]).status == 200)
        }
    }

    @Test("caches keep only what is public, and browsers do not guess media types")
    func caching() async throws {
        try await withTickets { (tickets) async throws in
            func check(_ answer: RawAnswer, _ rule: String) {
                #expect(answer.headers["cache-control"] == rule)
                #expect(answer.headers["x-content-type-options"] == "nosniff")
            }
            let path = "/v1/tickets/\(try await tickets.makeTicket("a").id)"
            check(try await tickets.send(.get, path), "no-store")
            check(try await tickets.send(.head, path), "no-store")
            check(try await tickets.send(.get, "/v1/tickets"), "no-store")
            check(try await tickets.send(.post, "/v1/tickets", #"{"title": "b"}"#), "no-store")
            check(try await tickets.send(.delete, path), "no-store")
            check(try await tickets.send(.get, path), "no-store")
            check(try await tickets.send(.get, "/nowhere", by: nil), "no-store")
            check(try await tickets.send(.get, "/v1/ping", by: nil), "no-cache")
            check(try await tickets.send(.get, "/v1/ticket-page?title=a", by: nil), "no-cache")
            check(try await tickets.send(.get, "/v1/ticket-page?title=gone", by: nil), "no-store")
            check(try await tickets.send(.get, "/v1/ticket-lines?count=1", by: nil), "no-cache")
            check(try await tickets.send(.get, "/openapi.json", by: nil), "public, max-age=60")
        }
    }

    @Test(
        "HEAD has the headers of GET; for a long stream it has no length, and does not wait for the end"
    )
    func headOfStream() async throws {
        try await withTickets { (tickets) async throws in
            for path in [
                "/v1/ticket-lines?count=0", "/v1/ticket-lines?count=2", "/v1/ticket-lines?count=2&failAfter=0",
                "/v1/ticket-lines?count=5&failAfter=4", "/v1/tickets.csv?count=2", "/v1/tickets.csv?count=0",
                "/v1/tickets.csv?count=x", "/v1/ticket-page?title=gone",
            ] {
                let (head, get) = (
                    try await tickets.send(.head, path, by: nil), try await tickets.send(.get, path, by: nil)
                )
                #expect(head.status == get.status && head.body.isEmpty, "\(path)")
                func told(_ answer: RawAnswer) -> [String: String] {
                    answer.headers.filter { !["date", "x-request-id"].contains($0.key) }
                }
                #expect(told(head) == told(get), "\(path)")
            }
            for path in [
                "/v1/ticket-lines?count=50000", "/v1/ticket-lines?count=50000&failAfter=49999",
                "/v1/tickets.csv?count=50000",
            ] {
                let head = try await tickets.send(.head, path, by: nil)
                #expect(head.status == 200 && head.body.isEmpty, "\(path)")
                #expect(head.headers["content-length"] == nil)
                #expect(head.headers["content-type"] != nil)
            }
        }
    }

    @Test("a form that is not UTF-8 is not read, however it is encoded")
    func formBytes() async throws {
        try await withTickets { (tickets) async throws in
            for bytes in [[0xE9], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80]]
                as [[UInt8]]
            {
                let escaped = bytes.map { "%" + String($0, radix: 16) }.joined()
                for form in [
                    Array("title=caf".utf8) + bytes, Array("title=caf\(escaped)".utf8), bytes + Array("=x".utf8),
                ] {
                    let answer = try await tickets.send(
                        .post, "/v1/ticket-page", bytes: form, by: nil, type: "application/x-www-form-urlencoded")
                    #expect(answer.status == 400, "\(form)")
                }
            }
            #expect(try await tickets.count() == 0)
            let good = try await tickets.send(
                .post, "/v1/ticket-page", bytes: Array("title=café".utf8), by: nil,
                type: "application/x-www-form-urlencoded")
            #expect(good.status == 303)
            #expect(try await tickets.count() == 1)
        }
    }

    @Test("a deprecated operation has a header that says so")
    func deprecation() async throws {
        try await withTickets { tickets in
            let answer = try await tickets.send(.get, "/v1/ping", by: nil)
            #expect(answer.headers["deprecation"] == "@1767225600")
            #expect(answer.headers["sunset"] == "Sun, 06 Nov 1994 08:49:37 GMT")
        }
    }

    @Test("the description of the service and its keys are public")
    func documents() async throws {
        try await withTickets { (tickets) async throws in
            #expect(try await tickets.send(.get, "/openapi.json", by: nil).text.contains("3.1.0"))
            #expect(try await tickets.send(.get, "/.well-known/jwks.json", by: nil).status == 200)
            #expect(try await tickets.send(.post, "/openapi.json", by: nil).headers["allow"] == "GET, HEAD")
        }
    }

    @Test("without a database it is 503 with Retry-After")
    func noDatabase() async throws {
        try await TestCluster.private { cluster in
            try await withTickets(on: cluster) { tickets in
                let ticket = try await tickets.makeTicket("a")
                try cluster.stop(.immediate)
                for path in ["/v1/tickets", "/v1/tickets/\(ticket.id)"] {
                    let answer = try await tickets.send(.get, path, ["Club-Timeout": "3000"])
                    #expect(answer.status == 503)
                    #expect(answer.headers["retry-after"] == "1")
                }
                #expect(try await tickets.send(.post, "/v1/tickets", #"{"title": "b"}"#).status == 503)
                try cluster.start()
                while try await tickets.send(.get, "/v1/tickets").status != 200 {}
                #expect(try await tickets.count() == 1)
            }
        }
    }
}
