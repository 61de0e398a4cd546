import ClubProtocol
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The listener for operators: health and metrics, never public.
///
/// It has a thread of its own, for the sockets and for the work behind them: health responds however busy the API is.
struct OperatorListener: Service {
    let host: String
    let port: Int
    let health: Health
    let metrics: PrometheusRegistry
    let logger: Logger
    /// How long a request may take to arrive, from its first byte or from the connect.
    var requestTime: Duration = .seconds(9)
    /// Open connections; beyond these, the one that has been idle longest is closed.
    var connections = 256
    /// Called with the bound port.
    let onRunning: @Sendable (Int) async -> Void

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let executor = LoopExecutor(group.next())
        let result: Result<Void, any Error>
        do {
            try await withTaskExecutorPreference(executor) { try await serve(on: group) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await group.shutdownGracefully()
        try result.get()
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        let channel = OperatorChannel(
            inner: APIChannel(responder: OperatorPages(health: health, metrics: metrics, requestTime: requestTime)),
            connections: OperatorConnections(limit: connections, requestTime: requestTime, on: group.next()))
        let server = channel.server(
            configuration: ServerConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                await onRunning(channel.localAddress?.port ?? port)
            }, eventLoopGroup: group, logger: logger)
        try await server.run()
    }
}

/// The responses of the operator port. The rules for heads, bodies and connections are those of the API, enforced by
/// the same code.
struct OperatorPages: RequestHandling {
    let health: Health
    let metrics: PrometheusRegistry
    let limits: HTTPLimits
    let bodies: BodyBudget
    /// Nothing is counted here: the port is not public, and ``OperatorConnections`` limits it.
    let connections = ConnectionCount(share: .max)
    /// It reports the shutdown to the last moment.
    let isDraining = false
    private let names = RequestNames()

    /// - Parameter requestTime: after which ``OperatorConnections`` closes without a response.
    init(health: Health, metrics: PrometheusRegistry, requestTime: Duration) {
        self.health = health
        self.metrics = metrics
        var limits = HTTPLimits()
        limits.headerBytes = 8 << 10
        limits.headerTimeout = requestTime * 2
        limits.bufferedBytes = 8 << 20
        self.limits = limits
        bodies = BodyBudget(limit: limits.bufferedBytes, share: limits.bufferedBytes)
    }

    func open(_ head: consuming RequestHead, token: inout VerifiedToken?) -> HeadDecision {
        let requestID = head.requestID ?? names.next()
        if let fault = head.fault { return .answer(RawResponse(fault, requestID: requestID)) }
        // A target that is not a path is about the server as a whole.
        guard head.target.utf8.first == UInt8(ascii: "/") else { return .answer(Self.wrongMethod(requestID)) }
        guard let page = Page(head.target) else {
            return .answer(RawResponse(Problem(.notFound), requestID: requestID))
        }
        guard head.method == .get || head.method == .head else { return .answer(Self.wrongMethod(requestID)) }
        return .page { await self.answer(page, requestID) }
    }

    func allowed(_ target: String) -> String? { Page(target) == nil ? nil : Self.methods }

    func answer(to problem: Problem, during request: RoutedRequest?) -> RawResponse {
        RawResponse(problem, requestID: names.next())
    }

    private static let methods = "GET, HEAD"

    private static func wrongMethod(_ requestID: String) -> RawResponse {
        RawResponse(Problem(.methodNotAllowed, headers: [.allow: methods]), requestID: requestID)
    }

    private enum Page: String {
        case live = "/health/live"
        case ready = "/health/ready"
        case started = "/health/started"
        case metrics = "/metrics"

        init?(_ target: String) {
            self.init(rawValue: String(Substring(target.utf8.prefix { $0 != UInt8(ascii: "?") })))
        }
    }

    private func answer(_ page: Page, _ requestID: String) async -> RawResponse {
        switch page {
        case .live: answer(health.live(), requestID)
        case .started: answer(health.started(), requestID)
        case .ready: answer(await health.ready(), requestID)
        case .metrics:
            RawResponse(.ok, contentType: PrometheusRegistry.contentType, body: metrics.text(), requestID: requestID)
        }
    }

    private func answer(_ report: HealthReport, _ requestID: String) -> RawResponse {
        RawResponse(
            report.isServing ? .ok : .serviceUnavailable, contentType: HealthReport.contentType,
            body: (try? WireJSON.encode(report)) ?? [], requestID: requestID)
    }
}
