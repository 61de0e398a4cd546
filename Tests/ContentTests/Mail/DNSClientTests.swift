import Foundation
import NIOCore
import Synchronization
import TestKit
import Testing

@testable import Content

/// A clock that a test sets.
private final class SetClock: Sendable {
    private let time = Mutex(ContinuousClock.now)

    @Sendable func now() -> ContinuousClock.Instant { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 += duration } }
}

@Suite("DNS client")
struct DNSClientTests {
    private static let exchanger = MailExchanger(preference: 10, host: "mx.example")

    private func client(
        _ servers: ScriptedNameServer..., timeLimit: Duration = .seconds(5), concurrency: Int = 50,
        capacity: Int = 100, clock: SetClock = SetClock()
    ) throws -> DNSClient {
        let list = servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ", ")
        return DNSClient(
            try ResolverConfiguration(servers: list), timeLimit: timeLimit, concurrency: concurrency,
            capacity: capacity, now: clock.now)
    }

    /// Why no server answered; nil if one did.
    private func reason<Value>(_ answer: DNSAnswer<Value>) -> String? {
        if case .unknown(let reason) = answer { reason } else { nil }
    }

    @Test("mail exchangers come in the order in which they are tried, texts as they are")
    func answers() async throws {
        try await ScriptedNameServer.run { query in
            [query.response([.mx(20, "b.example"), .mx(10, "c.example"), .mx(10, "a.example"), .txt(["v=spf1 -all"])])]
        } during: { server in
            let client = try client(server)
            #expect(
                await client.exchangers(of: "Club.example")
                    == .found([
                        MailExchanger(preference: 10, host: "a.example"),
                        MailExchanger(preference: 10, host: "c.example"),
                        MailExchanger(preference: 20, host: "b.example"),
                    ]))
            #expect(await client.texts(of: "_dmarc.club.example") == .found(["v=spf1 -all"]))
            #expect(server.queries.map(\.name) == ["club.example", "_dmarc.club.example"])
        }
    }

    @Test("a missing name is none, a server that fails is unknown, with its reason")
    func noAnswer() async throws {
        try await ScriptedNameServer.run { query in
            switch query.name {
            case "missing.example": [query.response(code: 3, minimum: 60)]
            case "broken.example": [query.response(code: 2)]
            default: [query.response(referral: true)]
            }
        } during: { server in
            let client = try client(server)
            #expect(await client.exchangers(of: "missing.example") == DNSAnswer.none)
            #expect(await client.exchangers(of: "not a name") == DNSAnswer.none)
            #expect(
                await client.exchangers(of: "broken.example")
                    == .unknown("127.0.0.1:\(server.port) answered with error 2"))
            #expect(reason(await client.exchangers(of: "a.example"))?.contains("does not resolve") == true)
        }
    }

    @Test("a silent server is asked twice, and its silence is not remembered")
    func silence() async throws {
        try await ScriptedNameServer.run { _ in
            []
        } during: { server in
            let client = try client(server, timeLimit: .milliseconds(100))
            let unknown = DNSAnswer<MailExchanger>.unknown(
                "127.0.0.1:\(server.port) did not answer within 0.1 seconds")
            #expect(await client.exchangers(of: "club.example") == unknown)
            #expect(server.queries.count == 2)
            #expect(await client.exchangers(of: "club.example") == unknown)
            #expect(server.queries.count == 4)
        }
    }

    @Test("the next server is asked when one is silent, fails or is gone")
    func nextServer() async throws {
        let gone = try await ScriptedNameServer.run { _ in
            []
        } during: {
            $0.port
        }
        try await ScriptedNameServer.run { query in
            query.name == "silent.example" ? [] : [query.response(code: 5)]
        } during: { first in
            try await ScriptedNameServer.run { query in
                [query.response([.mx(10, "mx.example")])]
            } during: { second in
                let client = try client(first, second, timeLimit: .milliseconds(500))
                #expect(await client.exchangers(of: "silent.example") == .found([Self.exchanger]))
                #expect(await client.exchangers(of: "refused.example") == .found([Self.exchanger]))
                #expect(first.queries.count == 2)
                let list = "127.0.0.1:\(gone),127.0.0.1:\(second.port)"
                let other = DNSClient(try ResolverConfiguration(servers: list))
                #expect(await other.exchangers(of: "club.example") == .found([Self.exchanger]))
            }
        }
        let lonely = DNSClient(try ResolverConfiguration(servers: "127.0.0.1:\(gone)"))
        #expect(await lonely.exchangers(of: "club.example") == .unknown("127.0.0.1:\(gone) cannot be reached"))
    }

    @Test("a response with another identifier or question is ignored, and the right one is still read")
    func forged() async throws {
        try await ScriptedNameServer.run { query in
            let good = query.response([.mx(10, "mx.example")])
            var otherID = query.response([.mx(1, "evil.example")])
            otherID[1] ^= 1
            var otherName = query.response([.mx(1, "evil.example")])
            otherName[13] ^= 1
            return query.name == "forged.example" ? [otherID, otherName] : [otherID, otherName, [], good]
        } during: { server in
            let client = try client(server, timeLimit: .milliseconds(500))
            #expect(await client.exchangers(of: "club.example") == .found([Self.exchanger]))
            #expect(reason(await client.exchangers(of: "forged.example"))?.contains("did not answer") == true)
        }
    }

    @Test("an invalid response is refused at once: cut, oversized, with a loop of pointers")
    func invalid() async throws {
        try await ScriptedNameServer.run { query in
            let good = query.response([.mx(10, "mx.example")])
            switch query.name {
            case "cut.example": return [Array(good.dropLast())]
            case "large.example": return [query.response(Array(repeating: .txt(["0123456789"]), count: 200))]
            default:
                let place = UInt8(good.count - 12)
                return [Array(good.dropLast(12)) + [0xC0, place] + [UInt8](repeating: 0, count: 10)]
            }
        } during: { server in
            let client = try client(server, timeLimit: .seconds(60))
            for name in ["cut.example", "large.example", "loop.example"] {
                let answer = await client.exchangers(of: name)
                #expect(answer == .unknown("127.0.0.1:\(server.port) sent an invalid response"), "\(name)")
            }
        }
    }

    @Test("a truncated response is fetched over TCP")
    func truncated() async throws {
        let records = (1...400).map { ScriptedNameServer.Record.mx($0, "mx\($0).\(String(repeating: "a", count: 60))") }
        try await ScriptedNameServer.run { query in
            switch (query.isStream, query.name) {
            case (false, _): [query.response(isTruncated: true)]
            case (true, "club.example"): [query.response(records)]
            case (true, "twice.example"): [query.response(isTruncated: true)]
            case (true, "forged.example"): [[0, 0] + query.response(records).dropFirst(2)]
            default: []
            }
        } during: { server in
            let client = try client(server, timeLimit: .seconds(60))
            guard case .found(let exchangers) = await client.exchangers(of: "club.example") else {
                Testing.Issue.record("no answer")
                return
            }
            #expect(exchangers.map(\.preference) == Array(1...400))
            #expect(server.queries.map(\.isStream) == [false, true])
            for (name, expected) in [
                ("twice.example", "truncated its response over TCP"), ("forged.example", "sent an invalid response"),
                ("closed.example", "cannot be reached"),
            ] {
                #expect(await client.exchangers(of: name) == .unknown("127.0.0.1:\(server.port) \(expected)"))
            }
        }
    }

    @Test(
        "an answer is remembered as long as the server allows, within bounds",
        arguments: [
            (300, nil, 300), (0, nil, 60), (1_000_000, nil, 86_400),
            (0, 900, 900), (0, 0, 300), (0, 80_000, 3600), (0, nil, 60),
        ] as [(UInt32, UInt32?, Int)])
    func lifetimes(lifetime: UInt32, minimum: UInt32?, seconds: Int) async throws {
        try await ScriptedNameServer.run { query in
            [
                minimum == nil
                    ? query.response([.mx(10, "mx.example")], lifetime: lifetime) : query.response(minimum: minimum)
            ]
        } during: { server in
            let clock = SetClock()
            let client = try client(server, clock: clock)
            let expected = minimum == nil ? DNSAnswer.found([Self.exchanger]) : DNSAnswer.none
            for (step, count) in [(0, 1), (seconds - 1, 1), (2, 2)] {
                clock.advance(by: .seconds(step))
                #expect(await client.exchangers(of: "CLUB.example") == expected)
                #expect(server.queries.count == count)
            }
        }
    }

    @Test("no more answers are remembered than there is room for")
    func capacity() async throws {
        try await ScriptedNameServer.run { query in
            [query.response([.mx(10, "mx.example")])]
        } during: { server in
            let client = try client(server, capacity: 2)
            for name in ["a", "b", "a", "c", "a", "b"] { _ = await client.exchangers(of: "\(name).example") }
            #expect(server.queries.map(\.name) == ["a.example", "b.example", "c.example", "b.example"])
        }
    }

    @Test("lookups of one name at the same time are one")
    func shared() async throws {
        try await ScriptedNameServer.run(delay: .milliseconds(200)) { query in
            [query.response([.mx(10, "mx.example")])]
        } during: { server in
            let client = try client(server)
            let answers = await withTaskGroup(of: DNSAnswer<MailExchanger>.self) { group in
                for _ in 0..<20 { group.addTask { await client.exchangers(of: "club.example") } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == Array(repeating: .found([Self.exchanger]), count: 20))
            #expect(server.queries.count == 1)
        }
    }

    @Test("no more lookups run at once than allowed, each from a port of its own")
    func concurrency() async throws {
        try await ScriptedNameServer.run(delay: .milliseconds(20)) { query in
            [query.response([.mx(10, "mx.example")])]
        } during: { server in
            let client = try client(server, concurrency: 3)
            await withDiscardingTaskGroup { group in
                for index in 0..<12 { group.addTask { _ = await client.exchangers(of: "a\(index).example") } }
            }
            #expect(server.queries.count == 12)
            #expect(server.mostPending == 3)
            // The system may use a port again.
            #expect(Set(server.queries.map(\.port)).count > 6)
            #expect(Set(server.queries.map { Array($0.bytes.prefix(2)) }).count > 6)
        }
    }

    @Test("a caller who is cancelled does not wait, and the lookup goes on for the others")
    func cancelled() async throws {
        try await ScriptedNameServer.run(delay: .milliseconds(500)) { query in
            [query.response([.mx(10, "mx.example")])]
        } during: { server in
            let client = try client(server)
            let impatient = Task { await client.exchangers(of: "club.example") }
            let patient = Task { await client.exchangers(of: "club.example") }
            impatient.cancel()
            #expect(await impatient.value == .unknown("the lookup was cancelled"))
            #expect(server.queries.count <= 1)
            #expect(await patient.value == .found([Self.exchanger]))
            #expect(server.queries.count == 1)
        }
    }
}

@Suite("DNS servers")
struct ResolverConfigurationTests {
    private func addresses(_ configuration: ResolverConfiguration) -> [String] {
        configuration.servers.map(ResolverConfiguration.text)
    }

    @Test("a list has addresses, with or without a port")
    func list() throws {
        let configuration = try ResolverConfiguration(servers: "192.0.2.1, 192.0.2.2:5353 ,[2001:db8::1]:54")
        #expect(addresses(configuration) == ["192.0.2.1:53", "192.0.2.2:5353", "[2001:db8::1]:54"])
        #expect(addresses(try ResolverConfiguration(servers: "2001:db8::1")) == ["[2001:db8::1]:53"])
    }

    @Test(
        "anything else is refused, and named",
        arguments: [
            "", "ns.example", "192.0.2.1,", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:", "192.0.2.1:+53",
            "2001:db8:1:2:3:4:5:6:53", "[2001:db8::1", "192.0.2.1;192.0.2.2",
            "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4",
        ])
    func invalid(text: String) {
        #expect(throws: ResolverInvalid.self) { try ResolverConfiguration(servers: text) }
    }

    @Test("the first three servers of a resolv.conf are used, and this machine if it has none")
    func resolvConf() throws {
        let text = """
            # nameserver 192.0.2.9
            search club.example
            nameserver 192.0.2.1
            nameserver\t2001:db8::1\r
            nameserver nonsense
            nameservers 192.0.2.8
            nameserver 192.0.2.2 # the last
            nameserver 192.0.2.3
            """
        #expect(
            addresses(ResolverConfiguration(resolvConf: text)) == ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"])
        #expect(addresses(ResolverConfiguration(resolvConf: "")) == ["127.0.0.1:53"])
        #expect(addresses(.system(path: "/does/not/exist")) == ["127.0.0.1:53"])
    }
}
