import ClubProtocol
import NIOCore
import NIOPosix
import NIOSSL

/// Hands mails to a server by SMTP (RFC 5321), with STARTTLS (RFC 3207) or implicit TLS (RFC 8314), and AUTH PLAIN (RFC
/// 4616) where the URL names a user.
struct SMTPTransport: MailTransport {
    enum StartTLS: Sendable {
        case never, optional, required
    }

    /// Timeout for a reply, in seconds; it includes the reply after the text, which takes longest.
    static let longestAnswer = 60

    let host: String
    let port: Int
    let secure: Bool
    let startTLS: StartTLS
    let user: String?
    let password: String?
    let sessions: Int
    let sender: EmailAddress
    /// The trust roots for the server's certificate; by default the system's.
    var authorities = NIOSSLTrustRoots.default
    let repeatsHarmlessly = false

    func withSession<Result: Sendable>(
        _ body: (any MailSession) async throws -> Result
    ) async throws -> Result {
        let channel: NIOAsyncChannel<SMTPReply, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(10))
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if secure { try channel.pipeline.syncOperations.addHandler(tlsHandler()) }
                        try channel.pipeline.syncOperations.addHandler(SMTPReplyGate())
                        return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw MailUnreachable(reason: "no connection to \(host):\(port)")
        }
        return try await channel.executeThenClose { inbound, outbound in
            let session = SMTPSession(
                channel: channel.channel, replies: inbound.makeAsyncIterator(), outbound: outbound, sender: sender)
            try await session.open(self)
            let result = try await body(session)
            await session.quit()
            return result
        }
    }

    /// TLS that verifies the server's name and certificate against the trust roots.
    func tlsHandler() throws -> NIOSSLClientHandler {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = authorities
        return try NIOSSLClientHandler(
            context: NIOSSLContext(configuration: configuration),
            serverHostname: host.contains(where: { $0.isLetter }) ? host : nil)
    }

    /// Whether a host name means this machine: nothing sent to it leaves the machine.
    static func isLoopback(host: String) -> Bool {
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        if bare.lowercased() == "localhost" { return true }
        return isLoopback(try? SocketAddress(ipAddress: bare, port: 0))
    }

    /// Whether a connection goes to this machine itself: 127.0.0.0/8, ::1, or a Unix domain socket.
    static func isLoopback(_ address: SocketAddress?) -> Bool {
        switch address {
        case .v4, .v6:
            let text = address?.ipAddress ?? ""
            return text == "::1" || text.hasBytePrefix("127.") || text.hasBytePrefix("::ffff:127.")
        case .unixDomainSocket: return true
        case nil: return false
        }
    }
}
