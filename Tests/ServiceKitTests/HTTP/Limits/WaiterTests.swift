import ClubProtocol
import Foundation
import HTTPTypes
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("A request that waits for something outside")
struct WaiterTests {
    private static func request(_ path: String, _ token: String, method: String = "GET", _ more: String = "") -> String
    {
        "\(method) \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\(more)\r\n"
    }

    private func waiting(_ service: TestService) async throws -> Int {
        let text = try await service.operatorPage("/metrics").text
        let line = text.split(separator: "\n").first { $0.hasPrefix("http_server_waiting_requests ") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? -1
    }

    @Test("releases its place: with more polls than places, every other request is answered")
    func polls() async throws {
        try await withService(
            NoteService.self,
            adjust: {
                $0.limits.inFlight = 2
                $0.limits.queued = 1
                $0.limits.queueWait = .seconds(5)
            }
        ) { (service) async throws in
            let token = try service.token(.operator)
            let poll = Self.request("/v1/changes?wait=30", try service.token(.service))
            var sockets: [RawSocket] = []
            for _ in 0..<12 {
                let socket = try RawSocket(port: service.apiPort)
                await socket.send(poll)
                sockets.append(socket)
                let count = sockets.count
                try await eventually("\(count) polls that wait") { try await waiting(service) == count }
            }
            for _ in 0..<10 {
                let other = try RawSocket(port: service.apiPort)
                await other.send(Self.request("/v1/notes/\(Note.ID())", token))
                #expect(await other.read(until: "}").hasPrefix("HTTP/1.1 404"))
            }
            // The change still reaches all of them.
            let made = try await service.raw(.post, "/v1/notes", role: .operator, json: #"{"text": "a"}"#)
            #expect(made.status == 201)
            for socket in sockets { #expect(await socket.read(until: "\"next\"").hasPrefix("HTTP/1.1 200")) }
            try await eventually("nobody who waits") { try await waiting(service) == 0 }
        }
    }

    @Test("is allowed a few times at once per caller, and one that leaves makes room")
    func share() async throws {
        try await withService(
            NoteService.self,
            adjust: {
                $0.limits.waitingPerCaller = 3
                $0.limits.waiting = 4
            }
        ) { (service) async throws in
            let own = Self.request("/v1/changes?wait=30", try service.token(.service))
            let foreign = Self.request(
                "/v1/changes?wait=30", try service.keys.token(.service, as: .lobbying, for: .content))
            func begin(_ text: String, _ count: Int) async throws -> RawSocket {
                let socket = try RawSocket(port: service.apiPort)
                await socket.send(text)
                try await eventually("\(count) polls that wait") { try await waiting(service) == count }
                return socket
            }
            func answer(_ text: String) async throws -> String {
                let socket = try RawSocket(port: service.apiPort)
                await socket.send(text)
                return await socket.read(until: "}")
            }
            var sockets: [RawSocket] = []
            for count in 1...3 { sockets.append(try await begin(own, count)) }
            let fourth = try await answer(own)
            #expect(fourth.hasPrefix("HTTP/1.1 429") && fourth.contains("retry-after: 10\r\n"))
            // A request that does not wait needs no seat.
            let fresh = try await answer(own.replacing("wait=30", with: "wait=0"))
            #expect(fresh.hasPrefix("HTTP/1.1 200"))
            sockets.append(try await begin(foreign, 4))
            #expect(try await answer(foreign).hasPrefix("HTTP/1.1 503"))
            sockets.removeFirst().vanish()
            try await eventually("a free seat") { try await waiting(service) == 3 }
            sockets.append(try await begin(own, 4))
            for socket in sockets { socket.vanish() }
            try await eventually("nobody who waits") { try await waiting(service) == 0 }
        }
    }

    @Test("for the rest of an upload releases its place; in the control, which keeps it, others are not answered")
    func uploads() async throws {
        try await withTickets(limits: {
            $0.inFlight = 1
            $0.queued = 1
            $0.queueWait = .milliseconds(100)
        }) { (tickets) async throws in
            try await tickets.listening { port in
                let token = try tickets.keys.token(.operator, for: .events)
                let upload = try RawSocket(port: port)
                await upload.send(
                    Self.request(
                        "/v1/ticket-loads", token, method: "POST", "Content-Type: text/csv\r\nContent-Length: 6\r\n")
                        + "abc")
                while tickets.responder.inWaiting == 0 { try await Task.sleep(for: .milliseconds(5)) }
                try await eventually("a place") { tickets.responder.inFlight == 0 }
                #expect(try await tickets.send(.get, "/v1/ping", by: nil).status == 200)
                await upload.send("def")
                #expect(await upload.read(until: "}").hasSuffix("{\"bytes\":6}"))
                #expect(tickets.responder.inWaiting == 0)

                let gate = try RawSocket(port: port)
                await gate.send(Self.request("/v1/gate", token, method: "POST"))
                while tickets.desk.runs.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(5)) }
                #expect(try await tickets.send(.get, "/v1/ping", by: nil).status == 503)
                tickets.desk.open()
                #expect(await gate.read(until: "}").hasPrefix("HTTP/1.1 200"))
            }
        }
    }

    @Test("for a slow reader releases its place, and is one of a few")
    func streams() async throws {
        try await withTickets(limits: {
            $0.inFlight = 1
            $0.waitingPerCaller = 2
            // A reader that has vanished is noticed after this time.
            $0.writeStall = .seconds(5)
        }) { (tickets) async throws in
            try await tickets.listening { port in
                var readers: [RawSocket] = []
                for count in 1...2 {
                    let reader = try RawSocket(port: port)
                    await reader.send("GET /v1/ticket-lines?count=100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
                    while tickets.responder.inWaiting < count { try await Task.sleep(for: .milliseconds(5)) }
                    readers.append(reader)
                }
                try await eventually("a place") { tickets.responder.inFlight == 0 }
                #expect(try await tickets.send(.get, "/v1/ping", by: nil).status == 200)
                let third = try await tickets.send(.get, "/v1/ticket-lines?count=1", by: nil)
                #expect(third.status == 429 && third.headers["retry-after"] == "10")
                for reader in readers { reader.vanish() }
                while tickets.responder.inWaiting > 0 { try await Task.sleep(for: .milliseconds(5)) }
                #expect(try await tickets.send(.get, "/v1/ticket-lines?count=1", by: nil).status == 200)
            }
        }
    }

    @Test("for a name server releases its place, and is one of a few")
    func outside() async throws {
        try await withTickets(limits: {
            $0.inFlight = 1
            $0.queued = 1
            $0.waitingPerCaller = 2
        }) { (tickets) async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...2 { group.addTask { try await tickets.send(.post, "/v1/outside").status } }
                while tickets.desk.runs.load(ordering: .relaxed) < 2 { try await Task.sleep(for: .milliseconds(5)) }
                #expect(tickets.responder.inFlight == 0 && tickets.responder.inWaiting == 2)
                #expect(try await tickets.send(.get, "/v1/ping", by: nil).status == 200)
                #expect(try await tickets.send(.post, "/v1/outside").status == 429)
                tickets.desk.open()
                for try await status in group { #expect(status == 200) }
            }
            #expect(tickets.responder.inFlight == 0 && tickets.responder.inWaiting == 0)
        }
    }

    @Test("is counted by its token or its address, and a token named like an address is not that address")
    func names() async throws {
        try await withTickets(limits: { $0.waitingPerCaller = 1 }) { (tickets) async throws in
            for (subject, address) in [("192.0.2.1", "192.0.2.1"), ("address 192.0.2.2", "192.0.2.2")] {
                let token = try tickets.keys.token(.operator, subject: subject, for: .events)
                let seats = tickets.responder.inWaiting
                try await tickets.listening { port in
                    let upload = try RawSocket(port: port)
                    await upload.send(
                        Self.request(
                            "/v1/ticket-loads", token, method: "POST", "Content-Type: text/csv\r\nContent-Length: 9\r\n"
                        ))
                    while tickets.responder.inWaiting == seats { try await Task.sleep(for: .milliseconds(5)) }
                    let own = try await tickets.send(
                        .post, "/v1/ticket-loads", bytes: Array("a".utf8), by: nil, type: "text/csv",
                        ["Authorization": "Bearer \(token)"])
                    #expect(own.status == 429)
                    let stranger = try await tickets.send(
                        .get, "/v1/ticket-lines?count=1", bytes: [], by: nil, from: address)
                    #expect(stranger.status == 200, "\(address)")
                    upload.vanish()
                    while tickets.responder.inWaiting > seats { try await Task.sleep(for: .milliseconds(5)) }
                }
            }
        }
    }
}
