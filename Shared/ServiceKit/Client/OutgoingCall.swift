import AsyncHTTPClient
import ClubProtocol
import FoundationEssentials
import HTTPTypes
import NIOCore
import NIOHTTP1

/// A request prepared for the wire: everything that is the same for each attempt.
struct OutgoingCall: Sendable {
    var url: String
    var method: HTTPMethod
    var headers: HTTPHeaders
    var body: HTTPClientRequest.Body?
    /// Whether it is idempotent: sending it twice has the same effect as sending it once (RFC 9110, 9.2.2; a POST by
    /// its Idempotency-Key).
    var isRepeatable: Bool

    init<E: Endpoint>(_ request: Request<E>, to client: ServiceClient) throws {
        guard let address = client.address else {
            throw ServiceClientError.unavailable(client.name, reason: "no address configured")
        }
        let operation = E.operation
        let query = try FlatCoding.encodeQuery(request.query)
        url = try address + FlatCoding.path(of: operation, with: request.path) + (query.isEmpty ? "" : "?\(query)")
        method = HTTPMethod(rawValue: operation.method.rawValue)
        headers = ["Accept": "\(operation.produces.rawValue), application/problem+json"]
        if !(request.body is Empty), operation.consumes == .json || operation.consumes == .form {
            headers.add(name: "Content-Type", value: operation.consumes.rawValue)
            body =
                operation.consumes == .json
                ? .bytes(ByteBuffer(bytes: try WireJSON.encode(request.body)))
                : .bytes(ByteBuffer(string: try FlatCoding.encodeQuery(request.body)))
        }
        if let version = request.ifMatch { headers.add(name: "If-Match", value: "\"\(version)\"") }
        switch operation.method {
        case .post:
            let key = request.idempotencyKey ?? UUIDv7.next().uuidString.asciiLowercased
            headers.add(name: "Idempotency-Key", value: key)
            isRepeatable = true
        case .get, .head, .put, .delete: isRepeatable = true
        default: isRepeatable = false
        }
        if let requestID = RequestID.current { headers.add(name: "X-Request-ID", value: requestID) }
        if let trace = TraceContext.current { headers.add(name: "traceparent", value: trace.traceparent) }
    }

    /// The request as it is sent now, with the time that is left.
    func request(for client: ServiceClient, until deadline: ContinuousClock.Instant) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = headers
        request.body = body
        let left = max(.milliseconds(1), deadline - .now)
        request.headers.add(name: "Club-Timeout", value: "\(left.milliseconds)")
        switch client.credentials {
        case .service(let signer):
            request.headers.add(name: "Authorization", value: "Bearer \(try signer.token(for: client.name))")
        case .bearer(let token):
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
        case .none: break
        }
        return request
    }
}

/// A response with a status below 400, read to its end.
struct WholeAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: ByteBuffer
}
