import ClubProtocol
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// Hands mails to a server by SMTP (RFC 5321), with STARTTLS (RFC 3207) or TLS from the start (RFC 8314), and AUTH PLAIN
/// (RFC 4616) where the URL names a user.
struct SMTPTransport: MailTransport {
    enum StartTLS: Sendable {
        case never, optional, required
    }

    /// Seconds that an answer is waited for; the answer after the text, which takes the longest, included.
    static let longestAnswer = 60

    let host: String
    let port: Int
    let secure: Bool
    let startTLS: StartTLS
    let user: String?
    let password: String?
    let sessions: Int
    let sender: EmailAddress
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
                        try channel.pipeline.syncOperations.addHandler(
                            ByteToMessageHandler(SMTPReplyDecoder()))
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

    /// TLS with the server's name checked against the system's authorities.
    func tlsHandler() throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(
            context: NIOSSLContext(configuration: .makeClientConfiguration()),
            serverHostname: host.contains(where: { $0.isLetter }) ? host : nil)
    }
}
