import ClubProtocol
import Foundation
import NIOCore
import NIOSSL
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

    /// Delivers one message to each address over one connection, until that ends.
    private func deliver(_ addresses: [EmailAddress], port: Int) async throws -> [String] {
        try await transport(port: port).outcomes(of: addresses.map { message(to: $0) })
    }

    @Test("several messages go over one connection and arrive unchanged")
    func severalMessages() async throws {
        try await ScriptedMailServer.run { server in
            let outcomes = try await deliver(["a@x.example", "b@x.example", "c@x.example"], port: server.port)
            #expect(outcomes == Array(repeating: "accepted: 250 taken", count: 3))
            #expect(server.accepted.map(\.recipient) == ["a@x.example", "b@x.example", "c@x.example"])
            #expect(Set(server.accepted.compactMap { $0.header("Message-ID") }).count == 3)
            #expect(server.accepted.allSatisfy { $0.text.contains("\r\n=2E\r\n..fin") })
        }
    }

    @Test("a refused recipient is final, a greylisted one is not, and the session continues")
    func refusals() async throws {
        try await ScriptedMailServer.run { server in
            server.inject(.refuseRecipient("550 no such user"), .refuseRecipient("451 later"))
            let outcomes = try await deliver(["a@x.example", "b@x.example", "c@x.example"], port: server.port)
            #expect(
                outcomes == [
                    "refused at recipient: 550 no such user", "refused at recipient: 451 later", "accepted: 250 taken",
                ])
        }
    }

    @Test(
        "what a server says of a message holds, if it closes for too many errors then",
        arguments: [["PIPELINING"], []])
    func refusedAndClosed(features: [String]) async throws {
        try await ScriptedMailServer.run { server in
            server.offer(features)
            server.inject(.refuseRecipient("550 no such user\r\n421 too many errors"))
            let outcomes = try await deliver(["a@x.example", "b@x.example"], port: server.port)
            #expect(outcomes == ["refused at recipient: 550 no such user", "closed"])
        }
    }

    @Test("what a server says of a message holds, if the connection is lost then")
    func refusedAndLost() async throws {
        try await ScriptedMailServer.run { server in
            server.offer(["PIPELINING"])
            server.inject(.refuseRecipient("550 no such user"), .dropBeforeText)
            let outcomes = try await deliver(["a@x.example", "b@x.example"], port: server.port)
            #expect(outcomes == ["refused at recipient: 550 no such user", "closed"])
        }
    }

    @Test("a server that closes has said nothing of the message")
    func closed() async throws {
        try await ScriptedMailServer.run { server in
            server.inject(.refuseRecipient("421 closing"))
            let outcomes = try await deliver(["a@x.example", "b@x.example"], port: server.port)
            #expect(outcomes == ["refused at recipient: 421 closing", "closed"])
        }
    }

    @Test("a refused text is distinguished from a lost reply")
    func textRefused() async throws {
        try await ScriptedMailServer.run { server in
            server.inject(.refuseText("554 spam"))
            let refused = try await deliver(["a@x.example"], port: server.port)
            #expect(refused == ["refused at text: 554 spam"])
            server.inject(.dropAfterText)
            let outcomes = try await deliver(["b@x.example", "c@x.example"], port: server.port)
            #expect(outcomes == ["uncertain: the connection was lost while the message went out"])
        }
    }

    @Test("a connection lost before the text was sent loses nothing")
    func lostBeforeText() async throws {
        try await ScriptedMailServer.run { server in
            server.inject(.dropBeforeText)
            let outcomes = try await deliver(["a@x.example"], port: server.port)
            #expect(outcomes == ["lost: the connection was lost before the text went out"])
        }
    }

    @Test("a busy or missing server is unreachable")
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
                _ = try await transport.outcomes(of: [message(to: "a@x.example")])
            }
            #expect(server.accepted.isEmpty)
        }
    }
}

/// Replies before TLS are not authenticated.
@Suite("SMTP before and after TLS")
struct SMTPSecrecyTests {
    private func transport(_ port: Int, _ startTLS: String, host: String = "localhost") throws -> SMTPTransport {
        let url = "smtp://jean:secret@\(host):\(port)?starttls=\(startTLS)&from=info@club.example"
        var transport = try #require(try MailTransports.named(by: url) as? SMTPTransport)
        transport.authorities = .certificates([try LoopbackCertificate.certificate()])
        return transport
    }

    /// - Returns: the reason why there was no session; nil when a message was accepted.
    private func deliver(by transport: SMTPTransport) async throws -> String? {
        let message = MailMessage(
            id: MailMessage.ID(), from: .init(name: nil, address: "info@club.example"),
            to: .init(name: nil, address: "a@x.example"), subject: "Essai", date: Date(), text: "Bonjour", html: "")
        do {
            let outcomes = try await transport.outcomes(of: [message])
            #expect(outcomes == ["accepted: 250 taken"])
            return nil
        } catch let error as MailUnreachable {
            return error.reason
        }
    }

    @Test("the password is sent after TLS, and EHLO is repeated there")
    func startTLS() async throws {
        try await ScriptedMailServer.run { server in
            server.offer(["STARTTLS", "AUTH LOGIN"], afterTLS: ["AUTH PLAIN"])
            let reason = try await deliver(by: transport(server.port, "required"))
            #expect(reason == nil)
            let lines = server.lines
            #expect(lines.prefix(3) == ["EHLO [127.0.0.1]", "STARTTLS", "tls:EHLO [127.0.0.1]"])
            #expect(lines.dropFirst(3).first?.hasPrefix("tls:AUTH PLAIN ") == true)
            #expect(lines.dropFirst(2).allSatisfy { $0.hasPrefix("tls:") } && server.accepted.count == 1)
        }
    }

    @Test("a server with an untrusted certificate gets no password")
    func unknownServer() async throws {
        try await ScriptedMailServer.run { server in
            server.offer(["STARTTLS"])
            var transport = try transport(server.port, "required")
            transport.authorities = .default
            #expect(try await deliver(by: transport) != nil)
            #expect(server.lines == ["EHLO [127.0.0.1]", "STARTTLS"])
        }
    }

    @Test(
        "replies injected behind the one to STARTTLS are not trusted: the connection is closed",
        arguments: ["250-mail.example\r\n250 AUTH PLAIN", "235 welcome", "250", "x"])
    func injected(text: String) async throws {
        try await ScriptedMailServer.run { server in
            server.offer(["STARTTLS"])
            for startTLS in ["optional", "required"] {
                server.inject(text, behind: .startTLS)
                let reason = try await deliver(by: transport(server.port, startTLS))
                #expect(reason?.contains("a reply to no command") == true, "\(reason ?? "")")
            }
            #expect(
                server.lines.allSatisfy { ["EHLO [127.0.0.1]", "STARTTLS"].contains($0) } && server.accepted.isEmpty)
        }
    }

    @Test(
        "replies injected before STARTTLS was sent are not trusted after TLS",
        arguments: [ScriptedMailServer.Occasion.connection, .hello])
    func injectedBefore(occasion: ScriptedMailServer.Occasion) async throws {
        let rest = """
            220 go
            250-mail.example
            250 AUTH PLAIN
            235 welcome
            250 sender
            250 recipient
            354 go on
            250 taken
            221 bye
            """.split(separator: "\n")
        let hello = ["250-mail.example", "250 STARTTLS"]
        let replies = (occasion == .connection ? hello : []) + rest.map(String.init)
        try await ScriptedMailServer.run { server in
            server.offer(["STARTTLS"])
            for startTLS in ["optional", "required"] {
                server.inject(replies.joined(separator: "\r\n"), behind: occasion, silencing: true)
                let reason = try await deliver(by: transport(server.port, startTLS))
                #expect(reason?.contains("a reply to no command") == true, "\(reason ?? "taken")")
            }
            #expect(!server.lines.contains { $0.hasBytePrefix("tls:") } && server.accepted.isEmpty)
        }
    }

    @Test(
        "an unsolicited reply ends a session at any point: nothing unsent is reported as sent",
        arguments: [ScriptedMailServer.Occasion.authentication, .sender, .recipient, .data, .text],
        ["never", "required"])
    func unasked(occasion: ScriptedMailServer.Occasion, startTLS: String) async throws {
        try await ScriptedMailServer.run { server in
            server.offer(["STARTTLS"], afterTLS: ["AUTH PLAIN"])
            server.inject("250 taken\r\n354 go on\r\n250 taken\r\n250 taken", behind: occasion)
            server.inject(.refuseText("554 spam"))
            let transport = try transport(server.port, startTLS)
            if occasion == .authentication {
                // The session is open, and ends at the first command.
                let outcomes = try await outcomes(by: transport)
                #expect(outcomes.allSatisfy { $0.hasPrefix("lost: ") } && server.texts == 0, "\(outcomes)")
                return
            }
            let outcomes = try await outcomes(by: transport)
            if occasion == .text, outcomes.first == "refused at text: 554 spam" {
                #expect(server.texts == 1 && outcomes.dropFirst().allSatisfy { $0.hasPrefix("lost: ") }, "\(outcomes)")
            } else {
                #expect(outcomes.count == 1)
                #expect(outcomes[0].hasPrefix("lost: ") && outcomes[0].contains("a reply to no command"), "\(outcomes)")
                #expect(server.texts == 0)
            }
            #expect(server.accepted.isEmpty)
        }
    }

    /// The outcomes of two messages over one session, until that ends.
    private func outcomes(by transport: SMTPTransport) async throws -> [String] {
        try await transport.outcomes(
            of: (1...2).map { _ in
                MailMessage(
                    id: MailMessage.ID(), from: .init(name: nil, address: "info@club.example"),
                    to: .init(name: nil, address: "a@x.example"), subject: "Essai", date: Date(), text: "Bonjour",
                    html: "")
            })
    }

    @Test("a password is never sent in clear text, except to this machine itself")
    func inTheClear() async throws {
        try await ScriptedMailServer.run { server in
            for host in ["localhost", "127.0.0.1"] {
                let reason = try await deliver(by: transport(server.port, "never", host: host))
                #expect(reason == nil)
            }
            #expect(server.lines.count { $0.hasPrefix("AUTH PLAIN ") } == 2)
        }
        for (address, isLoopback) in [
            ("127.0.0.1", true), ("127.8.9.10", true), ("::1", true), ("::ffff:127.0.0.1", true), ("128.0.0.1", false),
            ("10.0.0.1", false), ("::2", false), ("::", false), ("::ffff:10.0.0.1", false), ("2001:db8::1", false),
        ] {
            let socket = try SocketAddress(ipAddress: address, port: 25)
            #expect(SMTPTransport.isLoopback(socket) == isLoopback, "\(address)")
        }
        let file = try SocketAddress(unixDomainSocketPath: "/run/mail")
        #expect(SMTPTransport.isLoopback(file))
        #expect(!SMTPTransport.isLoopback(nil) && !SMTPTransport.isLoopback(host: "localhost.example"))
    }
}

@Suite("MAIL_URL")
struct MailURLTests {
    @Test(
        "an invalid URL is refused with a reason",
        arguments: [
            nil, "", "imap://host", "smtp://", "maildir:", "smtp://h?starttls=maybe", "smtp://h?connections=0",
            "smtp://h?from=nobody", "smtp://jean:x@h?starttls=never", "smtp://jean@10.0.0.1?starttls=never",
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
        #expect(transport.connections == 7)
    }
}

@Suite("Maildir")
struct MaildirTests {
    @Test("a message handed over twice is one complete file, and tmp is left empty")
    func twice() async throws {
        let path = NSTemporaryDirectory() + "maildir-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let maildir = try Maildir(path: path, sender: "info@club.example")
        let message = MailMessage(
            id: MailMessage.ID(), from: .init(name: nil, address: "info@club.example"),
            to: .init(name: nil, address: "a@x.example"), subject: "Essai", date: Date(), text: "Bonjour", html: "")
        for _ in 1...2 {
            let outcomes = try await maildir.outcomes(of: [message])
            #expect(outcomes.first?.hasPrefix("accepted: ") == true, "\(outcomes)")
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(path)/new")
        #expect(files.count == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(path)/new/\(files[0])")) == Data(message.bytes))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/tmp").isEmpty)
    }
}

extension MailTransport {
    /// The outcomes of messages over one connection, until that ends.
    func outcomes(of messages: [MailMessage]) async throws -> [String] {
        let texts = messages.map { message in
            let text = ByteBuffer(bytes: message.bytes)
            let envelope = MailEnvelope(
                id: message.id, sender: sender, recipient: message.to.address, size: text.readableBytes)
            return (envelope: envelope, text: text)
        }
        let session = try await connect()
        var outcomes: [String] = []
        var isOffered = false
        for (place, message) in texts.enumerated() {
            let next = place + 1 < texts.count ? texts[place + 1].envelope : nil
            if !isOffered { await session.offer(message.envelope) }
            isOffered = false
            switch await session.answer(within: .seconds(30)) {
            case .refused(let reply, let stage, let isLast)?:
                outcomes.append("refused at \(stage): \(reply.text)")
                if isLast { return outcomes + ["closed"] }
                continue
            case .lost(let reason)?: return outcomes + ["lost: \(reason)"]
            case nil: return outcomes + ["no answer"]
            case .ready?: break
            }
            await session.send(message.text, then: next)
            switch await session.outcome(within: .seconds(30)) {
            case nil: return outcomes + ["no answer"]
            case .accepted(let reply)?: outcomes.append("accepted: \(reply)")
            case .refused(let reply)?: outcomes.append("refused at text: \(reply.text)")
            case .lost(let reason)?: return outcomes + ["lost: \(reason)"]
            case .uncertain(let reason)?: return outcomes + ["uncertain: \(reason)"]
            }
            isOffered = next != nil
        }
        await session.close()
        return outcomes
    }
}
