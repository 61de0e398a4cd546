package import HTTPTypes

/// A kind of problem: the `type`, `title` and `status` of a problem document (RFC 9457).
package struct ProblemType: Hashable, Sendable {
    /// The last part of `urn:club:problem:<slug>`.
    package var slug: String
    package var title: String
    package var status: HTTPResponse.Status

    package init(_ slug: String, _ title: String, _ status: HTTPResponse.Status) {
        self.slug = slug
        self.title = title
        self.status = status
    }

    /// `urn:club:problem:<slug>`
    package var urn: String { "urn:club:problem:\(slug)" }
}

/// Problems that any operation may return.
extension ProblemType {
    package static let malformed = ProblemType("malformed", "Malformed request", .badRequest)
    package static let unauthenticated = ProblemType("unauthenticated", "A valid token is required", .unauthorized)
    package static let forbidden = ProblemType("forbidden", "Not allowed for your role", .forbidden)
    package static let notFound = ProblemType("not-found", "Not found", .notFound)
    package static let methodNotAllowed = ProblemType(
        "method-not-allowed", "Method not allowed", .methodNotAllowed)
    package static let requestTimeout = ProblemType(
        "request-timeout", "Request timeout", .requestTimeout)
    package static let conflict = ProblemType("conflict", "Conflict with the current state", .conflict)
    package static let alreadyExists = ProblemType("already-exists", "Already exists", .conflict)
    package static let transitionNotAllowed = ProblemType(
        "transition-not-allowed", "Transition not allowed", .conflict)
    package static let stillRunning = ProblemType(
        "still-running", "A request with this Idempotency-Key is still running", .conflict)
    package static let stale = ProblemType("stale", "Changed in the meantime", .preconditionFailed)
    package static let contentTooLarge = ProblemType("content-too-large", "The body is too large", .contentTooLarge)
    package static let uriTooLong = ProblemType("uri-too-long", "The URI is too long", .uriTooLong)
    package static let unsupportedMediaType = ProblemType(
        "unsupported-media-type", "Unsupported media type", .unsupportedMediaType)
    package static let expectationFailed = ProblemType(
        "expectation-failed", "Expectation failed", .expectationFailed)
    package static let invalid = ProblemType("invalid", "A value is not valid", .unprocessableContent)
    package static let keyReused = ProblemType(
        "idempotency-key-reused", "This Idempotency-Key was used with another request", .unprocessableContent)
    package static let preconditionRequired = ProblemType(
        "precondition-required", "If-Match must say which version the change is based on", .preconditionRequired)
    package static let tooManyRequests = ProblemType("too-many-requests", "Too many requests", .tooManyRequests)
    package static let headerTooLarge = ProblemType(
        "header-too-large", "The header is too large", .requestHeaderFieldsTooLarge)
    package static let `internal` = ProblemType("internal", "Internal server error", .internalServerError)
    package static let unavailable = ProblemType("unavailable", "Not available right now", .serviceUnavailable)
    package static let overloaded = ProblemType("overloaded", "Overloaded", .serviceUnavailable)
    package static let deadline = ProblemType("deadline", "Deadline exceeded", .gatewayTimeout)
}

/// An error response: `application/problem+json` (RFC 9457).
///
/// `detail` and `errors` are for developers who call the API: they name fields and states, never a person, an SQL
/// statement or a stack trace.
package struct Problem: Error, Sendable {
    /// One invalid field: a JSON pointer (RFC 6901) into the body, or the name of a parameter.
    package struct Field: Codable, Hashable, Sendable {
        package var pointer: String
        package var detail: String

        package init(_ pointer: String, _ detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    package var type: ProblemType
    package var detail: String?
    package var errors: [Field]
    /// Header fields that accompany the status: `Allow`, `Retry-After`, `WWW-Authenticate`.
    package var headers: HTTPFields

    package init(_ type: ProblemType, _ detail: String? = nil, errors: [Field] = [], headers: HTTPFields = [:]) {
        self.type = type
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    /// One invalid value: 422 naming its field.
    package static func invalid(_ pointer: String, _ detail: String) -> Problem {
        Problem(.invalid, errors: [Field(pointer, detail)])
    }
}

/// The problem document on the wire.
package struct ProblemDocument: Codable, Hashable, Sendable {
    package var type: String
    package var title: String
    package var status: Int
    package var detail: String?
    package var errors: [Problem.Field]?
    package var requestID: String?

    package init(_ problem: Problem, requestID: String?) {
        type = problem.type.urn
        title = problem.type.title
        status = problem.type.status.code
        detail = problem.detail
        errors = problem.errors.isEmpty ? nil : problem.errors
        self.requestID = requestID
    }

    /// The slug of `type`, to compare with a ``ProblemType``.
    package var slug: String { String(type.split(atByte: UInt8(ascii: ":")).last ?? "") }
}
