import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import Postgres
import ServiceKit
import TestKit
import Testing

/// The yearly confirmation with real processes, two per service, one of which dies while the letters are sent.
@Suite("confirmation crash", .serialized)
struct ConfirmationCrashTests {
    private static let experts = 300

    @Test("kill -9 in both services while confirmations are mailed: all get one letter, with a working link")
    func killed() async throws {
        try await TestClub.run([.directory, .content], replicas: [.directory, .content]) { club in
            let header = "subKind,name,email,postalCode,commune\n"
            let rows = (0..<Self.experts).map { "webAgency,Agence \($0),agence.\($0)@agence.example,64000,Pau\n" }
            let report = try await club.client(.directory).upload(
                ImportExperts.request(query: .init(mode: .apply)), body: OneChunk(text: header + rows.joined()))
            try #require(report.applied)
            try await club.database.withClient { client in
                _ = try await client.execute("update directory.expert set confirmed_at = now() - interval '1 year'")
            }
            let asked = try await call(club)
            #expect(asked == Self.experts)

            let folder = "\(club.folder)/mail"
            #expect(try await wait(for: 20, in: folder) >= 20)
            for name in [ServiceName.directory, .content] {
                club[name].signal(SIGKILL)
                await club[name].waitForExit()
            }
            let sent = count(folder)
            #expect(sent < Self.experts)
            for name in [ServiceName.directory, .content] { try await club[name].start() }
            #expect(try await call(club) == 0)

            _ = try await wait(for: Self.experts, in: folder)
            let mails = try CaughtMail.all(in: folder)
            #expect(mails.count == Self.experts)
            #expect(Set(mails.map(\.recipient)).count == Self.experts)
            let link = try #require(mails.first?.link)
            let page = try await HTTPClient.shared.execute(HTTPClientRequest(url: link), timeout: .seconds(20))
            let body = try await page.body.collect(upTo: 1 << 20)
            #expect(String(decoding: body.readableBytesView, as: UTF8.self).contains("Je confirme"))
        }
    }

    private func count(_ folder: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/new").count) ?? 0
    }

    /// Waits at most three minutes for this number of mails; returns how many there are. A mail whose sender died is
    /// retried after a minute and a half, when its mail server can no longer be replying.
    private func wait(for mails: Int, in folder: String) async throws -> Int {
        for _ in 0..<18_000 {
            let now = count(folder)
            if now >= mails { return now }
            try await Task.sleep(for: .milliseconds(10))
        }
        return count(folder)
    }

    /// Calls from every process at once; returns how many people were asked.
    private func call(_ club: TestClub) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for process in club.processes(of: .directory) {
                let client = try club.client(process)
                for _ in 0..<2 {
                    group.addTask { try await client.send(RequestConfirmations.request()).experts }
                }
            }
            return try await group.reduce(0, +)
        }
    }
}
