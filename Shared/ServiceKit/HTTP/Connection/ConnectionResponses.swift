import ClubProtocol
import HTTPTypes
import NIOCore

extension ConnectionHandler {
    /// Responds with a problem of the connection itself, and closes it.
    func refuse(_ problem: Problem) {
        guard phase != .closing else { return }
        form.keepsAlive = false
        endUpload(with: problem)
        let hadBegun = hasStreamHead
        if !hadBegun { send(responder.answer(to: problem, during: request)) }
        callerHasGone()
        dropBody()
        close()
    }

    func send(_ answer: RawResponse) {
        if context != nil { write(loop.encode(answer, form)) }
    }

    func writeContinue(_ context: ChannelHandlerContext) {
        write(context.channel.allocator.buffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
    }

    /// Closes without cutting off the last response: our side first, and the whole when the client has closed its own,
    /// after 2 seconds, or after more bytes than any client sends by mistake. (Closing with unread bytes would reset
    /// the connection, and the client might never see the reason.)
    func close() {
        guard let context, phase != .closing else { return }
        phase = .closing
        request = nil
        page = nil
        lineOfUnknownMethod = nil
        alarm.cancel()
        dropParked()
        received = 0
        // What is unsent goes first; only then the client's time to close begins.
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            self.alarm.cancel()
            if self.inputHasEnded {
                self.context?.close(promise: nil)
            } else {
                self.arm(.linger, .seconds(2))
            }
        }
        context.close(mode: .output, promise: sent)
        releaseRead()
    }

    func releaseRead() {
        guard readIsHeld, !holdsRead else { return }
        readIsHeld = false
        context?.read()
    }

    func callerHasGone() {
        if let request, request.endsWithCaller { task?.cancel() }
    }

    /// Some clients close their side after the last request and still wait; most that do so have gone.
    func watchForLeaving(_ context: ChannelHandlerContext) {
        let asked = request
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
            if let self, self.request === asked { self.callerHasGone() }
        }
    }
}
