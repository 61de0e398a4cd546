import ClubProtocol
import DequeModule
import HTTPTypes
import NIOCore
import NIOHTTP1

/// One connection: reads requests one after the other, has them answered, and guards against clients that are too slow,
/// send too much or are malformed.
///
/// ```
///            head                end                response            read
///   idle ───────────▶ receiving ───────▶ answering ─────────▶ sending ───────▶ idle
///     │ head refused      │ too large, stalled, malformed       │ Connection: close
///     ▼                   ▼                                     ▼
///   discarding ──end──▶ sending     closing ◀───────────────────┘
///
///   idle ──▶ yielding ──▶ idle: a limited number of requests per turn of the event loop; the rest in later turns
/// ```
/// Nothing more is read while another request waits and the current one is being answered or its response is unread. A
/// client that sends faster than we answer, or than it reads, then waits in its own socket. However many requests are
/// there, other connections get their turn after some of them: one read brings little, and what exceeds the turn is
/// parked. Everything runs on the channel's event loop, including the handlers' tasks.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case idle
        /// The body is arriving; the work of an upload is already running.
        case receiving
        /// The body is complete and the work is running.
        case answering
        /// The response was sent before the body was complete; the rest of the body is read and dropped.
        case discarding
        /// The response is complete, but the client has not read all of it; a client that keeps reading skips this
        /// phase.
        case sending
        /// The connection has had its turn, and more requests wait for the next one.
        case yielding
        /// The last response has been sent; we wait for the client to notice.
        case closing

        /// Whether the next request waits: the response to the previous one is being made or read, or other connections
        /// have their turn.
        var isBusy: Bool { self == .answering || self == .sending || self == .yielding }
    }

    /// How much may arrive after a response that did not wait for the body, before the connection is closed over it.
    static let discardable = 64 << 10

    let responder: any RequestHandling
    let loop: ConnectionLoop
    /// Succeeds when the connection is closed and no work is left for it.
    let finished: EventLoopPromise<Void>
    var context: ChannelHandlerContext?
    var phase = Phase.idle
    var request: RoutedRequest?
    /// Makes the response when the request is complete, for pages that need no routed work.
    var page: (@Sendable () async -> RawResponse)?
    /// Requests that began in this turn of the event loop.
    var requestsInTurn = 0
    /// The last good token that was sent on this connection.
    private var token: VerifiedToken?
    var form = ResponseEncoder.Form(keepsAlive: true)
    var hasStreamHead = false
    var body: [UInt8] = []
    /// The part of the shared memory that the body of this request uses.
    var bodyReservation: BodyReservation?
    var bodyClock = BodyClock()
    var bodyPieces = BodyPieces()
    /// Bytes since the head of this request, or since this connection began to close.
    var received = 0
    /// Bytes since the timeout for a stalled body was set.
    var receivedInTime = 0
    var upload: UploadBody.Producer.Source?
    var uploaded = 0
    var uploadIsFull = false
    var task: Task<Void, Never>?
    var alarm = ConnectionTimeout()
    /// The other end, known once the connection is open.
    var peer: Peer?
    /// Whether this connection is counted among those of its address.
    private var isCounted = false
    /// Whether it exceeds the limit, and its client gets a response that says so.
    private var isRefused = false
    /// What has arrived while another request was answered, with the bytes that it uses of the shared memory.
    var parked: Deque<(part: HTTPServerRequestPart, bytes: Int)> = []
    /// Why nothing more can be read after what is parked.
    var parkedFault: Problem?
    /// The part that parked requests, or an incomplete header, use.
    var aheadReservation: BodyReservation?
    var isUnparking = false
    var readIsHeld = false
    /// Bytes that are written but not yet taken by the kernel.
    var unsent = 0
    /// The part of the shared memory that they use.
    var unsentReservation: BodyReservation?
    /// Closes the connection when none of them leaves.
    var stall: Scheduled<Void>?
    var idleAlarm: Scheduled<Void>?
    var lastActive = NIODeadline.now()
    private(set) var isQuiescing = false
    /// Whether the parser is between the head and the end of a request.
    private(set) var isWithinRequest = false
    /// The client has closed its side.
    var inputHasEnded = false
    /// Whether part of a header has arrived.
    var hasPartOfHead = false
    var hasFirstLine = false
    var arriving: ByteBuffer?
    /// The request line of an unknown method, while it is incomplete.
    var lineOfUnknownMethod: [UInt8]?

    init(responder: any RequestHandling, loop: ConnectionLoop, finished: EventLoopPromise<Void>) {
        self.responder = responder
        self.loop = loop
        self.finished = finished
    }

    var limits: HTTPLimits { responder.limits }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { opened(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        closed()
        if task == nil { finished.succeed() }
    }

    func channelActive(context: ChannelHandlerContext) {
        opened(context)
    }

    private func opened(_ context: ChannelHandlerContext) {
        guard peer == nil else { return }
        let address = context.channel.remoteAddress.flatMap { IPAddress($0) }
        let peer = limits.trustedProxies.peer(address)
        self.peer = peer
        scheduleIdle(in: TimeAmount(limits.idleTimeout))
        isCounted = responder.connections.open(peer.client)
        guard !isCounted else { return }
        isRefused = responder.connections.refuse()
        guard isRefused else { return context.close(promise: nil) }
        refuse(
            Problem(.tooManyRequests, "Your address has too many connections.", headers: [.retryAfter: "1"]))
    }

    private func closed() {
        if isCounted, let peer { responder.connections.close(peer.client) }
        if isRefused { responder.connections.endRefusal() }
        (isCounted, isRefused) = (false, false)
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closing
        alarm.cancel()
        idleAlarm?.cancel()
        closed()
        dropParked()
        dropBody()
        endUpload(with: ConnectionLost())
        callerHasGone()
        if task == nil { finished.succeed() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch part {
        case .head: isWithinRequest = true
        case .end: isWithinRequest = false
        case .body: break
        }
        switch phase {
        case .answering, .sending, .yielding: park(part)
        case .closing: break
        case .idle where isTurnOver(for: part):
            park(part)
            yieldTurn()
        case .idle, .receiving, .discarding: process(part)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        switch phase {
        case .idle:
            if hasPartOfHead { awaitHead() }
        case .receiving, .discarding:
            if upload == nil || !uploadIsFull { expectBody() }
        case .answering, .sending, .yielding, .closing: break
        }
        context.fireChannelReadComplete()
    }

    /// Nothing more is read while another request waits and the current one is being answered or its response is
    /// unread. (Until one waits, reading goes on: pausing it for every request would cost two system calls each, and a
    /// client that disconnects would go unnoticed.)
    func read(context: ChannelHandlerContext) {
        readIsHeld = holdsRead
        if !readIsHeld { context.read() }
    }

    var holdsRead: Bool {
        phase.isBusy && (!parked.isEmpty || parkedFault != nil) || uploadIsFull
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            isQuiescing = true
            form.keepsAlive = false
            if phase == .idle && !hasPartOfHead { context.close(promise: nil) }
        case ChannelEvent.inputClosed:
            inputHasEnded = true
            switch phase {
            case .answering:
                if !hasParkedHead { form.keepsAlive = false }
                watchForLeaving(context)
            case .idle where lineOfUnknownMethod != nil:
                refuse(Problem(.malformed, "The request is not valid HTTP/1.1."))
            case .idle, .discarding: close()
            case .receiving:
                endUpload(with: ConnectionLost())
                context.close(promise: nil)
            // Earlier requests are answered, and then the connection closes.
            case .sending, .yielding: break
            case .closing:
                if alarm.isSet(.linger) { context.close(promise: nil) }
            }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Input after what the parser has refused: the refusal has been sent, or waits for its turn.
        if case .dataReceivedInErrorState = error as? ByteToMessageDecoderError { return }
        guard let error = error as? HTTPParserError else {
            context.close(promise: nil)
            return
        }
        if error == .invalidEOFState {
            // The input ended in the middle of a request; earlier requests get their responses.
            if !phase.isBusy { context.close(promise: nil) }
            return
        }
        refused(by: error)
    }

    // MARK: Requests

    func process(_ part: HTTPServerRequestPart) {
        switch (part, phase) {
        case (.head(let head), .idle): begin(head)
        case (.body(let bytes), .receiving): take(bytes)
        case (.end(let trailers), .receiving):
            // As for header fields (RFC 9110, 6.5).
            if let trailers, !trailers.allSatisfy({ $0.value.isFieldValue }) {
                return refuse(Problem(.malformed, "The values of trailer fields must be ASCII."))
            }
            complete()
        case (.body, .discarding):
            if received > Self.discardable { close() }
        case (.end, .discarding): becomeIdle()
        default: break
        }
    }

    private func begin(_ parsed: HTTPRequestHead) {
        guard let context else { return }
        hasPartOfHead = false
        hasFirstLine = false
        alarm.cancel()
        requestsInTurn += 1
        received = 0
        bodyClock = BodyClock()
        bodyPieces = BodyPieces()
        if parked.isEmpty { aheadReservation = nil }
        guard let peer else { return }
        let head = RequestHead(parsed, from: peer)
        // After CONNECT and after an upgrade request the parser reads nothing more.
        let ends = parsed.method == .CONNECT || head.asksForUpgrade || inputHasEnded && !hasParkedHead
        form = ResponseEncoder.Form(
            omitsBody: head.method == .head,
            keepsAlive: parsed.isKeepAlive && !ends && !isQuiescing && !responder.isDraining,
            isOldClient: parsed.version.minor == 0)
        if parsed.uri.utf8.count > limits.uriBytes { return refuse(Problem(.uriTooLong)) }
        if head.fieldBytes > limits.headerBytes { return refuse(Problem(.headerTooLarge)) }
        if let fault = head.fault { return refuse(fault) }
        let isAwaited = head.expectsContinue && head.hasBody
        let length = head.contentLength ?? 0
        // Moved, as it is many texts.
        switch responder.open(head, token: &token) {
        case .answer(let answer):
            // On the head alone. The connection stays open if the rest of the request is small.
            if length > Self.discardable || isAwaited { form.keepsAlive = false }
            phase = .discarding
            send(answer)
            if !form.keepsAlive { close() }
        case .request(let request):
            self.request = request
            phase = .receiving
            if isAwaited { writeContinue(context) }
            if case .stream = request.bodyRule { startUpload(request, context) }
        case .page(let page):
            self.page = page
            phase = .receiving
            if isAwaited { writeContinue(context) }
        }
    }

    /// Runs the work on this connection's event loop.
    func start(_ request: RoutedRequest, _ input: BodyInput) {
        guard let context else { return }
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        let sink = ConnectionSink(connection: connection, eventLoop: context.eventLoop, request: request)
        if inputHasEnded { watchForLeaving(context) }
        task = Task(executorPreference: loop.executor) {
            let completion = await request.run(input, sink: sink)
            connection.value.deliver(completion)
        }
    }

    /// Makes a page on this connection's event loop.
    func start(_ page: @escaping @Sendable () async -> RawResponse) {
        guard let context else { return }
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        task = Task(executorPreference: loop.executor) {
            let answer = await page()
            connection.value.deliver(.answer(answer))
        }
    }

    func deliver(_ completion: Completion) {
        task = nil
        request = nil
        page = nil
        dropBody()
        guard let context, phase != .closing else {
            if context == nil || context?.channel.isActive != true { finished.succeed() }
            return
        }
        // The work of an upload may finish before its body is complete: then the rest is not worth reading.
        let isWhole = phase == .answering
        if !isWhole {
            form.keepsAlive = false
            endUpload(with: ConnectionLost())
        }
        switch completion {
        case .answer(let answer): send(answer)
        case .streamed: endStream(context)
        case .broken: return context.close(promise: nil)
        }
        if form.keepsAlive { becomeIdle() } else { close() }
    }
}

/// The client closed the connection, or it broke.
struct ConnectionLost: Error {}
