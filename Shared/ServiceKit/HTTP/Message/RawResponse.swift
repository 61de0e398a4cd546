import ClubProtocol
import HTTPTypes
import Postgres

/// A response, complete except for what depends on the connection: length, date and whether the connection stays open.
struct RawResponse: Sendable {
    var status: HTTPResponse.Status
    /// nil: no body.
    var contentType: String?
    var body: [UInt8]
    var requestID: String
    /// Sent as the ETag.
    var version: Int?
    /// Rarer fields: `Allow`, `Retry-After`, `Location`, `Deprecation`.
    var extra: HTTPFields
    /// Whether it may be stored only sealed.
    var isConfidential = false
    /// Whether it is the same for everyone, so that caches may keep it and revalidate; they must not store any other
    /// response.
    var isPublic = false
    /// Whether the length of the body is unknown: the response to HEAD where GET would stream.
    var omitsLength = false

    init(
        _ status: HTTPResponse.Status, contentType: String?, body: [UInt8], requestID: String, version: Int? = nil,
        extra: HTTPFields = [:]
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.requestID = requestID
        self.version = version
        self.extra = extra
    }

    /// The problem document (RFC 9457). Written by hand: under overload it is the most frequent response.
    init(_ problem: Problem, requestID: String) {
        var json: [UInt8] = []
        json.reserveCapacity(256)
        func member(_ key: StaticString, _ value: String) {
            json.append(contentsOf: json.isEmpty ? "{\"".utf8 : ",\"".utf8)
            json.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
            json.append(contentsOf: "\":".utf8)
            JSONText.writeString(value, into: &json)
        }
        member("type", problem.type.urn)
        member("title", problem.type.title)
        json.append(contentsOf: ",\"status\":\(problem.type.status.code)".utf8)
        if let detail = problem.detail { member("detail", detail) }
        if !problem.errors.isEmpty {
            json.append(contentsOf: ",\"errors\":[".utf8)
            for (index, field) in problem.errors.enumerated() {
                json.append(contentsOf: index == 0 ? "{\"pointer\":".utf8 : ",{\"pointer\":".utf8)
                JSONText.writeString(field.pointer, into: &json)
                json.append(contentsOf: ",\"detail\":".utf8)
                JSONText.writeString(field.detail, into: &json)
                json.append(UInt8(ascii: "}"))
            }
            json.append(UInt8(ascii: "]"))
        }
        member("requestID", requestID)
        json.append(UInt8(ascii: "}"))
        self.init(
            problem.type.status, contentType: "application/problem+json", body: json, requestID: requestID,
            extra: problem.headers)
    }

    /// The values of `Cache-Control` for responses that do not set their own (RFC 9111, 5.2.2).
    enum CacheRule: String {
        case keepNothing = "no-store"
        case askAgain = "no-cache"
    }

    var cacheRule: CacheRule? {
        guard extra.isEmpty || extra[.cacheControl] == nil else { return nil }
        return isPublic ? .askAgain : .keepNothing
    }

    /// As HTTP types, for in-process callers.
    var head: HTTPResponse {
        var fields = extra
        if let contentType {
            fields[.contentType] = contentType
            if !omitsLength { fields[.contentLength] = String(body.count) }
        }
        fields[.xContentTypeOptions] = "nosniff"
        if let rule = cacheRule { fields[.cacheControl] = rule.rawValue }
        if let version { fields[.eTag] = "\"\(version)\"" }
        fields[.requestID] = requestID
        return HTTPResponse(status: status, headerFields: fields)
    }
}

extension HTTPField.Name {
    static let requestID = known("X-Request-ID")
    static let idempotencyReplayed = known("Idempotency-Replayed")
    static let deprecation = known("Deprecation")
    static let sunset = known("Sunset")
    static let referrerPolicy = known("Referrer-Policy")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a valid field name") }
        return name
    }
}

/// How a request ended.
enum Completion: Sendable {
    case answer(RawResponse)
    /// All lines of the stream have been sent.
    case streamed
    /// The stream broke after its first bytes had been sent: only cutting it off tells the client.
    case broken
}

/// Where a stream's bytes go.
protocol ResponseSink: Sendable {
    /// Sends the head, without a length.
    func begin(_ head: RawResponse) async throws
    /// Returns when the bytes have been sent: a client that reads slowly slows down the writer.
    func write(_ bytes: [UInt8]) async throws
}
