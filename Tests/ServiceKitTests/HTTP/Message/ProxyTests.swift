import ClubProtocol
import Foundation
import HTTPTypes
import TestKit
import Testing

@testable import ServiceKit

@Suite("Behind a proxy")
struct ProxyTests {
    private static func proxies(_ texts: String...) throws -> TrustedProxies {
        TrustedProxies(try texts.map { try #require(IPNetwork($0)) })
    }

    @Test(
        "a request comes from the first hop that is not a trusted proxy",
        arguments: [
            ("for=192.0.2.43", "192.0.2.43"), ("For=\"192.0.2.43:47011\";proto=http;by=203.0.113.60", "192.0.2.43"),
            ("for=1.1.1.1, for=192.0.2.43", "192.0.2.43"), ("for=192.0.2.43, for=10.0.0.2,for=10.0.0.3", "192.0.2.43"),
            ("proto=https; FOR = \"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=\"[2001:db8::1]\"", "2001:db8::1"), ("for=\"[::ffff:192.0.2.1]\"", "192.0.2.1"),
            // What the client has sent itself, whatever it looks like.
            ("for=\"1.1.1.1, for=192.0.2.43", "192.0.2.43"), ("\"\",;;=, for=192.0.2.43", "192.0.2.43"),
            // All hops are proxies: the outermost one.
            ("for=10.0.0.9, for=10.0.0.2", "10.0.0.9"),
            // No address: the proxy's own.
            ("for=unknown", "10.0.0.1"), ("for=_hidden", "10.0.0.1"), ("for=192.0.2.43, for=unknown", "10.0.0.1"),
            ("for=192.0.2.43.5", "10.0.0.1"), ("for=\"[192.0.2.43]\"", "10.0.0.1"), ("", "10.0.0.1"), (",", "10.0.0.1"),
            ("for=\"[2001:db8::1", "10.0.0.1"), ("by=192.0.2.43", "10.0.0.1"), ("for=\"192.0.2.43", "10.0.0.1"),
        ])
    func forwarded(_ text: String, _ client: String) throws {
        let proxies = try Self.proxies("10.0.0.0/8")
        let peer = proxies.peer(IPAddress("10.0.0.1"))
        #expect(peer.proxies != nil)
        #expect(proxies.client(of: peer.client, forwarded: text, forwardedFor: nil).text == client)
    }

    @Test(
        "X-Forwarded-For is equivalent",
        arguments: [
            ("192.0.2.43", "192.0.2.43"), ("1.1.1.1, 192.0.2.43", "192.0.2.43"),
            ("192.0.2.43:47011, 10.0.0.2", "192.0.2.43"),
            ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]:4711", "2001:db8::1"), ("unknown", "10.0.0.1"),
            ("\"192.0.2.43\"", "10.0.0.1"), ("192.0.2.43, ", "10.0.0.1"), ("éé, 192.0.2.43", "192.0.2.43"),
        ])
    func forwardedFor(_ text: String, _ client: String) throws {
        let proxies = try Self.proxies("10.0.0.0/8")
        let proxy = proxies.peer(IPAddress("10.0.0.1")).client
        #expect(proxies.client(of: proxy, forwarded: nil, forwardedFor: text).text == client)
    }

    @Test("if two fields contradict each other the client is the proxy; two that agree are accepted")
    func contradiction() throws {
        let proxies = try Self.proxies("10.0.0.0/8")
        let proxy = proxies.peer(IPAddress("10.0.0.1")).client
        #expect(proxies.client(of: proxy, forwarded: "for=1.1.1.1", forwardedFor: "192.0.2.43").text == "10.0.0.1")
        #expect(proxies.client(of: proxy, forwarded: "for=192.0.2.43", forwardedFor: "192.0.2.43").text == "192.0.2.43")
        // A field without an address contradicts nothing.
        for forwarded in ["proto=https", "for=1.1.1.1, proto=https;by=10.0.0.1", ""] {
            let client = proxies.client(of: proxy, forwarded: forwarded, forwardedFor: "192.0.2.43")
            #expect(client.text == "192.0.2.43")
        }
    }

    @Test("a client that sends an unreadable chain shares one address's limits, without a proxy's exemption")
    func counted() throws {
        let proxies = try Self.proxies("10.0.0.0/8")
        let proxy = proxies.peer(IPAddress("10.0.0.1")).client
        for (forwarded, forwardedFor) in [("for=1.1.1.1", "192.0.2.43"), ("for=unknown", nil), (nil, "unknown")] {
            #expect(!proxies.client(of: proxy, forwarded: forwarded, forwardedFor: forwardedFor).isShared)
        }
        // The proxy sends its own requests, such as health checks.
        #expect(proxies.client(of: proxy, forwarded: nil, forwardedFor: nil).isShared)
        #expect(proxies.client(of: proxy, forwarded: "for=10.0.0.7", forwardedFor: nil).isShared)
    }

    @Test("an overlong chain is not followed")
    func length() throws {
        let proxies = try Self.proxies("10.0.0.0/8")
        let proxy = proxies.peer(IPAddress("10.0.0.1")).client
        let hops = "192.0.2.43, " + Array(repeating: "10.0.0.2", count: 40).joined(separator: ", ")
        #expect(proxies.client(of: proxy, forwarded: nil, forwardedFor: hops).text == "10.0.0.1")
        let wide = String(repeating: " ", count: 30_000) + "192.0.2.43"
        #expect(proxies.client(of: proxy, forwarded: nil, forwardedFor: wide).text == "10.0.0.1")
    }

    @Test("networks are read as written, and nothing else is one")
    func networks() throws {
        let address = try #require(IPAddress("192.0.2.77"))
        for text in [
            "::ffff:192.0.2.77", "::ffff:192.0.2.0/120", "192.0.2.77", "192.0.2.0/24", "192.0.2.64/26", "192.0.2.77/32",
            "0.0.0.0/0", "192.0.2.99/24",
        ] {
            #expect(try #require(IPNetwork(text)).contains(address), "\(text)")
        }
        for text in ["192.0.2.78", "192.0.2.0/26", "192.0.2.76/32", "::/0"] {
            #expect(try !#require(IPNetwork(text)).contains(address), "\(text)")
        }
        #expect(try #require(IPNetwork("2001:db8::/33")).contains(try #require(IPAddress("2001:db8:7fff::1"))))
        #expect(try !#require(IPNetwork("2001:db8::/33")).contains(try #require(IPAddress("2001:db8:8000::1"))))
        for text in [
            "", "example.org", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10/8", "::/129", "/8",
            "::ffff:10.0.0.0/8", "fe80::1%eth0", "fe80::1%1", "fe80::%eth0/64", "fe80::1%25eth0",
        ] {
            #expect(IPNetwork(text) == nil, "\(text)")
        }
    }

    @Test("each client has its own rate; fields from anyone but a trusted proxy are ignored")
    func rates() async throws {
        let proxies = try Self.proxies("10.0.0.0/8")
        try await withTickets(limits: {
            $0.anonymousRate = RateLimit(perSecond: 0.001, burst: 2)
            $0.trustedProxies = proxies
        }) { (tickets) async throws in
            func statuses(_ address: String, _ fields: [String: String]...) async throws -> [Int] {
                var statuses: [Int] = []
                for fields in fields {
                    let answer = try await tickets.send(.get, "/v1/ping", bytes: [], by: nil, from: address, fields)
                    statuses.append(answer.status)
                }
                return statuses
            }
            let (one, other) = (["X-Forwarded-For": "192.0.2.1"], ["Forwarded": "for=192.0.2.2"])
            #expect(
                try await statuses("10.0.0.1", one, one, one, other, other, other) == [200, 200, 429, 200, 200, 429])
            // Another proxy, the same client.
            #expect(try await statuses("10.0.0.2", one) == [429])
            // Made up by someone who is not a trusted proxy.
            let forged = (3...6).map { ["X-Forwarded-For": "192.0.2.\($0)", "Forwarded": "for=192.0.2.\($0)"] }
            #expect(
                try await statuses("198.51.100.7", forged[0], forged[1], forged[2], forged[3]) == [200, 200, 429, 429])
            // One customer's IPv6 network counts as one client.
            let house = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::3"]
            #expect(try await statuses(house[0], [:], [:]) == [200, 200])
            #expect(try await statuses(house[1], [:]) == [429])
            #expect(try await statuses("10.0.0.1", ["X-Forwarded-For": house[2]]) == [429])
            #expect(try await statuses("2001:db8:1:3::1", [:]) == [200])
        }
    }

    @Test("a proxy on this machine is trusted over a socket, too")
    func socket() async throws {
        let proxies = try Self.proxies("127.0.0.1")
        try await withTickets(limits: {
            $0.anonymousRate = RateLimit(perSecond: 0.001, burst: 1)
            $0.trustedProxies = proxies
        }) { (tickets) async throws in
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                for (client, status) in [("192.0.2.1", 200), ("192.0.2.2", 200), ("192.0.2.1", 429)] {
                    await socket.send("GET /v1/ping HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: \(client)\r\n\r\n")
                    #expect(await socket.read(until: "}").hasPrefix("HTTP/1.1 \(status)"))
                }
            }
        }
    }
}

@Suite("The memory of a process")
struct ProcessMemoryTests {
    @Test("is the least limit of the groups that contain it")
    func groups() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: root) }
        func write(_ path: String, _ text: String) throws {
            let url = URL(fileURLWithPath: "\(root)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        #expect(ProcessMemory.controlGroup(root: root, membership: nil) == nil)
        try write("a/memory.max", "max\n")
        #expect(ProcessMemory.controlGroup(root: root, membership: "0::/a/b\n") == nil)
        try write("a/b/memory.max", "268435456\n")
        #expect(ProcessMemory.controlGroup(root: root, membership: "0::/a/b\n") == 256 << 20)
        try write("a/memory.max", "134217728\n")
        #expect(ProcessMemory.controlGroup(root: root, membership: "0::/a/b\n") == 128 << 20)
        // In a container, the container's group is the root.
        try write("memory.max", "67108864\n")
        #expect(ProcessMemory.controlGroup(root: root, membership: "0::/\n") == 64 << 20)
        try write("memory/c/memory.limit_in_bytes", "33554432\n")
        #expect(ProcessMemory.controlGroup(root: root, membership: "5:cpu,memory:/c\n") == 32 << 20)
        #expect(ProcessMemory.smallest(of: [nil, 5, 3]) == 3)
        #expect(ProcessMemory.limit > 0)
        #expect(HTTPLimits().bufferedBytes <= min(256 << 20, ProcessMemory.limit / 4))
    }
}
