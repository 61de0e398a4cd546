package import ClubProtocol
package import Logging

/// One request of an endpoint, decoded and allowed: what its handler gets.
package struct Call<E: Endpoint>: Sendable {
    package let path: E.Path
    package let query: E.Query
    package let body: E.Body
    package let principal: Principal
    /// The version that the change is based on; never nil where the operation requires `If-Match`.
    package let ifMatch: Int?
    package let idempotencyKey: String?
    /// As the caller gave it in `X-Request-ID`, or made here.
    package let requestID: String
    /// Until when the work makes sense to the caller, if it said so.
    package let deadline: ContinuousClock.Instant?
    let paging: PageRequest?
    let base: Logger
    let request: RoutedRequest

    /// What the body is, of that which the operation takes.
    package var media: Operation.Media {
        Responder.media(request.head.contentType, request.route.operation) ?? request.route.operation.consumes
    }

    /// Waits for somebody outside who has no time to keep, as a name server: with a seat in the waiting room, while another request has
    /// the place among those that are worked on.
    ///
    /// - Throws: 429 and 503 when there is no seat; what `wait` throws.
    func waitOutside<Value>(_ wait: () async throws -> Value) async throws -> Value {
        try await request.seated { try await request.outside(wait) }
    }

    /// The service's logger with the request and the operation on every line.
    package var logger: Logger {
        var logger = base
        logger[metadataKey: "requestID"] = .string(requestID)
        logger[metadataKey: "operation"] = .string(Route.name(of: E.self))
        return logger
    }
}

extension Call where E.Query: PagedQuery {
    /// Which page is asked for; its cursor has been verified.
    package var page: PageRequest {
        guard let paging else { preconditionFailure("a list's page is read before its handler runs") }
        return paging
    }
}
