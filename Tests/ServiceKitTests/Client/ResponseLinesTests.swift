import ClubProtocol
import NIOHTTP1
import Testing

@testable import ServiceKit

@Suite("A streamed response")
struct ResponseLinesTests {
    private func read(_ reaction: ScriptedServer.Reaction) async throws -> (things: [Thing], error: (any Error)?) {
        try await withClient { _, _ in
            reaction
        } _: { client, server in
            var things: [Thing] = []
            do {
                for try await thing in client.stream(StreamThings.request()) { things.append(thing) }
                #expect(server.received.first?.headers["Accept"] == ["application/x-ndjson, application/problem+json"])
                return (things, nil)
            } catch {
                return (things, error)
            }
        }
    }

    @Test("is read line by line, wherever the chunks are split")
    func whole() async throws {
        let text = (1...100).map { "{\"number\":\($0)}\n" }.joined()
        for size in [1, 7, 13, 10_000] {
            let pieces = stride(from: 0, to: text.count, by: size).map { String(text.dropFirst($0).prefix(size)) }
            let result = try await read(.chunks(pieces))
            #expect(result.error == nil)
            #expect(result.things.map(\.number) == Array(1...100))
        }
        #expect(try await read(.chunks([])).things.isEmpty)
        #expect(try await read(.chunks(["\n\n", "{\"number\":1}\n\n"])).things.count == 1)
    }

    @Test("is an error when the connection breaks, even after a complete line")
    func cutOff() async throws {
        for pieces in [["{\"number\":1}\n"], ["{\"number\":1}\n", "{\"num"]] {
            let result = try await read(.cutOff(pieces))
            #expect(result.things == [Thing(number: 1)])
            #expect(
                result.error as? ServiceClientError
                    == .unavailable(.directory, reason: "the stream was cut off"))
        }
    }

    @Test("is an error when it ends within a line")
    func halfLine() async throws {
        let result = try await read(.chunks(["{\"number\":1}\n", "{\"number\":2}"]))
        #expect(result.things == [Thing(number: 1)])
        #expect(
            result.error as? ServiceClientError == .unavailable(.directory, reason: "the stream was cut off"))
    }

    @Test("is an error when a line is not of the protocol, or never ends")
    func malformed() async throws {
        let wrong = try await read(.chunks(["{\"number\":1}\n", "{\"number\":true}\n", "{\"number\":3}\n"]))
        #expect(wrong.things.count == 1)
        #expect(wrong.error as? ServiceClientError == .malformed(.directory))
        let endless = try await read(.flood(line: 5 << 20, count: 1))
        #expect(endless.error as? ServiceClientError == .malformed(.directory))
    }

    @Test("that begins with a problem is that problem")
    func problem() async throws {
        let result = try await read(.problem(404, "not-found"))
        guard case .problem(let document) = result.error as? ServiceClientError else {
            Issue.record("no problem: \(String(describing: result.error))")
            return
        }
        #expect(document.slug == "not-found")
    }

    @Test("is not read ahead while no one consumes it, and arrives complete when someone does")
    func backPressure() async throws {
        let count = 512
        try await withClient { _, _ in
            .flood(line: 64 << 10, count: count)
        } _: { client, server in
            var lines = client.stream(StreamThings.request()).makeAsyncIterator()
            #expect(try await lines.next() == Thing(number: 1))
            // Time for a client without back-pressure to read it all.
            try await Task.sleep(for: .milliseconds(300))
            #expect(server.flooded < count)
            var read = 1
            while try await lines.next() != nil { read += 1 }
            #expect(read == count && server.flooded == count)
        }
    }

    @Test("holds its place until it is released")
    func place() async throws {
        try await withClient {
            $0.maximumInFlight = 1
        } reacting: { _, number in
            number == 1 ? .flood(line: 64 << 10, count: 1 << 20) : .chunks(["{\"number\":2}\n"])
        } _: { client, _ in
            var lines = Optional(client.stream(StreamThings.request()).makeAsyncIterator())
            let first = try await lines?.next()
            #expect(first == Thing(number: 1))
            await #expect(throws: ServiceClientError.unavailable(.directory, reason: "too many calls at once")) {
                try await client.send(ReadThing.one)
            }
            lines = nil
            let thing = try await client.send(ReadThing.one)
            #expect(thing.number == 2)
        }
    }

    @Test(
        "times out when the peer stalls in the middle",
        arguments: [
            (Duration.milliseconds(50), Duration.seconds(60)), (.seconds(60), .milliseconds(100)),
        ])
    func stalled(silence: Duration, timeout: Duration) async throws {
        try await withClient {
            $0.silence = silence
        } reacting: { _, _ in
            .halting(["{\"number\":1}\n", "{\"num"])
        } _: { client, server in
            var lines = client.stream(StreamThings.request(), timeout: timeout).makeAsyncIterator()
            await #expect(throws: ServiceClientError.deadline(.directory)) {
                while try await lines.next() != nil {}
            }
            let after = try await lines.next()
            #expect(after == nil)
            #expect(server.received.count <= 1)
        }
    }
}
