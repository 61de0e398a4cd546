import ClubProtocol
import Foundation
import NIOCore
import TestKit
import Testing

@testable import Content

@Suite("mailbox providers")
struct MailProvidersTests {
    @Test("the table is consistent: each domain once, each a domain name in lower case")
    func table() {
        let domains = MailProviders.all.flatMap(\.domains)
        #expect(Set(domains).count == domains.count)
        for domain in domains + MailProviders.all.flatMap(\.exchangerDomains) {
            #expect(DomainName.ascii(domain.utf8) == domain)
        }
        #expect(
            MailProviders.all.map(\.code) == [
                "orange", "free", "sfr", "laposte", "bouygues", "gmail", "microsoft", "yahoo", "apple",
            ])
    }

    @Test(
        "a mailbox's domain names its provider",
        arguments: [
            ("wanadoo.fr", "orange"), ("Orange.FR", "orange"), ("chez.com", "free"), ("neuf.fr", "sfr"),
            ("laposte.net", "laposte"), ("bbox.fr", "bouygues"), ("gmail.com", "gmail"), ("hotmail.fr", "microsoft"),
            ("aol.com", "yahoo"), ("me.com", "apple"), ("club.example", nil), ("x.orange.fr", nil), ("", nil),
        ] as [(String, String?)])
    func domains(domain: String, code: String?) {
        #expect(MailProviders.provider(of: domain)?.code == code)
    }

    @Test(
        "the first mail exchanger names the provider of a hosted domain",
        arguments: [
            (["aspmx.l.google.com", "mx.ovh.net"], "gmail"), (["smtp.google.com"], "gmail"),
            (["club-example.mail.protection.outlook.com"], "microsoft"), (["club.j-v1.mx.microsoft"], "microsoft"),
            (["mta7.am0.yahoodns.net"], "yahoo"), (["mx01.mail.icloud.com"], "apple"),
            (["smtp-in.orange.fr"], "orange"),
            (["mx1.mail.ovh.net", "aspmx.l.google.com"], nil), (["notgoogle.com"], nil), (["google.com.evil.fr"], nil),
            (["a\\046google.com"], nil), ([""], nil), ([], nil),
        ] as [([String], String?)])
    func exchangers(hosts: [String], code: String?) {
        let exchangers = hosts.map { MailExchanger(preference: 10, host: $0) }
        #expect(MailProviders.provider(ofExchangers: exchangers)?.code == code)
    }

    @Test("a lane has its provider's rule, and never more connections than the transport")
    func rules() {
        let limits = MailLimitsFile()
        #expect(limits.rule(of: "orange", connections: 8) == LaneRule(connections: 2, messagesPerConnection: 100))
        #expect(limits.rule(of: "yahoo", connections: 8).messagesPerConnection == 20)
        #expect(limits.rule(of: "gmail", connections: 1).connections == 1)
        #expect(limits.rule(of: "other", connections: 8) == LaneRule(connections: 8, messagesPerConnection: 100))
        #expect(
            limits.rule(of: LaneName.domain("club.example"), connections: 8)
                == LaneRule(connections: 1, messagesPerConnection: 20))
    }
}

@Suite("MAIL_LIMITS_FILE")
struct MailLimitsFileTests {
    private func withFile<Result>(_ content: String, _ body: (String) throws -> Result) throws -> Result {
        let file = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(content.utf8).write(to: file)
        return try body(file.path)
    }

    @Test("a rule changes in what the file names")
    func changes() throws {
        let content = """
            {"orange": {"messagesPerMinute": 300, "messagesPerDay": 5000}, "other": {"connections": 3},
             "domain:example.org": {"connections": 2, "messagesPerConnection": 5}, "free": {}}
            """
        let limits = try withFile(content) { try MailLimitsFile(path: $0) }
        #expect(
            limits.rule(of: "orange", connections: 8)
                == LaneRule(connections: 2, messagesPerConnection: 100, messagesPerMinute: 300, messagesPerDay: 5000))
        #expect(limits.rule(of: "other", connections: 8) == LaneRule(connections: 3, messagesPerConnection: 100))
        #expect(limits.rule(of: "other", connections: 2).connections == 2)
        #expect(
            limits.rule(of: "domain:example.org", connections: 8)
                == LaneRule(connections: 2, messagesPerConnection: 5))
        for lane in ["free", "gmail", "domain:other.example"] {
            #expect(limits.rule(of: lane, connections: 8) == MailLimitsFile().rule(of: lane, connections: 8))
        }
    }

    @Test(
        "an error names the file, the key and what is wrong, on one line",
        arguments: [
            ("", "is not JSON, or has a duplicate key"), ("{", "is not JSON, or has a duplicate key"),
            (#"{"free": {}, "free": {}}"#, "is not JSON, or has a duplicate key"), ("[]", "must be an object of lanes"),
            (#"{"ornage": {}}"#, #""ornage" is not a lane: orange, "#),
            (#"{"Orange": {}}"#, #""Orange" is not a lane"#),
            (#"{"domain:": {}}"#, #""domain:" is not a lane"#), (#"{"domain:Ex.org": {}}"#, "is not a lane"),
            (#"{"domain:localhost": {}}"#, "is not a lane"), (#"{"a\nb\u2028": {}}"#, #""ab" is not a lane"#),
            (#"{"free": 3}"#, "free must be an object of limits"),
            (#"{"free": null}"#, "free must be an object of limits"),
            (#"{"free": {"conections": 3}}"#, #"free/"conections" is not a limit: connections, "#),
            (#"{"free": {"connections": 0}}"#, "free/connections must be a whole number from 1 to 32"),
            (#"{"free": {"connections": 33}}"#, "free/connections must be"),
            (#"{"free": {"connections": "2"}}"#, "free/connections must be"),
            (#"{"free": {"connections": 1.5}}"#, "free/connections must be"),
            (#"{"free": {"connections": null}}"#, "free/connections must be"),
            (#"{"free": {"messagesPerConnection": -1}}"#, "free/messagesPerConnection must be"),
            (#"{"free": {"messagesPerMinute": 100001}}"#, "free/messagesPerMinute must be"),
            (#"{"free": {"messagesPerDay": 99999999999999999999}}"#, "free/messagesPerDay must be"),
            (#"{"b": {}, "a": {}}"#, #""a" is not a lane"#),
        ])
    func invalid(content: String, reason: String) throws {
        try withFile(content) { path in
            let error = #expect(throws: MailLimitsInvalid.self) { try MailLimitsFile(path: path) }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("MAIL_LIMITS_FILE \(path): ") && text.contains(reason), "\(text)")
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x2028 })
        }
    }

    @Test("a file that is absent, a folder, or longer than 64 KiB is refused")
    func unreadable() throws {
        for path in ["/does/not/exist", "/tmp"] {
            let error = #expect(throws: MailLimitsInvalid.self) { try MailLimitsFile(path: path) }
            #expect(error?.reason.hasPrefix("cannot be read: ") == true)
        }
        let blank = String(repeating: " ", count: 65_534)
        _ = try withFile("{}" + blank) { try MailLimitsFile(path: $0) }
        try withFile("{}" + blank + " ") { path in
            let error = #expect(throws: MailLimitsInvalid.self) { try MailLimitsFile(path: path) }
            #expect(error?.reason == "is longer than 65536 bytes")
        }
    }
}

@Suite("finding lanes")
struct LaneFinderTests {
    private func finder(_ server: ScriptedNameServer, timeLimit: Duration = .seconds(20)) throws -> LaneFinder {
        let resolver = try ResolverConfiguration(servers: "127.0.0.1:\(server.port)")
        return LaneFinder(
            client: DNSClient(resolver, timeLimit: .seconds(30), concurrency: 200), timeLimit: timeLimit)
    }

    @Test("a known domain needs no DNS, a hosted one is found by its exchangers, and once")
    func lane() async throws {
        try await ScriptedNameServer.run { query in
            switch query.name {
            case "hosted.example": [query.response([.mx(20, "mx.ovh.net"), .mx(10, "ASPMX.L.google.com")])]
            case "null.example": [query.response([.mx(0, "")])]
            case "own.example": [query.response([.mx(10, "mx.own.example")])]
            case "broken.example": [query.response(code: 2)]
            default: [query.response(code: 3, minimum: 300)]
            }
        } during: { server in
            let finder = try finder(server)
            #expect(await finder.lane(of: "orange.fr") == "orange")
            #expect(server.queries.isEmpty)
            let domains = ["hosted.example", "null.example", "own.example", "broken.example", "missing.example"]
            var lanes: [String] = []
            for domain in domains + ["hosted.example"] { lanes.append(await finder.lane(of: domain)) }
            #expect(lanes == ["gmail", "other", "other", "other", "other", "gmail"])
            #expect(server.queries.filter { $0.name == "hosted.example" }.count == 1)
            // What was not answered is asked again: twice each time.
            _ = await finder.lane(of: "broken.example")
            #expect(server.queries.filter { $0.name == "broken.example" }.count == 4)
        }
    }

    @Test("the lanes of many domains are looked up side by side, at most fifty at once")
    func many() async throws {
        try await ScriptedNameServer.run(delay: .milliseconds(30)) { query in
            [query.response([.mx(10, query.name.hasPrefix("a") ? "aspmx.l.google.com" : "mx.own.example")])]
        } during: { server in
            let hosted = (0..<60).map { "a\($0).example" }
            let own = (0..<60).map { "b\($0).example" }
            let lanes = try await finder(server).lanes(of: hosted + own + hosted + ["free.fr"])
            #expect(lanes.count == 121)
            #expect(hosted.allSatisfy { lanes[$0] == "gmail" } && own.allSatisfy { lanes[$0] == "other" })
            #expect(lanes["free.fr"] == "free")
            #expect(server.queries.count == 120)
            #expect(server.mostPending <= 50 && server.mostPending > 10)
        }
    }

    @Test("when the time is over, domains without an answer are in the common lane")
    func timeLimit() async throws {
        try await ScriptedNameServer.run { query in
            query.name.hasPrefix("a") ? [query.response([.mx(10, "aspmx.l.google.com")])] : []
        } during: { server in
            let silent = (0..<60).map { "b\($0).example" }
            let start = ContinuousClock.now
            let lanes = try await finder(server, timeLimit: .seconds(1)).lanes(of: ["a.example", "sfr.fr"] + silent)
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(lanes["a.example"] == "gmail" && lanes["sfr.fr"] == "sfr")
            #expect(silent.allSatisfy { lanes[$0] == "other" })
        }
    }

    @Test("no domains have no lanes, without waiting")
    func none() async throws {
        try await ScriptedNameServer.run { _ in
            []
        } during: { server in
            let start = ContinuousClock.now
            let lanes = try await finder(server).lanes(of: [])
            #expect(lanes.isEmpty)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }
}
