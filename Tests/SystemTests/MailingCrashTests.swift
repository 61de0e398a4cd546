import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import ServiceKit
import TestKit
import Testing

/// The sender dies in the middle of a mailing.
@Suite("mailing crash", .serialized)
struct MailingCrashTests {
    private static var addresses: Int {
        ProcessInfo.processInfo.environment["LONG_TESTS"] == nil ? 1_500 : 5_000
    }

    @Test("kill -9 while mails go to a Maildir: each address has exactly one")
    func maildir() async throws {
        try await TestClub.run([.directory, .content]) { club in
            let issue = try await startMailing(in: club)
            let folder = "\(club.folder)/mail/new"
            let killed = try await killInTheMiddle(of: club) {
                (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
            }
            #expect(killed < Self.addresses)
            try await club[.content].start()
            let sent = try await waitUntilSent(issue, in: club)
            #expect(sent.counts.sent == Self.addresses)
            let recipients = try FileManager.default.contentsOfDirectory(atPath: folder).map { file in
                try recipient(in: String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8))
            }
            #expect(recipients.count == Self.addresses)
            #expect(Set(recipients).count == Self.addresses)
        }
    }

    @Test("kill -9 while mails go over SMTP: each address has one mail, or a row in state uncertain")
    func smtp() async throws {
        try await ScriptedMailServer.run { server in
            let url = "smtp://127.0.0.1:\(server.port)?starttls=never&connections=4"
            try await TestClub.run([.directory, .content], settings: ["MAIL_URL": url]) { club in
                let issue = try await startMailing(in: club)
                let killed = try await killInTheMiddle(of: club) { server.accepted.count }
                #expect(killed < Self.addresses)
                try await club[.content].start()
                let edition = try await waitUntilSent(issue, in: club)
                #expect(edition.counts.sent + edition.counts.uncertain == Self.addresses)
                // At most one mail was on its way on each of the four connections.
                #expect(edition.counts.uncertain <= 4)
                let recipients = server.accepted.map(\.recipient)
                #expect(Set(recipients).count == recipients.count)
                let uncertain = try await uncertainAddresses(issue, in: club)
                #expect(Set(recipients).union(uncertain).count == Self.addresses)
            }
        }
    }

    @Test("negative control: where the commit before a text is undone, kill -9 leads to doubles")
    func uncommitted() async throws {
        try await ScriptedMailServer.run { server in
            // The kill hits sixteen mails, some of them between their text and the record of its answer.
            let url = "smtp://127.0.0.1:\(server.port)?starttls=never&connections=16"
            try await TestClub.run([.directory, .content], settings: ["MAIL_URL": url]) { club in
                try await forgetBeginnings(in: club)
                let issue = try await startMailing(in: club)
                _ = try await killInTheMiddle(of: club) { server.accepted.count }
                try await club[.content].start()
                _ = try await waitUntilSent(issue, in: club)
                #expect(server.accepted.count > Set(server.accepted.map(\.recipient)).count)
            }
        }
    }

    // MARK: Steps

    /// The statement says that a text may begin; what it recorded is gone when it commits.
    private func forgetBeginnings(in club: TestClub) async throws {
        try await club.database.withClient { database in
            try await database.execute(
                """
                create function content.forget_beginning() returns trigger language plpgsql as $$
                begin
                    update content.outgoing_mail set state = 'pending' where id = new.id and state = 'sending';
                    return null;
                end $$
                """)
            try await database.execute(
                """
                create constraint trigger forget_beginning after update on content.outgoing_mail
                deferrable initially deferred for each row when (new.state = 'sending')
                execute function content.forget_beginning()
                """)
        }
    }

    private func startMailing(in club: TestClub) async throws -> ClubProtocol.Issue.ID {
        let header = "subKind,name,email,postalCode,commune,flashInfo\n"
        let rows = (0..<Self.addresses).map { "webAgency,Agence \($0),agence.\($0)@agence.example,64000,Pau,true\n" }
        let report = try await club.client(.directory).upload(
            ImportExperts.request(query: .init(mode: .apply)), body: OneChunk(text: header + rows.joined()))
        try #require(report.applied, "\(report.errors.prefix(3))")
        let content = try club.client(.content)
        let issue = try await content.send(CreateIssue.request(body: .init(title: "Flash info de l'été")))
        _ = try await content.send(
            AddIssueItem.request(
                path: issue.id,
                body: .init(kind: .technical, title: "Une nouvelle", text: "Du texte, avec des accents : é è à.")))
        _ = try await content.send(TransitionIssue.request(path: issue.id, body: .init(to: .sending)))
        return issue.id
    }

    /// Kills the sender once a tenth has been sent; returns how many had been when it was dead.
    private func killInTheMiddle(of club: TestClub, sent: () -> Int) async throws -> Int {
        for _ in 0..<3000 where sent() < Self.addresses / 10 {
            try await Task.sleep(for: .milliseconds(10))
        }
        try #require(sent() >= Self.addresses / 10, "nothing goes out: \(club[.content].output.suffix(2000))")
        club[.content].signal(SIGKILL)
        await club[.content].waitForExit()
        return sent()
    }

    private func waitUntilSent(
        _ issue: ClubProtocol.Issue.ID, in club: TestClub
    ) async throws -> Edition {
        let content = try club.client(.content)
        for _ in 0..<600 {
            let now = try await content.send(GetIssue.request(path: issue))
            if now.state == .sent { return try #require(now.editions.first { $0.audience == .experts }) }
            try await Task.sleep(for: .milliseconds(200))
        }
        let now = try await content.send(GetIssue.request(path: issue))
        throw ServiceProcess.Failure(description: "still \(now.state.rawValue): \(now.editions)")
    }

    private func uncertainAddresses(_ issue: ClubProtocol.Issue.ID, in club: TestClub) async throws -> Set<String> {
        let page = try await club.client(.content).send(
            ListDeliveries.request(path: issue, query: .init(.init(state: .uncertain)), body: Empty()))
        return Set(page.items.map(\.email.text))
    }

    private func recipient(in message: String) throws -> String {
        let line = try #require(message.components(separatedBy: "\r\n").first { $0.hasPrefix("To: ") })
        return String(line.split(separator: "<").last ?? "")
    }
}

/// A text as the body of an upload.
struct OneChunk: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let text: String

    func makeAsyncIterator() -> Iterator { Iterator(text: text) }

    struct Iterator: AsyncIteratorProtocol {
        var text: String?

        mutating func next() async -> ByteBuffer? {
            defer { text = nil }
            return text.map { ByteBuffer(string: $0) }
        }
    }
}
