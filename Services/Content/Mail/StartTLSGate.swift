import NIOCore

/// Stands before everything else in the pipeline from the command STARTTLS until TLS does: lets the answer through, and nothing that
/// comes in the clear after it. Whoever stands between could put answers there that would be taken for the server's own (RFC 3207, 6;
/// CVE-2011-0411).
final class StartTLSGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// There was more than one answer.
    struct Injected: Error {}

    private var decoder = SMTPReplyDecoder()
    /// What has come of the answer, and what of that the decoder has not read.
    private var answer = ByteBuffer()
    private var unread = ByteBuffer()
    private var isComplete = false
    /// Whether nothing came after the answer.
    private(set) var isClean = true

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        answer.writeImmutableBuffer(buffer)
        unread.writeBuffer(&buffer)
        guard !isComplete else { return refuse(context) }
        do {
            isComplete = try decoder.next(in: &unread) != nil
        } catch {
            // What is no answer is for the decoder behind to refuse.
            isComplete = true
            unread.clear()
        }
        guard isComplete else { return }
        guard unread.readableBytes == 0 else { return refuse(context) }
        context.fireChannelRead(wrapInboundOut(answer))
    }

    private func refuse(_ context: ChannelHandlerContext) {
        isClean = false
        context.fireErrorCaught(Injected())
        context.close(promise: nil)
    }
}
