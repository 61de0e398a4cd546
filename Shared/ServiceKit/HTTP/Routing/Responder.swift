import ClubProtocol
import HTTPTypes
import Logging
import NIOCore
import Postgres
import Synchronization

/// Decides on the head of every request of a service, whether it came over a socket or from a test in the same process:
/// which operation it is for, who sends it, and what becomes of its body. It waits for nothing, so that no body is read
/// from a caller who is refused anyway. What it admits is a ``RoutedRequest``, which runs when its body is complete.
final class Responder: RequestHandling {
    let limits: HTTPLimits
    let bodies: BodyBudget
    let connections: ConnectionCount
    let pipeline: Pipeline
    private let table: RouteTable
    private let documents: PublishedDocuments
    private let authentication: Authentication
    private let draining = Atomic<Bool>(false)
    private let names = RequestNames()

    /// - Parameters:
    ///   - links: provides the key that cursors are signed with.
    ///   - callers: checks that a token's claims about its bearer still hold.
    ///   - openAPI: the response to `GET /openapi.json`, for everyone.
    ///   - jwks: the response to `GET /.well-known/jwks.json`, for everyone: the service's public keys.
    /// - Throws: ``RoutesError`` if two routes have the same method and path.
    init(
        routes: Routes, database: PostgresClient, verifier: TokenVerifier, callers: CallerCheck? = nil,
        links: SignedLinks, limits: HTTPLimits = HTTPLimits(), openAPI: [UInt8], jwks: [UInt8], logger: Logger
    ) throws {
        table = try RouteTable(routes)
        self.limits = limits
        documents = PublishedDocuments(openAPI: openAPI, jwks: jwks)
        authentication = Authentication(verifier: verifier, limits: limits, logger: logger)
        bodies = BodyBudget(limit: limits.bufferedBytes, share: limits.bufferedBytesPerAddress)
        connections = ConnectionCount(share: limits.connectionsPerAddress ?? max(1, limits.connections / 4))
        pipeline = Pipeline(
            database: database,
            problems: ProblemResponses(
                constraints: routes.constraints, page: routes.problemPage, pageFolders: routes.pageFolders),
            callers: callers, links: links, limits: limits, logger: logger)
    }

    /// From now on each response closes its connection: called when the service is about to stop accepting.
    func drain() {
        draining.store(true, ordering: .relaxed)
    }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Requests in progress.
    var inFlight: Int { pipeline.admission.running }

    /// Requests that may wait for something outside: for changes, the rest of an upload, a client that reads.
    var inWaiting: Int { pipeline.waiting.count }

    /// Bytes that have arrived and are not processed yet.
    var buffered: Int { bodies.used }

    func open(_ head: consuming RequestHead, token: inout VerifiedToken?) -> HeadDecision {
        let arrived = NIODeadline.now()
        let method = head.method
        let requestID = head.requestID ?? names.next()
        if let fault = head.fault { return refuse(fault, requestID, nil, arrived, method: head.method) }
        switch table.match(head.method, head.target) {
        case .none where head.target.utf8.first != UInt8(ascii: "/"):
            // `OPTIONS *`, and `CONNECT` to another host: about the server as a whole, with no path.
            return refuse(
                Problem(.methodNotAllowed, headers: [.allow: table.allow]), requestID, nil, arrived, method: head.method
            )
        case .none:
            do throws(Problem) {
                let document = try documents.response(to: head, requestID: requestID)
                pipeline.log.finished(.ok, requestID, nil, arrived, subject: nil, method: head.method)
                return .answer(document)
            } catch {
                return refuseUnrouted(error, head, requestID, arrived)
            }
        case .methodNotAllowed(let allow):
            return refuseUnrouted(Problem(.methodNotAllowed, headers: [.allow: allow]), head, requestID, arrived)
        case .route(let route, let values, let query):
            let acceptsPages = route.isLink && head.acceptsPages
            do throws(Problem) {
                // Before the token, whose verification may cost more than the refusal.
                guard !pipeline.admission.isFull else { throw .overloaded }
                let isUncounted = route.isUncounted?(values) == true
                let principal = try authentication.principal(
                    of: head, for: route, isUncounted: isUncounted, last: &token)
                let deadline = try head.deadline() ?? (isUncounted ? .now + limits.linkPatience : nil)
                let bodyRule = try BodyRule.of(head, route, isAnonymous: principal.isAnonymous, limits)
                return .request(
                    RoutedRequest(
                        pipeline: pipeline, route: route, head: head, requestID: requestID, values: values,
                        query: query, principal: principal, deadline: deadline, bodyRule: bodyRule, arrived: arrived))
            } catch {
                return refuse(error, requestID, route, arrived, method: method, acceptsPages: acceptsPages)
            }
        }
    }

    /// The `Allow` of a path, nil if the path does not exist: for methods that the parser does not know.
    func allowed(_ target: String) -> String? {
        if case .methodNotAllowed(let allow) = table.match(.other, target) { allow } else { nil }
    }

    /// The response to a problem of the connection itself: before there is a request, or while its body arrives.
    func answer(to problem: Problem, during request: RoutedRequest?) -> RawResponse {
        pipeline.log.refused(problem.type.status)
        return pipeline.problems.response(
            to: problem, requestID: request?.requestID ?? names.next(), route: request?.route,
            acceptsPages: request?.head.acceptsPages ?? false)
    }

    private func refuse(
        _ problem: Problem, _ requestID: String, _ route: Route?, _ arrived: NIODeadline, method: RequestHead.Method,
        acceptsPages: Bool = false
    ) -> HeadDecision {
        pipeline.log.finished(problem.type.status, requestID, route, arrived, subject: nil, method: method)
        return .answer(
            pipeline.problems.response(to: problem, requestID: requestID, route: route, acceptsPages: acceptsPages))
    }

    /// Refuses a request for a path without a route, or without one for the method.
    private func refuseUnrouted(
        _ problem: Problem, _ head: RequestHead, _ requestID: String, _ arrived: NIODeadline
    ) -> HeadDecision {
        pipeline.log.finished(problem.type.status, requestID, nil, arrived, subject: nil, method: head.method)
        return .answer(pipeline.problems.response(to: problem, requestID: requestID, target: head.target))
    }
}
