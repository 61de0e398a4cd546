import NIOCore
import Synchronization

/// A connection to an SMTP server: requests go out, replies come back in their order. Used by one task at a time.
final class SMTPConnection: Sendable {
    /// The connection has ended, or the server was silent for too long.
    struct Lost: Error {
        /// In words for people.
        var reason: String
    }

    private struct State {
        var replies: [SMTPReply] = []
        var end: Lost?
        var waiting: CheckedContinuation<SMTPReply?, any Error>?
        var deadline = NIODeadline.distantFuture
    }

    /// How often waits are checked for being over: a timer for each reply would cost more than the reply.
    private static let tick = TimeAmount.milliseconds(50)

    let channel: any Channel
    private let state = Mutex(State())

    /// - Parameter channel: its last handler is ``Collector``.
    init(channel: any Channel) {
        self.channel = channel
    }

    /// Passes replies and the end of the connection on.
    final class Collector: ChannelInboundHandler {
        typealias InboundIn = SMTPReply

        private let connection: SMTPConnection

        init(_ connection: SMTPConnection) {
            self.connection = connection
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            connection.receive(unwrapInboundIn(data))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            let reason =
                switch error {
                case is SMTPReplyGate.Unasked:
                    "the server sent a reply to no command, which suggests a man in the middle,"
                case is SMTPReplyDecoder.Garbled: "the server does not speak SMTP"
                default: "the connection was lost"
                }
            connection.end(.init(reason: reason))
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            connection.end(.init(reason: "the connection was lost"))
        }
    }

    /// Sends bytes that are answered by this many replies.
    ///
    /// - Returns: whether all were handed to the network: otherwise the server cannot have received the last ones.
    @discardableResult func send(_ bytes: ByteBuffer, expecting replies: Int) async -> Bool {
        do {
            try await channel.writeAndFlush(SMTPRequest(bytes: bytes, replies: replies)).get()
            return true
        } catch {
            end(.init(reason: "the connection was lost"))
            return false
        }
    }

    /// The next reply. A server that says nothing for so long counts as lost.
    ///
    /// - Throws: ``Lost``.
    func reply(within limit: TimeAmount) async throws -> SMTPReply {
        if let reply = try await next(within: limit) { return reply }
        let lost = Lost(reason: "the server said nothing for \(limit.nanoseconds / 1_000_000_000) seconds")
        end(lost)
        channel.close(promise: nil)
        throw lost
    }

    /// The next reply; nil if there is none yet after about this time.
    ///
    /// - Throws: ``Lost``.
    func next(within limit: TimeAmount) async throws -> SMTPReply? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now = state.withLock { state -> Result<SMTPReply?, any Error>? in
                    if !state.replies.isEmpty { return .success(state.replies.removeFirst()) }
                    if let end = state.end { return .failure(end) }
                    state.deadline = .now() + limit
                    state.waiting = continuation
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            end(.init(reason: "the service stopped"))
        }
    }

    /// Ends waits that are over, for as long as the channel is open.
    func watchTime() {
        let task = channel.eventLoop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in
            self.expire()
        }
        channel.closeFuture.whenComplete { _ in task.cancel() }
    }

    private func expire() {
        let waiting = state.withLock { state -> CheckedContinuation<SMTPReply?, any Error>? in
            guard state.deadline <= .now() else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: nil)
    }

    private func receive(_ reply: SMTPReply) {
        let waiting = state.withLock { state -> CheckedContinuation<SMTPReply?, any Error>? in
            guard let waiting = state.waiting else {
                state.replies.append(reply)
                return nil
            }
            state.waiting = nil
            return waiting
        }
        waiting?.resume(returning: reply)
    }

    private func end(_ reason: Lost) {
        let (waiting, end) = state.withLock { state in
            defer { state.waiting = nil }
            if state.end == nil { state.end = reason }
            return (state.waiting, state.end ?? reason)
        }
        waiting?.resume(throwing: end)
    }
}
