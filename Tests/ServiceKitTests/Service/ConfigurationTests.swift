import ClubProtocol
import Foundation
import Logging
import Postgres
import Testing

@testable import ServiceKit

@Suite("Configuration")
struct ConfigurationTests {
    /// A folder with files for one test.
    final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path

        init() throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func file(_ name: String, _ text: String = "{}") throws -> String {
            let file = "\(path)/\(name)"
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            return file
        }
    }

    private let folder: Folder
    private let complete: [String: String]

    init() throws {
        folder = try Folder()
        complete = [
            "DATABASE_URL": "postgres://events@127.0.0.1:5432/club", "SIGNING_KEY_FILE": try folder.file("key.json"),
            "TRUST_FILE": try folder.file("trust.json"), "DIRECTORY_URL": "http://127.0.0.1:7001/",
        ]
    }

    private func read(
        _ changes: [String: String?] = [:], flags: [String: String] = [:]
    ) throws -> ServiceConfiguration {
        let environment = changes.reduce(into: complete) { $0[$1.key] = $1.value }
        return try ServiceConfiguration(service: .events, calling: [.directory], flags: flags, environment: environment)
    }

    @Test("proxies are addresses and networks; anything else prevents the start")
    func trustedProxies() throws {
        let proxies = try read(["TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1,2001:db8::/32"]).limits.trustedProxies
        for (text, isProxy) in [
            ("10.9.9.9", true), ("192.0.2.1", true), ("::ffff:192.0.2.1", true), ("2001:db8:1::1", true),
            ("192.0.2.2", false), ("2001:db9::1", false),
        ] {
            #expect(proxies.contains(try #require(IPAddress(text))) == isProxy, "\(text)")
        }
        #expect(try !read().limits.trustedProxies.contains(try #require(IPAddress("127.0.0.1"))))
        for wrong in [
            "proxy.example.org", "10.0.0.0/33", "10.0.0.1,,10.0.0.2", "*", "10.0.0.1;10.0.0.2", ",", "fe80::1%eth0",
        ] {
            let problem = #expect(throws: ConfigurationProblem.self) { try read(["TRUSTED_PROXIES": wrong]) }
            #expect(problem?.variable == "TRUSTED_PROXIES", "\(wrong)")
        }
    }

    @Test("the longest body fits in the memory for bodies")
    func bufferedBytes() throws {
        let limits = try read(["MAX_BUFFERED_BYTES": "4194304", "MAX_CONNECTIONS": "100"]).limits
        #expect(limits.bufferedBytes == 4 << 20 && limits.connectionsPerAddress == 25)
        #expect(limits.bufferedBytesPerAddress > limits.maxBodyBytes)
        let problem = #expect(throws: ConfigurationProblem.self) { try read(["MAX_BUFFERED_BYTES": "1048576"]) }
        #expect(problem?.variable == "MAX_BODY_BYTES")
    }

    @Test("absent settings have sensible defaults")
    func defaults() throws {
        let configuration = try read()
        #expect(configuration.host == "127.0.0.1")
        #expect(configuration.port == 7002)
        #expect(configuration.operatorPort == 7102)
        #expect(configuration.logLevel == .info)
        #expect(configuration.logFormat == .json)
        #expect(configuration.peers == [.directory: "http://127.0.0.1:7001"])
        #expect(configuration.database.searchPath == "events")
        #expect(configuration.database.applicationName == "events")
        #expect(configuration.mailURL == nil)
        #expect(configuration.drain == .seconds(1))
    }

    @Test("an empty variable counts as absent")
    func empty() throws {
        #expect(try read(["PORT": "", "MAIL_URL": ""]).port == 7002)
    }

    @Test("flags override the environment, the environment overrides the file")
    func precedence() throws {
        let file = try folder.file(
            "config.json", #"{"port": 1, "host": "0.0.0.0", "operator": {"port": 2}, "log": {"level": "debug"}}"#)
        let environment: [String: String?] = ["CONFIG_FILE": file, "PORT": "3", "OPERATOR_PORT": "4"]
        let configuration = try read(environment, flags: ["PORT": "5"])
        #expect(configuration.port == 5)
        #expect(configuration.operatorPort == 4)
        #expect(configuration.host == "0.0.0.0")
        #expect(configuration.logLevel == .debug)
    }

    @Test("a file named by a stronger layer overrides a value of a weaker one")
    func secretPrecedence() throws {
        let secret = try folder.file("mail", "smtp://of-the-flag\n")
        #expect(
            try read(["MAIL_URL": "maildir:/of-the-environment"], flags: ["MAIL_URL_FILE": secret]).mailURL
                == "smtp://of-the-flag")
    }

    @Test("a secret comes from a file, without the newline at its end")
    func secretFile() throws {
        let url = try folder.file("url", "postgres://events:secret@127.0.0.1/club\r\n")
        _ = try read(["DATABASE_URL": nil, "DATABASE_URL_FILE": url])
        let peer = try folder.file("peer", "http://directory:7001\n")
        #expect(
            try read(["DIRECTORY_URL": nil, "DIRECTORY_URL_FILE": peer]).peers[.directory] == "http://directory:7001")
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        var changes: [String: String?]
        var line: String
        var testDescription: String { line }
    }

    @Test(
        "a wrong value prevents the start, with one line that names the variable",
        arguments: [
            Wrong(changes: ["PORT": "seven"], line: "PORT: must be a whole number from 0 to 65535"),
            Wrong(changes: ["PORT": "65536"], line: "PORT: must be a whole number from 0 to 65535"),
            Wrong(changes: ["OPERATOR_PORT": "-1"], line: "OPERATOR_PORT: must be a whole number from 0 to 65535"),
            Wrong(changes: ["OPERATOR_PORT": "7002"], line: "OPERATOR_PORT: must not be the port of the API"),
            Wrong(changes: ["DATABASE_URL": nil], line: "DATABASE_URL: is missing: a libpq URL, postgres://…"),
            Wrong(changes: ["DATABASE_URL": "mysql://x:pass@y"], line: "DATABASE_URL: is not a libpq connection URL"),
            Wrong(
                changes: ["DATABASE_URL": "postgres://x:pass@y?sslcrl=z"],
                line: "DATABASE_URL: is not usable: sslcrl is not supported"),
            Wrong(
                changes: ["DATABASE_URL_FILE": "/x"], line: "DATABASE_URL: is given twice, also as DATABASE_URL_FILE"),
            Wrong(
                changes: ["DATABASE_URL": nil, "DATABASE_URL_FILE": "/nowhere/url"],
                line: "DATABASE_URL_FILE: /nowhere/url cannot be read"),
            Wrong(
                changes: ["EDITORS_EMAIL": "redaction"], line: "EDITORS_EMAIL: is not a valid e-mail address"),
            Wrong(
                changes: ["SENDER_FILE": "/nowhere/sender"], line: "SENDER_FILE: /nowhere/sender cannot be read"),
            Wrong(changes: ["DIRECTORY_URL": nil], line: "DIRECTORY_URL: is missing: events calls this service"),
            Wrong(
                changes: ["DIRECTORY_URL": "directory:7001"],
                line: "DIRECTORY_URL: must be a URL such as http://127.0.0.1:7001"),
            Wrong(
                changes: ["CONTENT_URL": "ftp://content"],
                line: "CONTENT_URL: must be a URL such as http://127.0.0.1:7001"),
            Wrong(
                changes: ["SIGNING_KEY_FILE": nil],
                line: "SIGNING_KEY_FILE: is missing: the service's private key, made by `club keys init`"),
            Wrong(
                changes: ["SIGNING_KEY_FILE": "/nowhere/key"], line: "SIGNING_KEY_FILE: /nowhere/key cannot be read"),
            Wrong(
                changes: ["TRUST_FILE": nil], line: "TRUST_FILE: is missing: the public keys, made by `club keys init`"),
            Wrong(
                changes: ["LOG_LEVEL": "loud"],
                line: "LOG_LEVEL: must be one of trace, debug, info, notice, warning, error, critical"),
            Wrong(changes: ["LOG_FORMAT": "xml"], line: "LOG_FORMAT: must be one of json, text"),
            Wrong(
                changes: ["DRAIN_SECONDS": "soon"], line: "DRAIN_SECONDS: must be a number of seconds from 0.0 to 10.0"),
            Wrong(
                changes: ["SHUTDOWN_SECONDS": "26"],
                line: "SHUTDOWN_SECONDS: must be a number of seconds from 1.0 to 25.0"),
            Wrong(
                changes: ["MAX_BODY_BYTES": "1"], line: "MAX_BODY_BYTES: must be a whole number from 1024 to 268435456"),
            Wrong(changes: ["CONFIG_FILE": "/nowhere.json"], line: "CONFIG_FILE: /nowhere.json cannot be read"),
        ])
    func wrong(_ wrong: Wrong) throws {
        let problem = #expect(throws: ConfigurationProblem.self) { try read(wrong.changes) }
        #expect(problem?.description == wrong.line)
    }

    @Test("a file with an unknown key, without an object or with a list is refused")
    func wrongFiles() throws {
        let unknown = try folder.file("unknown.json", #"{"prot": 1}"#)
        let list = try folder.file("list.json", #"{"port": [1]}"#)
        let text = try folder.file("text.json", "port=1")
        for (file, reason) in [
            (unknown, "\(unknown) has the unknown key prot"), (list, "\(list): port is neither text nor a number"),
            (text, "\(text) is not a JSON object"),
        ] {
            let problem = #expect(throws: ConfigurationProblem.self) { try read(["CONFIG_FILE": file]) }
            #expect(problem?.description == "CONFIG_FILE: \(reason)")
        }
    }

    @Test("no description contains a secret")
    func noSecrets() throws {
        let empty = try folder.file("empty", "\n")
        for changes: [String: String?] in [
            ["DATABASE_URL": "nonsense://user:hunter2@host"], ["DIRECTORY_URL": "http://user:hunter2@host"],
            ["DATABASE_URL": nil, "DATABASE_URL_FILE": empty],
        ] {
            let problem = #expect(throws: ConfigurationProblem.self) { try read(changes) }
            #expect(problem?.description.contains("hunter2") == false)
        }
    }

    @Test("migrate requires the URL of the schemas' owner, and runs for the service's role by default")
    func migrate() throws {
        let configuration = try MigrateConfiguration(
            service: .events, environment: ["MIGRATE_DATABASE_URL": "postgres://migrator@127.0.0.1/club"])
        #expect(configuration.runtimeRole == "events")
        let problem = #expect(throws: ConfigurationProblem.self) {
            try MigrateConfiguration(service: .events, environment: complete)
        }
        #expect(problem?.variable == "MIGRATE_DATABASE_URL")
    }
}
