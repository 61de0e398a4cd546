import ClubProtocol
import Foundation
import TestKit
import Testing

@testable import Content

@Suite("SMTP")
struct SMTPTransportTests {
    private func transport(port: Int) throws -> any MailTransport {
        try MailTransports.named(by: "smtp://127.0.0.1:\(port)?starttls=never&from=info@club.example")
    }

    private func message(to address: EmailAddress, _ text: String = "Bonjour\n.\n..fin") -> MailMessage {
        MailMessage(
            id: MailMessage.ID(), from: .init(name: nil, address: "info@club.example"),
            to: .init(name: nil, address: address),
            subject: "Essai", date: Date(), text: text, html: "<p>\(text)</p>")
    }

    /// Delivers one message to each address over one session, as long as it lasts.
    private func deliver(_ addresses: [EmailAddress], port: Int) async throws -> [MailOutcome] {
        try await transport(port: port).withSession { session in
            var outcomes: [MailOutcome] = []
            for address in addresses where session.isUsable {
                outcomes.append(await session.deliver(message(to: address)))
            }
            return outcomes
        }
    }

    @Test("several messages go over one connection and arrive as they were")
    func severalMessages() async throws {
        try await ScriptedMailServer.run { server in
            let outcomes = try await deliver(["a@x.example", "b@x.example", "c@x.example"], port: server.port)
            #expect(outcomes == Array(repeating: .accepted("250 taken"), count: 3))
            #expect(server.accepted.map(\.recipient) == ["a@x.example", "b@x.example", "c@x.example"])
            #expect(Set(server.accepted.compactMap { $0.header("Message-ID") }).count == 3)
            #expect(server.accepted.allSatisfy { $0.text.contains("\r\n.\r\n..fin") })
        }
    }

    @Test("a refused recipient is final, a greylisted one is not, and the session goes on")
    func refusals() async throws {
        try await ScriptedMailServer.run { server in
            server.inject(.refuseRecipient("550 no such user"), .refuseRecipient("451 later"))
            let outcomes = try await deliver(["a@x.example", "b@x.example", "c@x.example"], port: server.port)
            #expect(outcomes == [.refused("550 no such user"), .postponed("451 later"), .accepted("250 taken")])
        }
    }

    @Test("a refused text is told from a lost answer")
    func textRefused() async throws {
        try await ScriptedMailServer.run { server in
            server.inject(.refuseText("554 spam"))
            #expect(try await deliver(["a@x.example"], port: server.port) == [.refused("554 spam")])
            server.inject(.dropAfterText)
            let outcomes = try await deliver(["b@x.example", "c@x.example"], port: server.port)
            #expect(outcomes.count == 1)
            guard case .uncertain = outcomes[0] else { Testing.Issue.record("\(outcomes)"); return }
        }
    }

    @Test("a connection that is lost before the text went out is no loss")
    func lostBeforeText() async throws {
        try await ScriptedMailServer.run { server in
            server.inject(.dropBeforeText)
            let outcomes = try await deliver(["a@x.example"], port: server.port)
            guard case .postponed = outcomes[0] else { Testing.Issue.record("\(outcomes)"); return }
        }
    }

    @Test("a server that is busy, or none at all, is unreachable")
    func unreachable() async throws {
        let closed = try await ScriptedMailServer.run { server in
            server.inject(.busyGreeting)
            await #expect(throws: MailUnreachable.self) { try await deliver(["a@x.example"], port: server.port) }
            return server.port
        }
        await #expect(throws: MailUnreachable.self) { try await deliver(["a@x.example"], port: closed) }
    }

    @Test("a server without STARTTLS is refused where it is required")
    func startTLSRequired() async throws {
        try await ScriptedMailServer.run { server in
            let transport = try MailTransports.named(by: "smtp://127.0.0.1:\(server.port)?starttls=required")
            await #expect(throws: MailUnreachable.self) {
                try await transport.withSession { session in await session.deliver(message(to: "a@x.example")) }
            }
            #expect(server.accepted.isEmpty)
        }
    }
}

@Suite("MAIL_URL")
struct MailURLTests {
    @Test(
        "what says nothing we know is refused with a reason",
        arguments: [
            nil, "", "imap://host", "smtp://", "maildir:", "smtp://h?starttls=maybe", "smtp://h?connections=0",
            "smtp://h?from=nobody",
        ])
    func refused(url: String?) {
        #expect(throws: MailURLInvalid.self) { try MailTransports.named(by: url) }
    }

    @Test("user, password and port are read")
    func read() throws {
        let transport = try #require(
            try MailTransports.named(by: "smtps://jean%40club:p%3Aw@mail.example?connections=7") as? SMTPTransport)
        #expect(transport.port == 465)
        #expect(transport.secure)
        #expect(transport.user == "jean@club")
        #expect(transport.password == "p:w")
        #expect(transport.sessions == 7)
    }
}

@Suite("Maildir")
struct MaildirTests {
    @Test("a message handed over twice is one file, whole, and nothing is left under tmp")
    func twice() async throws {
        let path = NSTemporaryDirectory() + "maildir-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let maildir = try Maildir(path: path, sender: "info@club.example")
        let message = MailMessage(
            id: MailMessage.ID(), from: .init(name: nil, address: "info@club.example"),
            to: .init(name: nil, address: "a@x.example"), subject: "Essai", date: Date(), text: "Bonjour", html: "")
        for _ in 1...2 {
            let outcome = try await maildir.withSession { await $0.deliver(message) }
            guard case .accepted = outcome else { Testing.Issue.record("\(outcome)"); return }
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(path)/new")
        #expect(files.count == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(path)/new/\(files[0])")) == Data(message.bytes))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/tmp").isEmpty)
    }
}
