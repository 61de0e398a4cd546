import Foundation
import Testing

@testable import Postgres

@Suite("The password file") struct PasswordFileTests {
    private func password(_ content: String, _ host: PostgresHost, database: String = "d", user: String = "u")
        -> String?
    {
        PasswordFile(Array(content.utf8), directory: "/run").password(for: host, database: database, user: user)
    }

    @Test("has fields that match a host, its port, the database and the user; the first line counts")
    func lines() {
        let host = PostgresHost(name: "h")
        for (content, found) in [
            ("h:5432:d:u:secret", "secret"), ("h:5432:d:u:secret\r\n", "secret"), ("*:*:*:*:secret\n", "secret"),
            ("x:5432:d:u:no\n\nh:*:d:*:secret\nh:5432:d:u:later", "secret"), ("#h:5432:d:u:no\n*:*:*:*:yes", "yes"),
            ("h:5432:d:u:a\\:b\\\\c\\d:more", "a:b\\cd"), ("h:5432:d:u: a b ", " a b "), ("h:5432:d:u:a\\", "a\\"),
            ("\\h:5432:d:u:secret", "secret"), ("h:5432:d:u:é", "é"),
            ("", nil), ("h", nil), ("h:5432:d:u", nil), ("h:5432:d:u:", nil), ("h:5433:d:u:no", nil),
            ("h:*:dd:u:no", nil),
            ("hh:*:*:*:no", nil), ("*h:*:*:*:no", nil), ("h*:*:*:*:no", nil), ("\\*:*:*:*:no", nil),
            ("H:*:*:*:no", nil),
            ("h:5432::u:no", nil), ("\u{FEFF}h:*:*:*:no", nil),
        ] {
            #expect(password(content, host) == found, "\(content)")
        }
        #expect(password("\\:\\:1:*:*:*:a", PostgresHost(name: "::1")) == "a")
        #expect(password("*:*:a\\:b:c\\\\d:a", host, database: "a:b", user: "c\\d") == "a")
        // The same letter with another spelling is another name.
        #expect(password("*:*:*:\u{E9}:a", host, user: "e\u{301}") == nil)
    }

    @Test("knows a host by its name, an address without one, and the default Unix socket as localhost")
    func hosts() {
        for (host, name) in [
            (PostgresHost(name: "h", address: "127.0.0.1"), "h"), (PostgresHost(address: "127.0.0.1"), "127.0.0.1"),
            (PostgresHost(name: "/run"), "localhost"), (PostgresHost(name: "/tmp"), "/tmp"),
        ] {
            #expect(password("other:*:*:*:no\n\(name):*:*:*:yes\n*:*:*:*:no", host) == "yes", "\(host)")
        }
    }

    @Test("is looked up for each host, unless a password is given")
    func use() throws {
        let files = [
            "/home/me/.pgpass": "a:1:me:me:first\nb:*:*:*:second\n", "/other": "*:*:*:*:other", "/empty": "",
        ]
        for (url, environment, expected) in [
            ("postgres://a:1,b,c", [:], ["first", "second", nil]), ("host=a port=1 password=x", [:], ["x"]),
            ("host=a port=1", ["PGPASSWORD": "x"], ["x"]), ("host=a", ["PGPASSFILE": "/other"], ["other"]),
            ("host=b passfile=/empty", ["PGPASSFILE": "/other"], [nil]), ("host=b passfile=/nowhere", [:], [nil]),
        ] as [(String, [String: String], [String?])] {
            let configuration = try PostgresConfiguration(
                url: url,
                Surroundings(
                    environment: environment, user: "me", home: "/home/me",
                    read: { files[$0].map { Surroundings.File(bytes: Array($0.utf8), isPrivate: true) } }))
            let found = configuration.hosts.map { configuration.session(for: $0, readsOnly: false).password }
            #expect(found == expected, "\(url)")
            #expect(configuration.ignoredPasswordFile == nil)
        }
    }

    @Test("is ignored if others can read it, or if it is no file")
    func permissions() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = "\(folder)/pgpass"
        try Data("*:*:*:*:secret".utf8).write(to: URL(fileURLWithPath: file))
        func configuration(_ path: String) throws -> PostgresConfiguration {
            var surroundings = Surroundings.process
            surroundings.environment = [:]
            return try PostgresConfiguration(url: "host=h user=u passfile=\(path)", surroundings)
        }
        for (mode, isUsed) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
            let configuration = try configuration(file)
            let password = configuration.session(for: configuration.hosts[0], readsOnly: false).password
            #expect(password == (isUsed ? "secret" : nil), "\(mode)")
            #expect(configuration.ignoredPasswordFile == (isUsed ? nil : file), "\(mode)")
        }
        for path in [folder, "/dev/null", "\(folder)/nowhere"] {
            #expect(try configuration(path).ignoredPasswordFile == nil)
        }
    }
}
