import ClubProtocol
import Foundation
import HTTPTypes
import NIOCore
import TestKit
import Testing

@testable import ServiceKit

@Suite("A slow sender")
struct SlowWriterTests {
    private static func head(_ tickets: TicketFixture, _ path: String, _ type: String, _ length: Int) throws -> String {
        let token = try tickets.keys.token(.operator, for: .events)
        return "POST \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Type: \(type)\r\n"
            + "Content-Length: \(length)\r\n\r\n"
    }

    /// Sends a body byte by byte, for as long as the service reads it, or to its end.
    private func drip(
        _ path: String, _ type: String, _ body: String, limits: (inout HTTPLimits) -> Void
    ) async throws -> String {
        nonisolated(unsafe) var answer = ""
        try await withTickets(limits: limits) { (tickets) async throws in
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send(try Self.head(tickets, path, type, body.utf8.count))
                async let read = socket.readAll()
                for byte in body.utf8 {
                    guard await socket.send([byte]) else { break }
                    try await Task.sleep(for: .milliseconds(5))
                }
                socket.endSending()
                answer = await read
            }
        }
        return answer
    }

    @Test(
        "has a time limit for the whole body, however steadily it sends",
        arguments: [("/v1/tickets", "application/json"), ("/v1/ticket-loads", "text/csv")])
    func deadline(_ path: String, _ type: String) async throws {
        let body = #"{"title": "\#(String(repeating: "a", count: 120))"}"#
        let late = try await drip(path, type, body) { $0.bodyGrace = .milliseconds(100) }
        #expect(late.hasPrefix("HTTP/1.1 408"))
        #expect(late.contains("connection: close\r\n"))
        // The control: the same bytes at the same pace, with enough time.
        let inTime = try await drip(path, type, body) { $0.bodyGrace = .seconds(60) }
        #expect(inTime.hasPrefix("HTTP/1.1 20"))
        // And with time that grows with the bytes received.
        let paid = try await drip(path, type, body) {
            $0.bodyGrace = .seconds(1)
            $0.bodyBytesPerSecond = 2
        }
        #expect(paid.hasPrefix("HTTP/1.1 20"))
    }

    @Test("is not one that has to wait for us")
    func heldBack() async throws {
        try await withTickets(limits: {
            $0.bodyGrace = .seconds(2)
            $0.bodyBytesPerSecond = 1 << 30
            $0.bodyStall = .seconds(1)
        }) { (tickets) async throws in
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send(try Self.head(tickets, "/v1/ticket-loads?waits=true", "text/csv", 20_000_000))
                async let sent = socket.send([UInt8](repeating: 0x61, count: 20_000_000))
                // Longer than the whole time limit; meanwhile no one reads.
                try await Task.sleep(for: .seconds(3))
                tickets.desk.open()
                #expect(await sent)
                socket.endSending()
                #expect(await socket.readAll().hasSuffix("{\"bytes\":20000000}"))
            }
        }
    }

    @Test("is measured only while we are ready to read")
    func clock() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var clock = BodyClock()
        #expect(clock.time(at: start) == .zero)
        clock.start(at: start)
        clock.start(at: start + .seconds(1))
        #expect(clock.time(at: start + .seconds(2)) == .seconds(2))
        clock.stop(at: start + .seconds(3))
        #expect(clock.time(at: start + .seconds(30)) == .seconds(3))
        clock.start(at: start + .seconds(30))
        #expect(clock.time(at: start + .seconds(31)) == .seconds(4))
    }

    @Test("holds memory for no more than the first bytes, once much is held")
    func room() async throws {
        try await withTickets(limits: { $0.bufferedBytes = 64 << 10 }) { (tickets) async throws in
            try await tickets.listening { port in
                func begin(_ bytes: Int) async throws -> RawSocket {
                    let socket = try RawSocket(port: port)
                    await socket.send(try Self.head(tickets, "/v1/tickets", "application/json", 100_000))
                    await socket.send([UInt8](repeating: 0x20, count: bytes))
                    return socket
                }
                let slow = try await begin(45_000)
                while tickets.responder.buffered < 45_000 { try await Task.sleep(for: .milliseconds(5)) }
                let refused = try await begin(30_000)
                let answer = await refused.readAll()
                #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("retry-after: 1\r\n"))
                let short = try RawSocket(port: port)
                await short.send(try Self.head(tickets, "/v1/tickets", "application/json", 14) + #"{"title": "a"}"#)
                #expect(await short.read(until: "}").hasPrefix("HTTP/1.1 201"))
                slow.vanish()
                while tickets.responder.buffered > 0 { try await Task.sleep(for: .milliseconds(5)) }
                let next = try await begin(45_000)
                while tickets.responder.buffered < 45_000 { try await Task.sleep(for: .milliseconds(5)) }
                next.vanish()
            }
        }
    }

    @Test("of headers, uploads and pipelined requests is counted as well, and its memory released")
    func ahead() async throws {
        try await withTickets { (tickets) async throws in
            try await tickets.listening { port in
                let token = try tickets.keys.token(.operator, for: .events)
                let header = try RawSocket(port: port)
                await header.send("GET /v1/ping HTTP/1.1\r\nX: \(String(repeating: "a", count: 20_000))")
                while tickets.responder.buffered < 20_000 { try await Task.sleep(for: .milliseconds(5)) }
                header.vanish()
                while tickets.responder.buffered > 0 { try await Task.sleep(for: .milliseconds(5)) }

                let upload = try RawSocket(port: port)
                await upload.send(try Self.head(tickets, "/v1/ticket-loads?waits=true", "text/csv", 30_000))
                await upload.send([UInt8](repeating: 0x61, count: 10_000))
                while tickets.responder.buffered < 10_000 { try await Task.sleep(for: .milliseconds(5)) }
                upload.vanish()
                tickets.desk.open()
                while tickets.responder.buffered > 0 { try await Task.sleep(for: .milliseconds(5)) }

                let ahead = try RawSocket(port: port)
                await ahead.send(
                    "GET /v1/naps?seconds=30 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\r\n")
                while tickets.responder.inFlight == 0 { try await Task.sleep(for: .milliseconds(5)) }
                await ahead.send(try Self.head(tickets, "/v1/tickets", "application/json", 30_000))
                await ahead.send([UInt8](repeating: 0x20, count: 5_000))
                while tickets.responder.buffered < 512 { try await Task.sleep(for: .milliseconds(5)) }
                ahead.vanish()
                while tickets.responder.buffered > 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
        }
    }

    @Test("has 64 KiB for a form, and for anything without a token")
    func limits() async throws {
        var limits = HTTPLimits()
        let form = SendTicketForm.operation, json = MakeTicket.operation, csv = LoadTickets.operation
        #expect(limits.bodyBytes(form, isUpload: false, isAnonymous: false) == 64 << 10)
        #expect(limits.bodyBytes(json, isUpload: false, isAnonymous: false) == 1 << 20)
        #expect(limits.bodyBytes(json, isUpload: false, isAnonymous: true) == 64 << 10)
        #expect(limits.bodyBytes(csv, isUpload: true, isAnonymous: false) == 64 << 20)
        #expect(limits.bodyBytes(csv, isUpload: true, isAnonymous: true) == 64 << 10)
        #expect(limits.bodyTime(0) == .seconds(30))
        #expect(limits.bodyTime(1 << 20) == .seconds(94))
        limits.maxBodyBytes = 100
        #expect(limits.bodyBytes(form, isUpload: false, isAnonymous: true) == 100)
        try await withTickets { (tickets) async throws in
            let long = "title=\(String(repeating: "a", count: 64 << 10))"
            let type = "application/x-www-form-urlencoded"
            let refused = try await tickets.send(.post, "/v1/ticket-page", long, by: nil, type: type)
            #expect(refused.status == 413 && refused.text.hasPrefix("<h1>content-too-large"))
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send(
                    "POST /v1/ticket-page HTTP/1.1\r\nHost: a\r\nContent-Type: \(type)\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n")
                await socket.send("11000\r\n\(String(repeating: "a", count: 0x11000))\r\n0\r\n\r\n")
                let answer = await socket.readAll()
                #expect(answer.hasPrefix("HTTP/1.1 413") && answer.contains("content-type: text/html"))
            }
        }
    }

    @Test("from one address has a share of the memory; programs and proxies of this machine have none of their own")
    func shares() throws {
        let budget = BodyBudget(limit: 1 << 20, share: 100_000)
        let (one, other) = (ClientAddress(IPAddress("192.0.2.1")), ClientAddress(IPAddress("192.0.2.9")))
        #expect(budget.take(60_000, held: 0, for: one))
        #expect(!budget.take(60_000, held: 0, for: one))
        #expect(budget.take(60_000, held: 0, for: other))
        budget.release(60_000, for: one)
        #expect(budget.take(100_000, held: 0, for: one))
        #expect(budget.used == 160_000)
        let proxy = ClientAddress(IPAddress("192.0.2.77"), isProxy: true)
        #expect(budget.take(200_000, held: 0, for: proxy))
        #expect(budget.take(200_000, held: 0, for: ClientAddress(IPAddress("127.0.0.1"))))
        // The last quarter is reserved for the first 16 KiB of each body.
        #expect(!budget.take(250_000, held: 0, for: proxy))
        #expect(budget.take(226_000, held: 0, for: proxy))
        #expect(!budget.take(1000, held: 300_000, for: proxy))
        #expect(budget.take(16 << 10, held: 0, for: ClientAddress(IPAddress("198.51.100.1"))))
    }

    @Test("is released, whoever held it last")
    func holds() {
        let budget = BodyBudget(limit: 10, share: 10)
        let client = ClientAddress(IPAddress("192.0.2.1"))
        var reservation: BodyReservation? = BodyReservation(budget, for: client)
        #expect(reservation?.take(6) == true)
        #expect(reservation?.take(6) == false)
        reservation?.release(2)
        #expect(budget.used == 4)
        reservation = nil
        #expect(budget.used == 0)
        #expect(budget.take(10, held: 0, for: client))
    }
}

@Suite("Connections of one address")
struct ConnectionShareTests {
    @Test("have a share; an IPv6 /64 counts as one address, and this machine is exempt")
    func counting() {
        let count = ConnectionCount(share: 2)
        let one = ClientAddress(IPAddress("2001:db8::1")), neighbour = ClientAddress(IPAddress("2001:db8::ffff:2"))
        #expect(count.open(one) && count.open(neighbour))
        #expect(!count.open(one))
        #expect(count.open(ClientAddress(IPAddress("2001:db8:0:1::1"))))
        count.close(neighbour)
        #expect(count.open(one))
        for _ in 0..<10 { #expect(count.open(ClientAddress(IPAddress("127.0.0.1")))) }
        for _ in 0..<10 { #expect(count.open(ClientAddress(nil))) }
    }

    @Test("get a refusal while few do; a refusal takes places that others need")
    func refusals() {
        let count = ConnectionCount(share: 1)
        let told = (0..<1000).count { _ in count.refuse() }
        #expect(told == 256)
        count.endRefusal()
        #expect(count.refuse() && !count.refuse())
    }

    @Test("beyond the share are refused and closed; others are not", .enabled(if: Self.ownAddress != nil))
    func refused() async throws {
        let host = try #require(Self.ownAddress)
        try await withTickets(limits: { $0.connectionsPerAddress = 3 }) { (tickets) async throws in
            try await tickets.listening(on: "0.0.0.0") { port in
                let request = "GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n"
                var open: [RawSocket] = []
                for _ in 0..<3 {
                    let socket = try RawSocket(host: host, port: port)
                    await socket.send(request)
                    #expect(await socket.read(until: "true}").hasPrefix("HTTP/1.1 200"))
                    open.append(socket)
                }
                let refused = try RawSocket(host: host, port: port)
                #expect(await refused.readAll().hasPrefix("HTTP/1.1 429"))
                let local = try RawSocket(port: port)
                await local.send(request)
                #expect(await local.read(until: "true}").hasPrefix("HTTP/1.1 200"))
                open.removeLast().vanish()
                try await eventually("a place for another one") {
                    let socket = try RawSocket(host: host, port: port)
                    await socket.send(request)
                    return await socket.read(until: "}").hasPrefix("HTTP/1.1 200")
                }
            }
        }
    }

    /// An IPv4 address of this machine other than loopback.
    private static let ownAddress: String? = {
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.lazy.compactMap { $0.address }.compactMap { address -> String? in
            guard case .v4 = address, let text = address.ipAddress, !text.hasPrefix("127.") else { return nil }
            return text
        }.first
    }()
}
