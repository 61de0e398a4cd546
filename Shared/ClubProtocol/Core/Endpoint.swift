/// One operation of a service, with the shapes of what goes in and what comes out.
///
/// An endpoint is a type without values: a caseless `enum`. The server mounts it with one generic function, the client
/// sends it with one, and the OpenAPI document is derived from it, so that the three cannot differ.
package protocol Endpoint: Sendable {
    /// The variables of the path; its coding keys are the names in the braces of ``Operation/path``.
    associatedtype Path: Codable & Sendable = Empty
    /// The query parameters; an optional property may be absent, an array property may be given several times.
    associatedtype Query: Codable & Sendable = Empty
    /// The JSON object in the request's body.
    associatedtype Body: Codable & Sendable = Empty
    /// The JSON in the answer's body; for a stream, one line of it.
    associatedtype Response: Codable & Sendable = Empty

    /// Method, path, access and everything else that documents and guards the operation.
    static var operation: Operation { get }
}

/// No variables, no parameters, no body: `{}`.
package struct Empty: Codable, Hashable, Sendable {
    package init() {}
}

/// What one endpoint is asked: the value that a client sends.
package struct Request<E: Endpoint>: Sendable {
    package var path: E.Path
    package var query: E.Query
    package var body: E.Body
    /// The version a change is based on, as the ETag of an earlier answer said it.
    package var ifMatch: Int?
    /// Names this request so that a repetition has one effect; a client makes one for every POST that has none.
    package var idempotencyKey: String?

    package init(path: E.Path, query: E.Query, body: E.Body, ifMatch: Int? = nil, idempotencyKey: String? = nil) {
        self.path = path
        self.query = query
        self.body = body
        self.ifMatch = ifMatch
        self.idempotencyKey = idempotencyKey
    }
}

extension Endpoint {
    /// A request of this endpoint; parts that the endpoint does not have are left out.
    package static func request(
        path: Path, query: Query, body: Body, ifMatch: Int? = nil, idempotencyKey: String? = nil
    ) -> Request<Self> {
        Request(path: path, query: query, body: body, ifMatch: ifMatch, idempotencyKey: idempotencyKey)
    }
}

extension Endpoint where Path == Empty {
    package static func request(query: Query, body: Body, idempotencyKey: String? = nil) -> Request<Self> {
        Request(path: Empty(), query: query, body: body, idempotencyKey: idempotencyKey)
    }
}

extension Endpoint where Query == Empty {
    package static func request(
        path: Path, body: Body, ifMatch: Int? = nil, idempotencyKey: String? = nil
    ) -> Request<Self> {
        Request(path: path, query: Empty(), body: body, ifMatch: ifMatch, idempotencyKey: idempotencyKey)
    }
}

extension Endpoint where Body == Empty {
    package static func request(path: Path, query: Query) -> Request<Self> {
        Request(path: path, query: query, body: Empty())
    }
}

extension Endpoint where Path == Empty, Query == Empty {
    package static func request(body: Body, idempotencyKey: String? = nil) -> Request<Self> {
        Request(path: Empty(), query: Empty(), body: body, idempotencyKey: idempotencyKey)
    }
}

extension Endpoint where Path == Empty, Body == Empty {
    package static func request(query: Query) -> Request<Self> {
        Request(path: Empty(), query: query, body: Empty())
    }
}

extension Endpoint where Query == Empty, Body == Empty {
    package static func request(path: Path, ifMatch: Int? = nil) -> Request<Self> {
        Request(path: path, query: Empty(), body: Empty(), ifMatch: ifMatch)
    }
}

extension Endpoint where Path == Empty, Query == Empty, Body == Empty {
    package static func request() -> Request<Self> {
        Request(path: Empty(), query: Empty(), body: Empty())
    }
}
