import NIOCore

/// Cuts what a server sends into replies, and lets through as many as were asked for: the greeting, and one for each command and
/// each text that goes out, as nothing is pipelined (RFC 5321, 4.2; RFC 2920).
///
/// The connection ends with the first byte that nothing had asked for. A man in the middle could put replies there, before TLS, that
/// would be taken for the server's own behind it (RFC 3207, 6; CVE-2011-0411). So when TLS begins, everything that came before it has
/// been read: nothing is left that could be read after it.
final class SMTPReplyGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = SMTPReply
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The server sent what nothing had asked for.
    struct Unasked: Error {}

    private var decoder = SMTPReplyDecoder()
    /// What has come of the reply that is not all there.
    private var unread = ByteBuffer()
    /// Replies that are to come, the greeting first.
    private var owed = 1
    /// Whether nothing but replies that were asked for has come.
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

    /// What goes out asks for one reply. After a violation nothing is sent any more.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isClean else {
            promise?.fail(Unasked())
            return
        }
        owed += 1
        context.write(data, promise: promise)
    }
}
