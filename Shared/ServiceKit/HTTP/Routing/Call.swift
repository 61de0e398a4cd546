package import ClubProtocol
package import Logging

/// One request of an endpoint, decoded and authorized: what its handler gets. A reference, so that the functions on the
/// way to the handler need no room for all of it.
package final class Call<E: Endpoint>: Sendable {
    package let path: E.Path
    package let query: E.Query
    package let body: E.Body
    /// The version that the change is based on; never nil where the operation requires `If-Match`.
    package let ifMatch: Int?
    package let idempotencyKey: String?
    let paging: PageRequest?
    let request: RoutedRequest

    init(
        path: E.Path, query: E.Query, body: E.Body, ifMatch: Int?, idempotencyKey: String?, paging: PageRequest?,
        of request: RoutedRequest
    ) {
        self.path = path
        self.query = query
        self.body = body
        self.ifMatch = ifMatch
        self.idempotencyKey = idempotencyKey
        self.paging = paging
        self.request = request
    }

    package var principal: Principal { request.principal }

    /// From the caller's `X-Request-ID`, or generated here.
    package var requestID: String { request.requestID }

    /// The caller's deadline, if it gave one.
    package var deadline: ContinuousClock.Instant? { request.deadline }

    /// Which of the media types that the operation accepts the body has.
    package var media: Operation.Media {
        request.route.operation.media(of: request.head.contentType) ?? request.route.operation.consumes
    }

    /// Waits for something outside that keeps no deadline, such as a name server: with a seat in the waiting room,
    /// while another request uses the place.
    ///
    /// - Throws: 429 and 503 when there is no seat; errors of `wait`.
    func waitOutside<Value>(_ wait: () async throws -> Value) async throws -> Value {
        try await request.seated { try await request.outside(wait) }
    }

    /// The service's logger, with the request and the operation on every line.
    package var logger: Logger {
        var logger = request.pipeline.logger
        logger[metadataKey: "requestID"] = .string(requestID)
        logger[metadataKey: "operation"] = .string(Route.name(of: E.self))
        return logger
    }
}

extension Call where E.Query: PagedQuery {
    /// Which page is requested; its cursor has been verified.
    package var page: PageRequest {
        guard let paging else { preconditionFailure("a list's page is read before its handler runs") }
        return paging
    }
}
