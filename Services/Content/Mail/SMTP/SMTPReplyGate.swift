import NIOCore

/// Splits the bytes from a server into replies, and lets through only as many as were requested: the greeting, and one
/// for each command and each text sent, as nothing is pipelined (RFC 5321, 4.2; RFC 2920).
///
/// The connection is closed at the first unsolicited byte. A man in the middle could inject replies before TLS that
/// would later be taken for the server's own (RFC 3207, 6; CVE-2011-0411). With this rule, everything sent before TLS
/// has been read when TLS begins, and nothing is left to be read after it.
final class SMTPReplyGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = SMTPReply
    typealias OutboundIn = ByteBuffer
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

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard isClean else { return }
        unread.writeBuffer(&bytes)
        do {
            while unread.readableBytes > 0 {
                guard owed > 0 else { throw Unasked() }
                guard let reply = try decoder.next(in: &unread) else { return }
                owed -= 1
                context.fireChannelRead(wrapInboundOut(reply))
            }
            unread.clear()
        } catch {
            isClean = false
            unread.clear()
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    /// Every write expects one reply. After a violation nothing more is sent.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isClean else {
            promise?.fail(Unasked())
            return
        }
        owed += 1
        context.write(data, promise: promise)
    }
}
