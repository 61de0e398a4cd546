import ClubProtocol
import NIOCore
import NIOPosix
import NIOSSL

/// Hands mails to a server by SMTP (RFC 5321), with STARTTLS (RFC 3207) or implicit TLS (RFC 8314), and AUTH (RFC 4954)
/// where the URL names a user.
struct SMTPTransport: MailTransport {
    enum StartTLS: Sendable {
        case never, optional, required
    }

    let host: String
    let port: Int
    let secure: Bool
    let startTLS: StartTLS
    let user: String?
    let password: String?
    let connections: Int
    let sender: EmailAddress
    /// How we present ourselves: a fully qualified domain name; nil for the connection's own address.
    let name: String?
    /// The trust roots for the server's certificate; by default the system's.
    var authorities = NIOSSLTrustRoots.default
    var limits = SMTPTimeLimits()
    let repeatsHarmlessly = false

    func connect() async throws -> any MailSession {
        let connection: SMTPConnection
        do {
            connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(10))
                .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let connection = SMTPConnection(channel: channel)
                        let pipeline = channel.pipeline.syncOperations
                        if secure { try pipeline.addHandler(tlsHandler()) }
                        try pipeline.addHandlers(SMTPReplyGate(), SMTPConnection.Collector(connection))
                        return connection
                    }
                }
        } catch {
            throw MailUnreachable(reason: "no connection to \(host):\(port)")
        }
        connection.watchTime()
        do {
            return try await SMTPSession.open(connection, self)
        } catch {
            connection.channel.close(promise: nil)
            throw error
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

/// How long a server may take to answer (RFC 5321, 4.5.3.2).
struct SMTPTimeLimits: Sendable {
    var greeting = TimeAmount.minutes(5)
    var command = TimeAmount.minutes(5)
    var data = TimeAmount.minutes(2)
    var textSent = TimeAmount.minutes(10)
}
