import ClubProtocol
import Foundation
import HTTPTypes
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("Bodies that do not fit in memory")
struct StreamTests {
    @Test("a stream arrives line by line, with an explicit end")
    func lines() async throws {
        try await withTickets { tickets in
            let short = try await tickets.send(.get, "/v1/ticket-lines?count=2", by: nil)
            #expect(short.text == "{\"number\":0}\n{\"number\":1}\n")
            #expect(short.headers["content-type"] == "application/x-ndjson")
            #expect(short.headers["content-length"] == "26")
            let long = try await tickets.send(.get, "/v1/ticket-lines?count=50000", by: nil)
            #expect(long.text.split(separator: "\n").count == 50_000)
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send("GET /v1/ticket-lines?count=50000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                let answer = await socket.readAll()
                #expect(answer.contains("transfer-encoding: chunked"))
                #expect(answer.hasSuffix("{\"number\":49999}\n\r\n0\r\n\r\n"))
            }
        }
    }

    @Test("an error before the first bytes is a problem, one after them cuts the stream off")
    func errors() async throws {
        try await withTickets { tickets in
            let early = try await tickets.send(.get, "/v1/ticket-lines?count=9&failAfter=3", by: nil)
            #expect(early.status == 409)
            #expect(try early.problem().slug == "conflict")
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send("GET /v1/ticket-lines?count=50000&failAfter=40000 HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = await socket.readAll()
                #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
                #expect(!answer.hasSuffix("0\r\n\r\n"))
            }
        }
    }

    @Test("a stream whose reader is gone ends")
    func readerGone() async throws {
        try await withTickets { tickets in
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send("GET /v1/ticket-lines?count=100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await socket.read(until: "\"number\":1}").hasPrefix("HTTP/1.1 200 OK"))
                socket.vanish()
                while tickets.desk.broken.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(10)) }
                while tickets.responder.inWaiting > 0 { try await Task.sleep(for: .milliseconds(10)) }
            }
        }
    }

    @Test("a read whose caller is gone ends, and affects nothing else")
    func callerGone() async throws {
        try await withTickets { tickets in
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send("GET /v1/naps?seconds=9 HTTP/1.1\r\nHost: a\r\n\r\n")
                while tickets.responder.inFlight == 0 { try await Task.sleep(for: .milliseconds(10)) }
                socket.vanish()
                while tickets.desk.cancelled.load(ordering: .relaxed) == 0 {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(try await tickets.send(.get, "/v1/tickets").status == 200)
            }
        }
    }

    @Test("an upload of any length is read as it arrives")
    func upload() async throws {
        try await withTickets { tickets in
            let token = try tickets.keys.token(.operator, for: .events)
            let small = try await tickets.send(.post, "/v1/ticket-loads", "a;b\n", type: "text/csv")
            #expect(small.text == "{\"bytes\":4}")
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send(
                    """
                    POST /v1/ticket-loads HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Type: text/csv\r\n\
                    Content-Length: 20000000\r\nConnection: close\r\n\r\n
                    """)
                let part = [UInt8](repeating: 0x61, count: 1_000_000)
                for _ in 0..<20 { #expect(await socket.send(part)) }
                #expect(await socket.readAll().hasSuffix("{\"bytes\":20000000}"))
            }
        }
    }

    @Test("an upload beyond the limit is 413, however it is sent")
    func largeUpload() async throws {
        try await withTickets(limits: { $0.maxUploadBytes = 100_000 }) { tickets in
            let token = try tickets.keys.token(.operator, for: .events)
            let head = """
                POST /v1/ticket-loads HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Type: text/csv\r\n
                """
            try await tickets.listening { port in
                let declared = try RawSocket(port: port)
                await declared.send("\(head)Content-Length: 100001\r\n\r\nabc")
                #expect(await declared.readAll().hasPrefix("HTTP/1.1 413"))
                let chunked = try RawSocket(port: port)
                await chunked.send("\(head)Transfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<20 {
                    await chunked.send("2710\r\n\(String(repeating: "a", count: 10_000))\r\n")
                }
                #expect(await chunked.readAll().hasPrefix("HTTP/1.1 413"))
                while tickets.responder.inFlight > 0 { try await Task.sleep(for: .milliseconds(10)) }
            }
        }
    }

    @Test("an upload that the handler does not read to its end is answered, and the connection closed")
    func unwantedUpload() async throws {
        try await withTickets { tickets in
            let token = try tickets.keys.token(.operator, for: .events)
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send(
                    """
                    POST /v1/ticket-loads?enough=3 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\
                    Content-Type: text/csv\r\nContent-Length: 1000\r\n\r\nabc
                    """)
                let answer = await socket.readAll()
                #expect(answer.hasPrefix("HTTP/1.1 200"))
                #expect(answer.contains("connection: close"))
            }
        }
    }

    @Test("a stream whose reader does not read ends")
    func stuckReader() async throws {
        try await withTickets(limits: { $0.writeStall = .milliseconds(200) }) { tickets in
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send("GET /v1/ticket-lines?count=100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
                while tickets.desk.broken.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(10)) }
                withExtendedLifetime(socket) {}
            }
        }
    }

    @Test("an upload that breaks off ends its handler")
    func brokenUpload() async throws {
        try await withTickets { tickets in
            let token = try tickets.keys.token(.operator, for: .events)
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send(
                    """
                    POST /v1/ticket-loads HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Type: text/csv\r\n\
                    Content-Length: 1000\r\n\r\nabc
                    """)
                while tickets.responder.inWaiting == 0 { try await Task.sleep(for: .milliseconds(10)) }
                socket.vanish()
                while tickets.desk.broken.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(10)) }
                while tickets.responder.inWaiting > 0 { try await Task.sleep(for: .milliseconds(10)) }
            }
        }
    }
}
