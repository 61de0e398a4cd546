import ClubProtocol
import Crypto
package import HTTPTypes
package import Logging
import NIOCore
package import Postgres
import Synchronization

/// Every request of a service passes through here, whether it came over a socket or from a test in the same process.
///
/// In two steps. ``open(_:)`` examines the head alone, without waiting for anything, so that no body is read from a
/// caller who is refused anyway. What it admits is a ``RoutedRequest``, which runs when its body is complete.
package final class Responder: RequestHandling {
    let database: PostgresClient
    /// Keyed, and updated with nothing else: copied for each list.
    let cursorCode: HMAC<SHA256>
    /// The key for stored responses that contain secrets.
    let answerKey: SymmetricKey
    let limits: HTTPLimits
    let logger: Logger
    let admission: Admission
    let waiting: WaitingRoom
    let bodies: BodyBudget
    let connections: ConnectionCount
    let exports: ExportGate
    /// Nil in tests with made-up callers.
    let callers: CallerCheck?
    private let verifier: TokenVerifier
    private let table: RouteTable
    private let mapping: ProblemMapping
    private let problemPage: (@Sendable (Problem, String) -> String)?
    private let pageFolders: [String]
    private let documents: [String: [UInt8]]
    private let principals: RateLimiter
    private let anonymousLimiter: RateLimiter
    private let failedTokenLimiter: RateLimiter
    private let unrouted = UnroutedTimers()
    private let draining = Atomic<Bool>(false)
    private let names = RequestNames()

    /// - Parameters:
    ///   - links: provides the key that cursors are signed with.
    ///   - callers: checks that a token's claims about its bearer still hold.
    ///   - openAPI: the response to `GET /openapi.json`, for everyone.
    ///   - jwks: the response to `GET /.well-known/jwks.json`, for everyone: the service's public keys.
    /// - Throws: ``RoutesError`` if two routes have the same method and path.
    package init(
        routes: Routes, database: PostgresClient, verifier: TokenVerifier, callers: CallerCheck? = nil,
        links: SignedLinks, limits: HTTPLimits = HTTPLimits(), openAPI: [UInt8], jwks: [UInt8], logger: Logger
    ) throws {
        table = try RouteTable(routes)
        self.database = database
        self.verifier = verifier
        self.callers = callers
        self.limits = limits
        self.logger = logger
        cursorCode = HMAC(key: links.cursorKey)
        answerKey = links.answerKey
        mapping = ProblemMapping(constraints: routes.constraints)
        problemPage = routes.problemPage
        pageFolders = routes.pageFolders
        documents = ["/openapi.json": openAPI, "/.well-known/jwks.json": jwks]
        admission = Admission(places: limits.inFlight, seats: limits.queued, patience: limits.queueWait)
        waiting = WaitingRoom(seats: limits.waiting, share: limits.waitingPerCaller)
        bodies = BodyBudget(limit: limits.bufferedBytes, share: limits.bufferedBytesPerAddress)
        connections = ConnectionCount(share: limits.connectionsPerAddress ?? max(1, limits.connections / 4))
        exports = ExportGate(places: limits.exports)
        principals = RateLimiter(limits.principalRate)
        anonymousLimiter = RateLimiter(limits.anonymousRate)
        failedTokenLimiter = RateLimiter(limits.failedTokenRate)
    }

    /// From now on each response closes its connection: called when the service is about to stop accepting.
    package func drain() {
        draining.store(true, ordering: .relaxed)
    }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Requests in progress.
    package var inFlight: Int { admission.running }

    /// Requests that may wait for something outside: for changes, the rest of an upload, a client that reads.
    package var inWaiting: Int { waiting.count }

    /// Bytes that have arrived and are not processed yet.
    package var buffered: Int { bodies.used }

    /// Handles a request in process: the whole stack except sockets.
    package func respond(
        to request: HTTPRequest, body: [UInt8] = [], address: String = "127.0.0.1"
    ) async -> (HTTPResponse, [UInt8]) {
        let head = RequestHead(request, from: limits.trustedProxies.peer(IPAddress(address)))
        let answer: RawResponse
        var streamed: [UInt8] = []
        switch open(head) {
        case .answer(let refusal): answer = refusal
        case .page(let page): answer = await page()
        case .request(let request):
            let sink = CollectingSink()
            switch await request.run(request.bodyRule.input(body), sink: sink) {
            case .answer(let made): answer = made
            case .streamed:
                guard let begun = sink.head else { return (HTTPResponse(status: .internalServerError), []) }
                answer = begun
                streamed = sink.bytes
            case .broken: return (HTTPResponse(status: .internalServerError), sink.bytes)
            }
        }
        let content = streamed.isEmpty ? answer.body : streamed
        return (answer.head, head.method == .head ? [] : content)
    }

    /// Decides on the head alone. Never waits.
    func open(_ head: RequestHead) -> HeadDecision {
        let arrived = NIODeadline.now()
        let requestID = head.requestID ?? names.next()
        if let fault = head.fault { return refuse(fault, requestID, nil, arrived, method: head.method) }
        switch table.match(head.method, head.target) {
        case .none where head.target.utf8.first != UInt8(ascii: "/"):
            // `OPTIONS *`, and `CONNECT` to another host: about the server as a whole, with no path.
            return refuse(
                Problem(.methodNotAllowed, headers: [.allow: table.allow]), requestID, nil, arrived, method: head.method
            )
        case .none: return .answer(document(head, requestID, arrived))
        case .methodNotAllowed(let allow):
            let problem = Problem(.methodNotAllowed, headers: [.allow: allow])
            finished(problem.type.status, requestID, nil, arrived, subject: nil, method: head.method)
            return .answer(wire(problem, requestID: requestID, target: head.target))
        case .route(let route, let values, let query):
            do throws(Problem) {
                // Before the token, whose verification may cost more than the refusal.
                guard !admission.isFull else { throw ProblemMapping.overloaded }
                let principal = try identify(head, route)
                let deadline = try deadline(head)
                return .request(
                    RoutedRequest(
                        responder: self, route: route, head: head, requestID: requestID, values: values, query: query,
                        principal: principal, deadline: deadline,
                        bodyRule: try bodyRule(head, route, isAnonymous: principal.isAnonymous), arrived: arrived))
            } catch {
                return refuse(error, requestID, route, arrived, method: head.method)
            }
        }
    }

    /// The `Allow` of a path, nil if the path does not exist: for methods that the parser does not know.
    func allowed(_ target: String) -> String? {
        if case .methodNotAllowed(let allow) = table.match(.other, target) { allow } else { nil }
    }

    /// The response to a problem of the connection itself: before there is a request, or while its body arrives.
    func answer(to problem: Problem, during request: RoutedRequest?) -> RawResponse {
        unrouted[.other].record(problem.type.status, nanoseconds: 0)
        return wire(problem, requestID: request?.requestID ?? names.next(), route: request?.route)
    }

    func problem(for error: any Error, deadline: ContinuousClock.Instant?) -> Problem {
        mapping.problem(for: error, deadline: deadline)
    }

    /// Counts the request, and logs it if it is notable.
    func finished(
        _ status: HTTPResponse.Status, _ requestID: String, _ route: Route?, _ arrived: NIODeadline, subject: String?,
        method: RequestHead.Method? = nil
    ) {
        let nanoseconds = (NIODeadline.now() - arrived).nanoseconds
        if let route {
            route.record(status, of: method, nanoseconds: nanoseconds)
        } else {
            unrouted[method ?? .other].record(status, nanoseconds: nanoseconds)
        }
        // A request that asked to wait for changes is not slow because it waited.
        let isSlow = Duration.nanoseconds(nanoseconds) > route?.slowAfter ?? .seconds(1)
        let isNotable = status.code >= 500 || status == .forbidden || isSlow
        let level: Logger.Level = isNotable ? .info : .debug
        guard logger.logLevel <= level else { return }
        logger.log(
            level: level, "request",
            metadata: [
                "operation": .string(route?.name ?? "none"), "status": .stringConvertible(status.code),
                "microseconds": .stringConvertible(nanoseconds / 1000), "requestID": .string(requestID),
                "subject": .string(subject ?? "-"),
            ])
    }

    private func refuse(
        _ problem: Problem, _ requestID: String, _ route: Route?, _ arrived: NIODeadline, subject: String? = nil,
        method: RequestHead.Method
    ) -> HeadDecision {
        finished(problem.type.status, requestID, route, arrived, subject: subject, method: method)
        return .answer(wire(problem, requestID: requestID, route: route))
    }

    /// The response to a problem on a route: a page if the route produces pages, otherwise the problem document.
    func wire(_ problem: Problem, requestID: String, route: Route?) -> RawResponse {
        guard let problemPage, let route, route.operation.produces == .html else {
            return RawResponse(problem, requestID: requestID)
        }
        return page(problemPage(problem, requestID), of: problem, requestID, route.extra)
    }

    /// The response to a problem of a path without a route, or without one for the method.
    private func wire(_ problem: Problem, requestID: String, target: String) -> RawResponse {
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        let isForPeople = pageFolders.contains { folder in
            guard path.starts(with: folder.utf8) else { return false }
            let next = path.dropFirst(folder.utf8.count).first
            return next == nil || next == UInt8(ascii: "/")
        }
        guard let problemPage, isForPeople else {
            return RawResponse(problem, requestID: requestID)
        }
        return page(problemPage(problem, requestID), of: problem, requestID, Route.pageHeaders)
    }

    private func page(
        _ html: String, of problem: Problem, _ requestID: String, _ headers: HTTPFields
    ) -> RawResponse {
        RawResponse(
            problem.type.status, contentType: Operation.Media.html.rawValue, body: Array(html.utf8),
            requestID: requestID, extra: HTTPFields(Array(problem.headers) + Array(headers)))
    }

    private func document(_ head: RequestHead, _ requestID: String, _ arrived: NIODeadline) -> RawResponse {
        let path = String(Substring(head.target.utf8.prefix { $0 != UInt8(ascii: "?") }))
        let problem: Problem
        if let document = documents[path] {
            if head.method == .get || head.method == .head {
                finished(.ok, requestID, nil, arrived, subject: nil, method: head.method)
                return RawResponse(
                    .ok, contentType: "application/json", body: document, requestID: requestID,
                    extra: [.cacheControl: "public, max-age=60"])
            }
            problem = Problem(.methodNotAllowed, headers: [.allow: "GET, HEAD"])
        } else {
            problem = Problem(.notFound)
        }
        finished(problem.type.status, requestID, nil, arrived, subject: nil, method: head.method)
        return wire(problem, requestID: requestID, target: head.target)
    }

    private func identify(_ head: RequestHead, _ route: Route) throws(Problem) -> Principal {
        let principal: Principal
        if head.authorization == nil, case .anyone = route.operation.access {
            principal = .anonymous
        } else {
            do throws(Problem) {
                principal = try verifier.verify(authorization: head.authorization)
            } catch {
                if head.authorization != nil, let seconds = failedTokenLimiter.take(head.client.bucket) {
                    throw Problem(.tooManyRequests, headers: [.retryAfter: String(seconds)])
                }
                throw error
            }
        }
        guard route.operation.access.allows(principal.role) else {
            logger.info(
                "refused by role",
                metadata: [
                    "operation": .string(route.name), "subject": .string(principal.actor),
                    "role": .string(principal.role.rawValue),
                ])
            throw Problem(.forbidden)
        }
        switch principal.role {
        case .operator, .service: break
        default:
            // Callers without a token share the bucket of their address.
            let wait =
                principal.isAnonymous ? anonymousLimiter.take(head.client.bucket) : principals.take(principal.subject)
            if let seconds = wait {
                throw Problem(.tooManyRequests, headers: [.retryAfter: String(seconds)])
            }
        }
        return principal
    }

    /// The caller's remaining milliseconds, as a point in time.
    private func deadline(_ head: RequestHead) throws(Problem) -> ContinuousClock.Instant? {
        guard let text = head.timeout else { return nil }
        guard !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let milliseconds = Int(text)
        else { throw Problem(.malformed, "Club-Timeout must be a number of milliseconds.") }
        guard milliseconds > 0 else { throw Problem(.deadline) }
        return ContinuousClock.now.advanced(by: .milliseconds(milliseconds))
    }

    private func bodyRule(
        _ head: RequestHead, _ route: Route, isAnonymous: Bool
    ) throws(Problem) -> RoutedRequest.BodyRule {
        // A body that the operation does not read may be of any type: mail programs post a form to unsubscribe (RFC
        // 8058).
        guard route.hasBody || route.input == .upload else { return .ignore }
        let isUpload = route.input == .upload
        let limit = limits.bodyBytes(route.operation, isUpload: isUpload, isAnonymous: isAnonymous)
        if head.hasBody {
            guard !head.isEncoded, Self.media(head.contentType, route.operation) != nil else {
                let names = route.operation.bodyNames.joined(separator: ", ")
                throw Problem(.unsupportedMediaType, "This operation takes \(names).", headers: [.accept: names])
            }
            guard (head.contentLength ?? 0) <= limit else { throw .tooLarge(limit) }
        }
        return isUpload ? .stream(limit: limit) : .collect(limit: limit)
    }

    /// The media type of a body, among those that the operation accepts; nil for any other.
    static func media(_ contentType: String?, _ operation: Operation) -> Operation.Media? {
        // Character sets other than UTF-8 would be misread; other parameters have no meaning here.
        guard let type = contentType.flatMap(ContentType.init), type.charset?.hasSameBytes(as: "utf-8") ?? true else {
            return nil
        }
        let name = type.name
        let isFirst =
            name.hasSameBytes(as: operation.consumes.rawValue)
            || (operation.method == .patch && name.hasSameBytes(as: "application/merge-patch+json"))
        if isFirst { return operation.consumes }
        return operation.alsoConsumes.first { media in media.names.contains { $0.hasSameBytes(as: name) } }
    }
}

extension Problem {
    static func tooLarge(_ limit: Int) -> Problem {
        Problem(.contentTooLarge, "The body may have \(limit) bytes at the most.")
    }
}

/// Collects a stream's bytes, for callers in the same process.
private final class CollectingSink: ResponseSink {
    private let state = Mutex<(head: RawResponse?, bytes: [UInt8])>((nil, []))

    var head: RawResponse? { state.withLock { $0.head } }
    var bytes: [UInt8] { state.withLock { $0.bytes } }

    func begin(_ head: RawResponse) async throws { state.withLock { $0.head = head } }
    func write(_ bytes: [UInt8]) async throws { state.withLock { $0.bytes += bytes } }
}
