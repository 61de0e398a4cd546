import Foundation
import Testing

/// The decisions of the scripts in `deploy/`, through their shared functions.
@Suite("the scripts")
struct DeployTests {
    /// Runs lines of bash after `deploy/lib.sh`, for a club in a folder of this name.
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

    @Test("a program that a build has replaced is detected, and stopped by its process identifier")
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

    @Test("a folder may have any name: it is encoded in the database's URL")
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

    @Test("the progress of a build is read from SwiftPM's last line of output")
    func steps() throws {
        let text = try script(
            #"""
            mkdir -p "$log_dir"
            log=$log_dir/build.log
            build_steps "$log"; say
            printf 'warning: none\n' > "$log"; build_steps "$log"; say
            printf '[1/40] Compiling A\n[12/345] Compiling [B]\nnote: [3]\n' >> "$log"; build_steps "$log"; say
            for time in 40000 9960000 12300000 185000000; do took "$time"; say; done
            """#)
        #expect(
            text == """
                reading the packages
                reading the packages
                12 of 345 steps
                0.0 s
                9.9 s
                12 s
                3 min 05 s

                """)
    }

    @Test(
        "without a terminal a stage prints its progress on a line of its own from time to time, and its time at the end"
    )
    func progress() throws {
        let lines = #"""
            mkdir -p "$log_dir"
            slow() { for step in 1 2 3 4 5 6 7 8; do printf '[%s/8] Compiling\n' "$step"; sleep 0.4; done; }
            begin build
            watch "events, " build_steps "$log_dir/build.log" slow
            done_stage "all"
            watch "" build_steps "$log_dir/build.log" false || say "failed with $?"
            """#
        let often = try script(lines, settings: ["CLUB_PROGRESS_SECONDS": "1"]).split(separator: "\n")
        #expect(often.dropLast(2).count >= 1)
        #expect(often.dropLast(2).allSatisfy { $0.wholeMatch(of: /build: events, \d of 8 steps, \d\.\d s/) != nil })
        #expect(often.suffix(2).first?.wholeMatch(of: /build +\d+(\.\d)? s  \(all\)/) != nil)
        #expect(often.last == "failed with 1")
        // With a long interval, only the end is printed.
        #expect(try script(lines, settings: ["CLUB_PROGRESS_SECONDS": "3600"]).split(separator: "\n").count == 2)
    }
}
