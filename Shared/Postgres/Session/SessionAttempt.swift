import Glibc
import NIOCore
import NIOPosix

/// Opens a session with a server at one address, until a deadline.
struct SessionAttempt: Sendable {
    let parameters: SessionParameters
    /// The host as the URL has it, which its certificate is for.
    let hostName: String?
    let address: SocketAddress
    let wanted: WantedServer
    let deadline: NIODeadline
    let plans: TLSPlanCache

    /// Connects, a second time if the mode of TLS allows both ways and the first did not work.
    func open(on eventLoop: any EventLoop) async -> Result<Session, PostgresError> {
        let first: HandshakeFailure
        switch await connect(on: eventLoop, isFirst: true) {
        case .success(let session): return .success(session)
        case .failure(let failure): first = failure
        }
        let hasOtherWay = mode == .allow || mode == .prefer
        guard hasOtherWay, first.isAboutTLS, .now() < deadline else { return .failure(first.error) }
        switch await connect(on: eventLoop, isFirst: false) {
        case .success(let session): return .success(session)
        case .failure(let second):
            var error = second.error
            error.sqlState = error.sqlState ?? first.error.sqlState
            error.message += "; before, \(mode == .prefer ? "with" : "without") TLS: \(first.error.message)"
            return .failure(error)
        }
    }

    private var mode: TLSMode {
        if case .unixDomainSocket = address { .disable } else { parameters.tls }
    }

    private func connect(on eventLoop: any EventLoop, isFirst: Bool) async -> Result<Session, HandshakeFailure> {
        do {
            let plan = Handshake.Plan(
                parameters: parameters, tls: try await use(isFirst: isFirst), wanted: wanted, address: address,
                deadline: deadline)
            return .success(
                try await bootstrap(eventLoop).connect(to: address).flatMap { Self.shakeHands(plan, $0) }.get())
        } catch let failure as HandshakeFailure {
            return .failure(failure)
        } catch ChannelError.connectTimeout {
            return .failure(HandshakeFailure(error: .tookTooLong))
        } catch let error as IOError {
            let reason = unsafe String(cString: strerror(error.errnoCode))
            return .failure(HandshakeFailure(error: .noSession("connecting failed: \(reason)")))
        } catch {
            return .failure(HandshakeFailure(error: .noSession("connecting failed")))
        }
    }

    /// On the channel's event loop.
    private static func shakeHands(_ plan: Handshake.Plan, _ channel: any Channel) -> EventLoopFuture<Session> {
        let promise = channel.eventLoop.makePromise(of: Session.self)
        do {
            try channel.pipeline.syncOperations.addHandler(Handshake(plan, promise))
        } catch {
            promise.fail(HandshakeFailure(error: .connectionLost))
        }
        return promise.futureResult
    }

    private func use(isFirst: Bool) async throws(HandshakeFailure) -> TLSUse {
        switch (mode, isFirst) {
        case (.disable, _), (.allow, true), (.prefer, false): return .never
        case (.prefer, true): return .offered(try await plan())
        case (.allow, false), (.require, _), (.verifyCA, _), (.verifyFull, _): return .required(try await plan())
        }
    }

    private func plan() async throws(HandshakeFailure) -> TLSPlan {
        do {
            return try await plans.plan(parameters, hostName: hostName)
        } catch {
            throw HandshakeFailure(error: error, isAboutTLS: true)
        }
    }

    private func bootstrap(_ eventLoop: any EventLoop) -> ClientBootstrap {
        let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(max(.zero, deadline - .now()))
        guard mode != .disable || address.port != nil else { return bootstrap }
        return parameters.keepAlive.options.reduce(bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)) {
            $0.channelOption($1.option, value: $1.value)
        }
    }
}

extension KeepAlive {
    /// As options of a TCP socket.
    fileprivate var options: [(option: ChannelOptions.Types.SocketOption, value: SocketOptionValue)] {
        func option(_ name: Int32, _ value: Int) -> (ChannelOptions.Types.SocketOption, SocketOptionValue)? {
            guard value > 0 else { return nil }
            return (.tcpOption(NIOBSDSocket.Option(rawValue: name)), SocketOptionValue(clamping: value))
        }
        let timeout = [option(TCP_USER_TIMEOUT, userTimeout)]
        let probes = [option(TCP_KEEPIDLE, idle), option(TCP_KEEPINTVL, interval), option(TCP_KEEPCNT, count)]
        let keepAlive = [(ChannelOptions.Types.SocketOption.socketOption(.so_keepalive), SocketOptionValue(1))]
        return (isOn ? keepAlive + probes.compactMap { $0 } : []) + timeout.compactMap { $0 }
    }
}

extension PostgresError {
    static let tookTooLong = PostgresError(.connection, message: "connecting took too long")
}
