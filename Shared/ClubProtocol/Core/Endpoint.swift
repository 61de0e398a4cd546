/// One operation of a service, with the types of its input and output.
///
/// An endpoint is a type without values: a caseless `enum`. The server mounts it with one generic function, the
/// client sends it with another, and the OpenAPI document is derived from it, so the three cannot disagree.
package protocol Endpoint: Sendable {
    /// The path variables: the value itself if there is one, otherwise a type with a property for each.
    associatedtype Path: PathVariables = Empty
    /// The query parameters. An optional property may be absent; an array property may be repeated.
    associatedtype Query: Codable & Sendable = Empty
    /// The JSON object in the request body.
    associatedtype Body: Codable & Sendable = Empty
    /// The JSON in the response body; for a stream, one line of it.
    associatedtype Response: Codable & Sendable = Empty

    /// The method, path, access and everything else that documents and protects the operation.
    static var operation: Operation { get }
}

/// No variables, no parameters, no body: `{}`.
package struct Empty: Codable, Hashable, Sendable {
    package init() {}
}

/// A request to one endpoint: the value that a client sends.
package struct Request<E: Endpoint>: Sendable {
    package var path: E.Path
    package var query: E.Query
    package var body: E.Body
    /// The version the change is based on, taken from the ETag of an earlier response.
    package var ifMatch: Int?
    /// Identifies this request, so that repeating it has one effect. The client generates one for every POST without
    /// one.
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
    /// Makes a request to this endpoint; omit the parts that the endpoint does not have.
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
