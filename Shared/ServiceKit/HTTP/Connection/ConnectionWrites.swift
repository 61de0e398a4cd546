import NIOCore

/// Outgoing bytes. Those that the kernel does not take at once are held up by a client that does not read: they count
/// against the shared memory, the client has a time limit for each piece, and its next request is processed when all
/// have left.
extension ConnectionHandler {
    private static let pieceBytes = 64 << 10

    /// - Returns: succeeds when the bytes have left; nil when the connection is gone.
    @discardableResult
    func write(_ bytes: ByteBuffer) -> EventLoopFuture<Void>? {
        guard let context else { return nil }
        if unsent == 0, bytes.readableBytes <= Self.pieceBytes { return writeAtOnce(bytes, context) }
        var rest = bytes
        var allLeft: EventLoopFuture<Void>?
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes)) {
            let pieceLeft = track(piece.readableBytes, context)
            context.write(wrapOutboundOut(piece), promise: pieceLeft)
            allLeft = pieceLeft.futureResult
        }
        context.flush()
        if unsent > 0 { reserveUnsent() }
        return allLeft
    }

    /// Nearly every response leaves at once: only one that does not costs a promise. The channel is writable when
    /// nothing is left in it (``APIChannel``).
    private func writeAtOnce(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
        let count = bytes.readableBytes
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        guard !context.channel.isWritable, context.channel.isActive else {
            return context.eventLoop.makeSucceededVoidFuture()
        }
        let allLeft = track(count, context)
        // Completes when everything written before it has left.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: allLeft)
        if unsent > 0 { reserveUnsent() }
        return allLeft.futureResult
    }

    /// Counts bytes as unsent until the promise, which goes with their write, completes.
    private func track(_ count: Int, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        let promise = context.eventLoop.makePromise(of: Void.self)
        unsent += count
        promise.futureResult.assumeIsolated().whenComplete { result in
            self.left(count, isSent: (try? result.get()) != nil)
        }
        return promise
    }

    private func reserveUnsent() {
        guard let context, let peer else { return }
        let reservation = unsentReservation ?? BodyReservation(responder.bodies, for: peer.client)
        unsentReservation = reservation
        guard reservation.resize(to: unsent) else { return context.close(promise: nil) }
        if stall == nil { awaitReader() }
    }

    private func left(_ count: Int, isSent: Bool) {
        unsent -= count
        guard unsent > 0, isSent else {
            stall?.cancel()
            stall = nil
            if unsent == 0 { unsentReservation = nil }
            if isSent, phase == .sending { becomeIdle() }
            return
        }
        _ = unsentReservation?.resize(to: unsent)
        if stall != nil { awaitReader() }
    }

    /// One piece must leave before the timeout.
    private func awaitReader() {
        stall?.cancel()
        stall = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.writeStall)) { [weak self] in
            self?.context?.close(mode: .all, promise: nil)
        }
    }
}
