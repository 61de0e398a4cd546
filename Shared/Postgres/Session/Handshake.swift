import Crypto
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// Why a connection did not become a session.
struct HandshakeFailure: Error {
    var error: PostgresError
    /// Whether a connection that uses TLS differently may fare better: TLS failed, or the server refused who we are.
    var isAboutTLS = false
}

/// Makes a session of a connection: TLS, authentication, the server's report. Then it leaves the channel.
///
/// It completes its promise once, whatever happens: with a session, or a failure and the channel closed.
final class Handshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What a handshake needs to know.
    struct Plan: Sendable {
        let parameters: SessionParameters
        let tls: TLSUse
        let wanted: WantedServer
        let address: SocketAddress
        let deadline: NIODeadline
    }

    private enum Phase {
        case idle
        /// Whether the server can TLS was asked.
        case asking
        case securing
        case starting(StartUp)
        /// ReadyForQuery has come: the rest of what was read is left over.
        case ready(StartUp.Report)
        case over
    }

    private let plan: Plan
    private let promise: EventLoopPromise<Session>
    private var phase = Phase.idle
    private var reader = HandshakeMessageReader()
    private var leftOver = ByteBuffer()
    private var isEncrypted = false
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(_ plan: Plan, _ promise: EventLoopPromise<Session>) {
        self.plan = plan
        self.promise = promise
    }

    // MARK: - The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: plan.deadline) { [self] in
            fail(.tookTooLong)
        }
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(.connectionLost)
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.noSession("the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isTLS = error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError
        fail(.noSession(isTLS ? "TLS failed: \(error)" : "the connection was lost"))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event, case .securing = phase { secured(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        do throws(PostgresError) {
            switch phase {
            case .asking: try answerOfTLS(bytes, context)
            case .starting:
                try reader.append(bytes)
                try read(context)
            case .ready: leftOver.writeImmutableBuffer(bytes)
            case .idle, .securing: throw .otherProtocol
            case .over: break
            }
        } catch {
            fail(error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if case .ready(let report) = phase { finish(report, context.channel) }
    }

    // MARK: - TLS

    private func begin(_ context: ChannelHandlerContext) {
        guard case .idle = phase else { return }
        guard plan.tls.plan != nil else { return start(context, endPoint: nil) }
        phase = .asking
        send(HandshakeRequest.tls(), context)
    }

    /// The server answers with a single byte, which is not protected yet: an error is not believed either
    /// (CVE-2024-10977).
    private func answerOfTLS(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) throws(PostgresError) {
        // More bytes come from somebody who wants them taken for the server's own (CVE-2021-23222).
        guard bytes.readableBytes == 1 else { throw .otherProtocol }
        switch (bytes.getInteger(at: bytes.readerIndex, as: UInt8.self), plan.tls) {
        case (UInt8(ascii: "S"), .offered(let tls)), (UInt8(ascii: "S"), .required(let tls)):
            try secure(tls, context)
        case (UInt8(ascii: "N"), .offered): start(context, endPoint: nil)
        case (UInt8(ascii: "N"), _): throw .noSession("the server does not support TLS")
        case (UInt8(ascii: "E"), _): throw .noSession("the server could not begin TLS")
        default: throw .otherProtocol
        }
    }

    private func secure(_ tls: TLSPlan, _ context: ChannelHandlerContext) throws(PostgresError) {
        phase = .securing
        do {
            let handler = try NIOSSLClientHandler(context: tls.context, serverHostname: tls.indicatedName)
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch {
            throw .noSession("TLS failed: \(error)")
        }
    }

    private func secured(_ context: ChannelHandlerContext) {
        let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
        if let name = plan.tls.plan?.verifiedName {
            guard let certificate, CertificateName.matches(certificate, name) else {
                return fail(.noSession("the server's certificate is not for \"\(name)\""))
            }
        }
        isEncrypted = true
        let bytes = certificate.flatMap { try? $0.toDERBytes() }
        start(context, endPoint: bytes.flatMap { CertificateHash.endPoint($0) })
    }

    // MARK: - Messages

    private func start(_ context: ChannelHandlerContext, endPoint: [UInt8]?) {
        do throws(PostgresError) {
            let message = try HandshakeRequest.start(plan.parameters)
            phase = .starting(StartUp(plan.parameters, endPoint: endPoint))
            send(message, context)
        } catch {
            fail(error)
        }
    }

    private func read(_ context: ChannelHandlerContext) throws(PostgresError) {
        while case .starting(var startUp) = phase, let message = try reader.next() {
            let step = try startUp.receive(message)
            phase = .starting(startUp)
            switch step {
            case .wait: break
            case .answer(let answer): send(answer, context)
            case .salt(let challenge, let password): salt(challenge, password, context)
            case .ready(let report): try ready(report, context)
            }
        }
    }

    /// Salts the password on another thread. A server that does not wait for our answer breaks the protocol.
    private func salt(_ challenge: SCRAM.Challenge, _ password: [UInt8], _ context: ChannelHandlerContext) {
        NIOThreadPool.singleton.runIfActive(eventLoop: context.eventLoop) { try challenge.salt(password) }
            .assumeIsolated().whenComplete { [self] result in
                guard let context = self.context, case .starting(var startUp) = phase else { return }
                do {
                    let answer = try startUp.answer(challenge, saltedPassword: result.get())
                    phase = .starting(startUp)
                    send(answer, context)
                } catch {
                    fail(error as? PostgresError ?? .noSession("the password cannot be salted"))
                }
            }
    }

    private func send(_ message: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(message), promise: nil)
    }

    // MARK: - The end

    private func ready(_ report: StartUp.Report, _ context: ChannelHandlerContext) throws(PostgresError) {
        if let objection = plan.wanted.objection(to: report.parameters) {
            send(HandshakeRequest.terminate(), context)
            throw .noSession(objection)
        }
        leftOver = reader.rest
        phase = .ready(report)
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: false)
        } catch {
            throw .connectionLost
        }
    }

    private func finish(_ report: StartUp.Report, _ channel: any Channel) {
        phase = .over
        timer?.cancel()
        channel.pipeline.syncOperations.removeHandler(self, promise: nil)
        promise.succeed(
            Session(
                channel: channel, address: plan.address, processID: report.processID,
                secretKey: report.secretKey, parameters: report.parameters, leftOver: leftOver,
                isEncrypted: isEncrypted))
    }

    private func fail(_ error: PostgresError) {
        var failure = HandshakeFailure(error: error)
        switch phase {
        case .over: return
        case .securing: failure.isAboutTLS = true
        // Class 28, invalid authorization: such as no entry in pg_hba.conf.
        case .starting(let startUp):
            failure.isAboutTLS = !startUp.isAuthenticated && error.sqlState?.hasPrefix("28") == true
        case .idle, .asking, .ready: break
        }
        phase = .over
        timer?.cancel()
        promise.fail(failure)
        context?.close(promise: nil)
    }
}
