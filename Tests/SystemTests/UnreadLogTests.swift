import AsyncHTTPClient
import ClubProtocol
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import TestKit
import Testing

/// Standard error is a pipe, and no one reads it.
@Suite("unread log", .serialized)
struct UnreadLogTests {
    @Test(
        "a full pipe as standard error: requests are answered, ready is 200, lines are counted, SIGTERM ends it")
    func unread() async throws {
        try await TestClub.run([.directory], settings: ["LOG_LEVEL": "trace"]) { club in
            let directory = club[.directory]
            directory.signal(SIGTERM)
            #expect(await directory.waitForExit() == 0)
            // Its log becomes a pipe that is open at both ends and never read.
            let path = "\(club.folder)/directory.log"
            unlink(path)
            try #require(mkfifo(path, 0o600) == 0)
            let pipe = open(path, O_RDWR | O_NONBLOCK)
            try #require(pipe >= 0)
            defer { close(pipe) }
            try await directory.start(untilReady: false)
            try await eventually("it is ready") { await directory.health("ready") == 200 }

            let token = try club.token()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<400 {
                            var request = HTTPClientRequest(url: "\(directory.url)/v1/people?limit=1")
                            request.headers = ["Authorization": "Bearer \(token)"]
                            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
                            #expect(response.status == .ok)
                            _ = try await response.body.collect(upTo: 1 << 20)
                        }
                    }
                }
                try await group.waitForAll()
            }
            // The pipe is really full, and more than its 64 KiB and our buffer were written.
            var question = pollfd(fd: pipe, events: Int16(POLLOUT), revents: 0)
            #expect(poll(&question, 1, 0) == 0)
            #expect(await directory.health("ready") == 200)
            #expect(try await dropped(directory) > 0)

            directory.signal(SIGTERM)
            #expect(await directory.waitForExit(seconds: 25) == 0)
        }
    }

    @Test("the last line of a failing command is written before it ends")
    func lastLine() async throws {
        for _ in 0..<20 {
            let result = try await Executable("directory").run(["serve"], environment: ["PORT": "none"])
            #expect(result.status == 78)
            #expect(result.errors.hasPrefix("directory: "))
            #expect(result.errors.hasSuffix("\n"))
        }
    }

    private func dropped(_ service: ServiceProcess) async throws -> Double {
        let request = HTTPClientRequest(url: "\(service.operatorURL)/metrics")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let text = String(buffer: try await response.body.collect(upTo: 4 << 20))
        let line = text.split(separator: "\n").first { $0.hasPrefix("log_lines_dropped_total ") }
        return try #require(line?.split(separator: " ").last.flatMap { Double($0) })
    }
}
