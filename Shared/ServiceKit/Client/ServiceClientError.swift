package import ClubProtocol
package import HTTPTypes

/// Why a call to a peer has no usable response.
package enum ServiceClientError: Error, Hashable, Sendable {
    /// The peer answered with a problem: 4xx, or 500.
    case problem(ProblemDocument)
    /// It cannot be reached, or reported that it cannot answer; the reason is a few fixed words, fit for a log.
    case unavailable(ServiceName, reason: String)
    /// The time is over: the caller's or that of the call.
    case deadline(ServiceName)
    /// The response does not conform to the protocol.
    case malformed(ServiceName)
}

extension ServiceClientError: LoggableError {
    package var description: String {
        switch self {
        case .problem(let document): "answered \(document.status) \(document.slug)"
        case .unavailable(let name, let reason): "\(name.rawValue) is not available: \(reason)"
        case .deadline(let name): "\(name.rawValue) did not answer in time"
        case .malformed(let name): "\(name.rawValue) answered outside of the protocol"
        }
    }
}

/// A peer's response with its metadata.
package struct Reply<Value: Sendable>: Sendable {
    package var value: Value
    /// The version in the `ETag`, to send back as `Request.ifMatch`.
    package var version: Int?
    package var status: HTTPResponse.Status
    /// Whether this is the stored response to an earlier request with the same Idempotency-Key.
    package var replayed: Bool
}
