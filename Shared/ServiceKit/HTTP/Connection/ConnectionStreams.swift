import ClubProtocol
import NIOCore

/// Bodies that do not fit in memory: incoming uploads, outgoing lines.
extension ConnectionHandler {
    func startUpload(_ request: RoutedRequest, _ context: ChannelHandlerContext) {
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let reservation = BodyReservation(responder.bodies, for: request.head.client)
        let (body, source) = UploadBody.make(for: request, reservation: reservation) {
            eventLoop.execute { connection.value.uploadWantsMore() }
        }
        upload = source
        bodyReservation = reservation
        uploaded = 0
        start(request, .upload(body))
    }

    func takeUpload(_ bytes: ByteBuffer, limit: Int) {
        guard let upload else { return }
        uploaded += bytes.readableBytes
        guard uploaded <= limit else { return refuse(.tooLarge(limit)) }
        guard bodyReservation?.take(bytes.readableBytes) == true else { return refuse(.overloaded) }
        if case .stopProducing = upload.yield(bytes) {
            uploadIsFull = true
            alarm.cancel(.body)
            // Now it is we who do not read.
            bodyClock.stop()
        }
    }

    private func uploadWantsMore() {
        guard uploadIsFull else { return }
        uploadIsFull = false
        if phase == .receiving { expectBody() }
        releaseRead()
    }

    /// - Parameter error: why it ends early; nil at the end of the body.
    func endUpload(with error: (any Error)? = nil) {
        guard let source = upload else { return }
        upload = nil
        bodyReservation = nil
        uploadIsFull = false
        if let error { source.finish(error) } else { source.finish() }
    }

    func beginStream(_ head: RawResponse) throws {
        guard let context, phase == .answering else { throw ConnectionLost() }
        hasStreamHead = true
        if form.isOldClient {
            form.framing = .close
            form.keepsAlive = false
        } else {
            form.framing = .chunks
        }
        var buffer = context.channel.allocator.buffer(capacity: 384)
        ResponseEncoder.encode(head, form, into: &buffer)
        context.write(wrapOutboundOut(buffer), promise: nil)
    }

    /// Succeeds when the bytes have been sent.
    func writeChunk(_ bytes: [UInt8]) -> EventLoopFuture<Void>? {
        guard let context, phase == .answering else { return nil }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count + 16)
        ResponseEncoder.encode(chunk: bytes, form.framing, into: &buffer)
        return write(buffer)
    }

    func endStream(_ context: ChannelHandlerContext) {
        guard form.framing == .chunks else { return }
        write(context.channel.allocator.buffer(staticString: "0\r\n\r\n"))
    }
}

/// Connects a stream to its connection.
struct ConnectionSink: ResponseSink {
    let connection: NIOLoopBound<ConnectionHandler>
    let eventLoop: any EventLoop
    let request: RoutedRequest

    func begin(_ head: RawResponse) async throws {
        try await eventLoop.submit { try connection.value.beginStream(head) }.get()
    }

    func write(_ bytes: [UInt8]) async throws {
        let eventLoop = self.eventLoop
        try await request.outside {
            try await eventLoop.flatSubmit {
                connection.value.writeChunk(bytes) ?? eventLoop.makeFailedFuture(ConnectionLost())
            }.get()
        }
    }
}
