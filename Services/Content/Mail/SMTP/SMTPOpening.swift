import ClubProtocol
import FoundationEssentials
import NIOCore

/// What a server offers in its reply to EHLO.
struct SMTPFeatures: Sendable {
    /// Whether several commands may be sent before the first is answered (RFC 2920).
    var isPipelining = false
    /// RFC 1870.
    var hasSize = false
    /// RFC 3461.
    var hasDSN = false
    var hasStartTLS = false
    /// RFC 4954.
    var mechanisms: Set<String> = []

    /// - Parameter lines: of the reply, beginning with the server's name.
    init(_ lines: [String]) {
        for line in lines.dropFirst() {
            let words = line.asciiUppercased.split(atByte: UInt8(ascii: " ")).map(String.init)
            switch words.first {
            case "PIPELINING": isPipelining = true
            case "SIZE": hasSize = true
            case "DSN": hasDSN = true
            case "STARTTLS": hasStartTLS = true
            case "AUTH": mechanisms.formUnion(words.dropFirst())
            default: break
            }
        }
    }
}

/// From the greeting to the first message.
struct SMTPOpening {
    let connection: SMTPConnection
    let transport: SMTPTransport

    /// - Throws: ``MailUnreachable`` with the server's answer; ``SMTPConnection/Lost``.
    func run() async throws -> SMTPFeatures {
        try expect(await connection.reply(within: transport.limits.greeting), at: .greeting)
        var features = try await hello()
        var isSecret = transport.secure
        if !transport.secure, transport.startTLS != .never {
            if features.hasStartTLS {
                try await startTLS()
                isSecret = true
                // Replies before TLS are not trusted (RFC 3207, 4.2): ask again, and discard the first reply.
                features = try await hello()
            } else if transport.startTLS == .required {
                throw MailUnreachable(reason: "the server does not offer STARTTLS, which MAIL_URL requires")
            }
        }
        if let user = transport.user, let password = transport.password {
            guard isSecret || SMTPTransport.isLoopback(connection.channel.remoteAddress) else {
                throw MailUnreachable(
                    reason:
                        "the server does not offer STARTTLS, and MAIL_URL has a password, which is sent after TLS only"
                )
            }
            try await authenticate(user, password, by: features.mechanisms)
        }
        return features
    }

    private func hello() async throws -> SMTPFeatures {
        let reply = try await command("EHLO \(transport.name ?? addressLiteral)", at: .hello)
        return SMTPFeatures(reply.lines)
    }

    /// For a client without a domain name (RFC 5321, 4.1.3).
    private var addressLiteral: String {
        switch connection.channel.localAddress {
        case .v6(let address)?: "[IPv6:\(address.host)]"
        case let address?: "[\(address.ipAddress ?? "127.0.0.1")]"
        case nil: "[127.0.0.1]"
        }
    }

    /// From the server's reply on, only TLS is read.
    private func startTLS() async throws {
        try await command("STARTTLS", at: .startTLS)
        let (channel, transport) = (connection.channel, transport)
        let isClean = try await channel.eventLoop.submit {
            // A closed channel has no handlers.
            let gate = try? channel.pipeline.syncOperations.handler(type: SMTPReplyGate.self)
            guard gate?.isQuiet == true else { return false }
            try channel.pipeline.syncOperations.addHandler(transport.tlsHandler(), position: .first)
            return true
        }.get()
        // The connection says why.
        if !isClean { _ = try await connection.reply(within: .seconds(1)) }
    }

    /// RFC 4616 where the server offers it; LOGIN is what older servers have.
    private func authenticate(_ user: String, _ password: String, by mechanisms: Set<String>) async throws {
        guard mechanisms.contains("LOGIN"), !mechanisms.contains("PLAIN") else {
            let secret = Data("\0\(user)\0\(password)".utf8).base64EncodedString()
            try await command("AUTH PLAIN \(secret)", at: .authentication)
            return
        }
        try await command("AUTH LOGIN", at: .authentication)
        try await command(Data(user.utf8).base64EncodedString(), at: .authentication)
        try await command(Data(password.utf8).base64EncodedString(), at: .authentication)
    }

    @discardableResult private func command(_ line: String, at stage: SMTPStage) async throws -> SMTPReply {
        await connection.send(ByteBuffer(string: line + "\r\n"), expecting: 1)
        let reply = try await connection.reply(within: transport.limits.command)
        try expect(reply, at: stage)
        return reply
    }

    private func expect(_ reply: SMTPReply, at stage: SMTPStage) throws {
        guard reply.isPositive else {
            throw MailUnreachable(reason: "\(stage) was answered with \(reply.text)", reply: reply, stage: stage)
        }
    }
}
