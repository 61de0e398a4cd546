import NIOCore

/// Bytes for the server, and how many replies it owes for them.
struct SMTPRequest: Sendable {
    var bytes: ByteBuffer
    var replies: Int
}

/// Splits the bytes from a server into replies, and lets through only as many as were requested: the greeting, and those
/// that each request expects (RFC 5321, 4.2; RFC 2920).
///
/// The connection is closed at the first unsolicited byte. A man in the middle could inject replies before TLS that
/// would later be taken for the server's own (RFC 3207, 6; CVE-2011-0411). With this rule, everything sent before TLS
/// has been read when TLS begins, and nothing is left to be read after it. Only 421 may come at any time: the server is
/// closing (RFC 5321, 3.8), and nothing is believed after it.
final class SMTPReplyGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = SMTPReply
    typealias OutboundIn = SMTPRequest
    typealias OutboundOut = ByteBuffer

    /// The server sent something that was not requested.
    struct Unasked: Error {}

    private var decoder = SMTPReplyDecoder()
    /// The bytes of an incomplete reply.
    private var unread = ByteBuffer()
    /// Replies still expected, beginning with the greeting.
    private var owed = 1
    /// Whether only requested replies have arrived.
    private(set) var isClean = true
    /// The server has said that it is closing.
    private var isClosing = false

    /// Whether everything that was requested has been answered, and nothing else has arrived.
    var isQuiet: Bool { isClean && !isClosing && owed == 0 && unread.readableBytes == 0 }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard isClean, !isClosing else { return }
        unread.writeBuffer(&bytes)
        do {
            while unread.readableBytes > 0 {
                guard owed > 0 || mayClose else { throw Unasked() }
                guard let reply = try decoder.next(in: &unread) else { return }
                guard owed > 0 || reply.code == 421 else { throw Unasked() }
                owed = max(0, owed - 1)
                context.fireChannelRead(wrapInboundOut(reply))
                if reply.code == 421 {
                    isClosing = true
                    break
                }
            }
            unread.clear()
        } catch {
            isClean = false
            unread.clear()
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    /// Whether what has arrived unsolicited can be the beginning of a 421.
    private var mayClose: Bool {
        zip(unread.readableBytesView, "421".utf8).allSatisfy { $0 == $1 }
    }

    /// After a violation nothing more is sent.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isClean else {
            promise?.fail(Unasked())
            return
        }
        let request = unwrapOutboundIn(data)
        owed += request.replies
        context.write(wrapOutboundOut(request.bytes), promise: promise)
    }
}
