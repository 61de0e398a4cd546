import Foundation
import Testing

/// What the scripts of `deploy/` decide, by the functions they share.
@Suite("the scripts")
struct DeployTests {
    /// Runs lines of bash after `deploy/lib.sh`, for a club that stands in a folder of this name.
    private func script(_ lines: String, in folder: String = "club", settings: [String: String] = [:]) throws -> String
    {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("deploy-\(UUID().uuidString)")
        let local = home.appendingPathComponent(folder)
        try FileManager.default.createDirectory(at: local, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: home) }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let bash = Process()
        bash.executableURL = URL(fileURLWithPath: "/bin/bash")
        bash.arguments = ["-c", ". '\(root.path)/deploy/lib.sh'\n" + lines]
        bash.environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "CLUB_LOCAL": local.path,
        ]
        .merging(settings) { $1 }
        let output = Pipe()
        bash.standardOutput = output
        try bash.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        bash.waitUntilExit()
        #expect(bash.terminationStatus == 0)
        return text
    }

    @Test("a program that a build has replaced is known, and stopped by its number")
    func replaced() throws {
        let text = try script(
            """
            mkdir -p "$run_dir"
            bin() { printf '%s/%s' "$local_dir" "$1"; }
            build() { cp "$(command -v sleep)" "$(bin events).new"; mv "$(bin events).new" "$(bin events)"; }
            build
            # Who runs the tests may ignore the signal, and what it starts would, too.
            env --default-signal=TERM "$(bin events)" 300 > /dev/null 2>&1 &
            printf '%s' "$!" > "$run_dir/events.pid"
            for _ in $(seq 100); do current events && break; sleep 0.05; done
            alive events && current events && say current
            build
            alive events && ! current events && say replaced
            stop_services events directory
            alive events || say stopped
            """)
        #expect(text == "current\nreplaced\nstopped\n")
    }

    @Test("a folder may have any name: in the URL of the database it is encoded")
    func names() throws {
        let lines = #"mkdir -p "$secrets_dir"; printf secret > "$secrets_dir/events.password"; database_url events"#
        let query = try #require(URLComponents(string: script(lines, in: "a b%20&é'"))?.queryItems)
        let host = try #require(query.first { $0.name == "host" }?.value)
        #expect(host == "127.0.0.1" || host.hasSuffix("/a b%20&é'/run/postgres"))
        #expect(query.map(\.name) == ["host", "port", "user", "password"])
        let encoded = try script(#"encoded "/a b%20&é'""#)
        #expect(encoded == "/a%20b%2520%26%C3%A9%27")
    }

    @Test("a cluster is started by the version that made it, and by no other")
    func versions() throws {
        let text = try script(
            """
            newest=$(postgres_bin)
            [[ $(postgres_bin "$("$newest/initdb" --version | sed -E 's/.* ([0-9]+).*/\\1/')") == "$newest" ]] && say same
            postgres_bin 7 > /dev/null || say none
            """)
        #expect(text == "same\nnone\n")
    }

    @Test("each service has a public address of its own")
    func publicAddresses() throws {
        let text = try script(
            #"local_environment; say "$DIRECTORY_PUBLIC_URL $CONTENT_PUBLIC_URL""#,
            settings: ["CLUB_CONTENT_PUBLIC_URL": "https://info.club.example", "CLUB_PORT_BASE": "17000"])
        #expect(text == "http://127.0.0.1:17001 https://info.club.example\n")
    }
}
