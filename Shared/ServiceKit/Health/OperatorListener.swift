import ClubProtocol
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The listener for those who run the service: health and metrics, nothing of the public's.
///
/// It has a thread of its own, for the sockets and for the work behind them: however busy the API is, health has room.
struct OperatorListener: Service {
    let host: String
    let port: Int
    let health: Health
    let metrics: PrometheusRegistry
    let logger: Logger
    /// How long a request may take to arrive, from the first byte or from the connect.
    var requestTime: Duration = .seconds(9)
    /// Open sockets; beyond these the one that has been quiet for longest is closed.
    var connections = 256
    /// Told the port that was bound.
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
        let inner = HTTP1Channel(
            responder: { request, writer, _ in
                let answer = await OperatorPages(health: health, metrics: metrics).answer(to: request.head)
                try await writer.write(
                    response: answer.head,
                    body: answer.body.isEmpty
                        ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
            },
            configuration: .init(
                idleTimeout: .seconds(60),
                httpDecoderConfiguration: .init(maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10)))
        let channel = OperatorChannel(
            inner: inner,
            connections: OperatorConnections(limit: connections, requestTime: requestTime, on: group.next()))
        let server = channel.server(
            configuration: ServerConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                await onRunning(channel.localAddress?.port ?? port)
            }, eventLoopGroup: group, logger: logger)
        try await server.run()
    }
}

/// What the operator port answers.
struct OperatorPages: Sendable {
    struct Answer: Sendable {
        var head: HTTPResponse
        var body: [UInt8]
    }

    let health: Health
    let metrics: PrometheusRegistry

    func answer(to request: HTTPRequest) async -> Answer {
        let target = request.path ?? "/"
        let path = Substring(target.utf8.prefix { $0 != UInt8(ascii: "?") })
        let known = ["/health/live", "/health/ready", "/health/started", "/metrics"].contains(path)
        guard target.isASCII, known else { return problem(Problem(.notFound)) }
        guard request.method == .get || request.method == .head else {
            return problem(Problem(.methodNotAllowed, headers: [.allow: "GET, HEAD"]))
        }
        var answer =
            switch path {
            case "/health/live": page(health.live())
            case "/health/started": page(health.started())
            case "/health/ready": page(await health.ready())
            default: Answer(.ok, type: PrometheusRegistry.contentType, metrics.text())
            }
        if request.method == .head { answer.body = [] }
        return answer
    }

    private func page(_ report: HealthReport) -> Answer {
        Answer(
            report.isServing ? .ok : .serviceUnavailable, type: HealthReport.contentType,
            (try? WireJSON.encode(report)) ?? [])
    }

    private func problem(_ problem: Problem) -> Answer {
        var answer = Answer(
            problem.type.status, type: "application/problem+json",
            (try? WireJSON.encode(ProblemDocument(problem, requestID: nil))) ?? [])
        answer.head.headerFields.append(contentsOf: problem.headers)
        return answer
    }
}

extension OperatorPages.Answer {
    init(_ status: HTTPResponse.Status, type: String, _ body: [UInt8]) {
        head = HTTPResponse(
            status: status,
            headerFields: [
                .contentType: type, .contentLength: String(body.count), .cacheControl: "no-store",
                .xContentTypeOptions: "nosniff",
            ])
        self.body = body
    }
}
