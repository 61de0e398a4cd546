import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("outages around mail")
struct MailOutageTests {
    @Test("the directory is down: what has its readers goes out, what has not waits, and goes out when it is back")
    func directory() async throws {
        try await Mailroom.run { room, _ in
            let waiting = try await room.draft()
            try await room.transition(waiting, to: .sending)
            let frozen = try await room.issue(to: ["a@x.example", "b@x.example"])
            #expect(try await room.until(frozen, is: .sent).editions.map(\.counts.sent).reduce(0, +) == 2)
            let now = try await room.get(waiting)
            #expect(now.state == .sending)
            #expect(now.frozenAt == nil)
            #expect(now.editions.allSatisfy { !$0.resolved && $0.counts.total == 0 })
            #expect(try await room.content.operatorPage("/health/ready").text.contains("directory"))
            // The job waits for its next attempt; it is not given up.
            let job = try await room.database.first(
                "select attempt, maximum_attempts from job where kind = 'issue.freeze'")
            #expect(try #require(try job?["maximum_attempts", as: Int.self]) == 600)
        }
    }

    @Test(
        "the mail server is down for a day: no attempt is counted, nothing fails, health says it; then each is sent once"
    )
    func relay() async throws {
        let port = try FreePort.next()
        try await Mailroom.run(mailURL: "smtp://127.0.0.1:\(port)?starttls=never&connections=4") { room, _ in
            let readers = (1...20).map { "r\($0)@x.example" }
            let issue = try await room.issue(to: readers)
            try await eventually("health says that the mail server cannot be reached") {
                try await room.content.operatorPage("/health/ready").text.contains("mail server cannot be reached")
            }
            let attempts = try await room.database.first("select max(attempt) as most from outgoing_mail")
            #expect(try attempts?["most"] == 0)
            #expect(try await room.count(.pending) == 20)
            #expect(try await room.get(issue).state == .sending)
            try await ScriptedMailServer.run(port: port) { server in
                try await room.until(issue, is: .sent)
                #expect(server.accepted.map(\.recipient).count == 20)
                #expect(Set(server.accepted.map(\.recipient)).count == 20)
            }
            try await eventually("health is well again") {
                try await !room.content.operatorPage("/health/ready").text.contains("mail server cannot be reached")
            }
        }
    }
}
