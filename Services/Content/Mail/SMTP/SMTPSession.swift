import ClubProtocol
import FoundationEssentials
import NIOCore

/// One conversation with an SMTP server, used by one task.
final class SMTPSession: MailSession {
    private let channel: any Channel
    private var replies: NIOAsyncChannelInboundStream<SMTPReply>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let sender: EmailAddress
    private(set) var isUsable = true

    init(
        channel: any Channel, replies: NIOAsyncChannelInboundStream<SMTPReply>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, sender: EmailAddress
    ) {
        self.channel = channel
        self.replies = replies
        self.outbound = outbound
        self.sender = sender
    }

    /// The connection was lost, or the server no longer speaks SMTP.
    private struct Lost: Error {}

    // MARK: Opening

    /// Greeting, EHLO, TLS and authentication; throws ``MailUnreachable`` when the server does not accept us.
    func open(_ transport: SMTPTransport) async throws {
        do {
            try expect(await reply(), "the greeting")
            let features = try await hello()
            var isSecret = transport.secure
            if !transport.secure, transport.startTLS != .never {
                if features.contains("STARTTLS") {
                    try await startTLS(transport)
                    isSecret = true
                    // Replies before TLS are not trusted (RFC 3207, 4.2): ask again, and discard the first reply.
                    _ = try await hello()
                } else if transport.startTLS == .required {
                    throw MailUnreachable(reason: "the server does not offer STARTTLS, which MAIL_URL requires")
                }
            }
            if let user = transport.user, let password = transport.password {
                guard isSecret || SMTPTransport.isLoopback(channel.remoteAddress) else {
                    throw MailUnreachable(
                        reason:
                            "the server does not offer STARTTLS, and MAIL_URL has a password, which is sent after TLS only"
                    )
                }
                let secret = Data("\0\(user)\0\(password)".utf8).base64EncodedString()
                try expect(await command("AUTH PLAIN \(secret)"), "AUTH")
            }
        } catch let error as MailUnreachable {
            throw error
        } catch {
            throw MailUnreachable(reason: "\(Self.end(error)) before the first message")
        }
    }

    /// From the server's reply on, only TLS is read.
    private func startTLS(_ transport: SMTPTransport) async throws {
        try expect(await command("STARTTLS"), "STARTTLS")
        try await withNothingUnasked { channel in
            try channel.pipeline.syncOperations.addHandler(transport.tlsHandler(), position: .first)
        }
    }

    /// Runs `body` on the channel's event loop, provided that the server has sent only what was requested.
    private func withNothingUnasked(_ body: @escaping @Sendable (any Channel) throws -> Void) async throws {
        let isClean = try await channel.eventLoop.submit { [channel] in
            // A closed channel has no handlers.
            let gate = try? channel.pipeline.syncOperations.handler(type: SMTPReplyGate.self)
            guard gate?.isClean == true else { return false }
            try body(channel)
            return true
        }.get()
        guard isClean else {
            _ = try await reply()
            throw Lost()
        }
    }

    /// How a session ended, in words for people.
    private static func end(_ error: any Error) -> String {
        error is SMTPReplyGate.Unasked
            ? "the server sent a reply to no command, which suggests a man in the middle,"
            : "the connection was lost"
    }

    private func hello() async throws -> Set<String> {
        let reply = try await command("EHLO localhost")
        try expect(reply, "EHLO")
        return Set(reply.lines.map { $0.uppercased() })
    }

    private func expect(_ reply: SMTPReply, _ what: String) throws {
        guard reply.isPositive else { throw MailUnreachable(reason: "\(what) was answered with \(reply.text)") }
    }

    // MARK: Messages

    func deliver(_ message: MailMessage) async -> MailOutcome {
        do {
            for line in ["MAIL FROM:<\(sender)>", "RCPT TO:<\(message.to.address)>", "DATA"] {
                let reply = try await command(line)
                guard reply.isPositive else { return await refusal(reply) }
            }
            try await withNothingUnasked { _ in }
        } catch {
            isUsable = false
            return .postponed("\(Self.end(error)) before the text went out")
        }
        do {
            let reply = try await say(Self.dotStuffed(message.bytes))
            return reply.isPositive ? .accepted(reply.text) : await refusal(reply)
        } catch {
            isUsable = false
            return .uncertain("\(Self.end(error)) while the message went out")
        }
    }

    /// A refused message; the session continues with the next one, unless the server is closing (421).
    private func refusal(_ reply: SMTPReply) async -> MailOutcome {
        if reply.code == 421 {
            isUsable = false
        } else if (try? await command("RSET"))?.isPositive != true {
            isUsable = false
        }
        return reply.isPermanent ? .refused(reply.text) : .postponed(reply.text)
    }

    func quit() async {
        if isUsable { _ = try? await command("QUIT") }
        isUsable = false
    }

    /// RFC 5321, 4.5.2: a line that begins with a dot gets another one; a line with only a dot ends the text.
    static func dotStuffed(_ bytes: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes.count + 64)
        var atLineStart = true
        for byte in bytes {
            if atLineStart, byte == UInt8(ascii: ".") { buffer.writeInteger(UInt8(ascii: ".")) }
            buffer.writeInteger(byte)
            atLineStart = byte == UInt8(ascii: "\n")
        }
        buffer.writeString(atLineStart ? ".\r\n" : "\r\n.\r\n")
        return buffer
    }

    // MARK: The wire

    private func command(_ line: String) async throws -> SMTPReply {
        try await say(ByteBuffer(string: line + "\r\n"))
    }

    /// Sends one command or one text, and reads the reply.
    private func say(_ bytes: ByteBuffer) async throws -> SMTPReply {
        // If the write fails, the read reports why.
        try? await outbound.write(bytes)
        return try await reply()
    }

    /// The next reply; a server that stays silent too long counts as lost.
    private func reply() async throws -> SMTPReply {
        let channel = channel
        let timer = channel.eventLoop.scheduleTask(in: .seconds(Int64(SMTPTransport.longestAnswer))) {
            channel.close(promise: nil)
        }
        defer { timer.cancel() }
        guard let reply = try await replies.next() else { throw Lost() }
        return reply
    }
}
