import ClubProtocol
import HTTPTypes

/// One mounted endpoint, type-erased.
package final class Route: Sendable {
    enum Input: Sendable {
        case json, upload
    }

    typealias Run = @Sendable (RoutedRequest, BodyInput, any ResponseSink) async throws -> Completion
    typealias Uncounted = @Sendable ([String]) -> Bool

    /// The page loads nothing but its own content: no scripts, and no framing by other pages.
    static let pageHeaders: HTTPFields = [
        .contentSecurityPolicy:
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
            + "base-uri 'none'; frame-ancestors 'none'",
        .referrerPolicy: "no-referrer",
    ]

    /// `registerForEvent`: as in the OpenAPI document, the metrics and the log.
    let name: String
    let operation: Operation
    let input: Input
    let hasBody: Bool
    let isPaged: Bool
    let isRead: Bool
    /// Whether the response is the same for everyone.
    let isPublic: Bool
    /// Whether the path has a signed link's token.
    let isLink: Bool
    let variables: [String]
    /// `Deprecation` and `Sunset`, if the operation is to be removed.
    let extra: HTTPFields
    let run: Run
    /// Whether a request with these path variables is not refused because there are many; nil if all are.
    let isUncounted: Uncounted?
    /// How long a response may take before it is logged as slow.
    let slowAfter: Duration
    private let timers: RequestTimers
    /// HEAD is supported wherever GET is.
    private let headTimers: RequestTimers

    /// - Parameter longestWait: for an operation that callers can ask to wait for changes.
    init(
        name: String, operation: Operation, input: Input, hasBody: Bool, isPaged: Bool, longestWait: Duration = .zero,
        isUncounted: Uncounted? = nil, run: @escaping Run
    ) {
        self.name = name
        self.operation = operation
        self.input = input
        self.hasBody = hasBody
        self.isPaged = isPaged
        self.run = run
        self.isUncounted = isUncounted
        isRead = operation.method == .get
        variables = operation.variables
        var extra: HTTPFields = [:]
        if let deprecation = operation.deprecation {
            // A structured date (RFC 9745) and an HTTP date (RFC 8594).
            extra[.deprecation] = "@\(deprecation.since.microseconds / 1_000_000)"
            extra[.sunset] = HTTPDate.text(unixSeconds: deprecation.sunset.microseconds / 1_000_000)
        }
        if operation.produces == .html { extra.append(contentsOf: Self.pageHeaders) }
        // A signed link is for its holder alone: no cache stores the response, and pages that it leads to see no
        // referrer.
        isLink = variables.contains("token")
        if isLink { extra[.referrerPolicy] = "no-referrer" }
        isPublic = isRead && operation.access == .anyone && !isLink
        self.extra = extra
        slowAfter = longestWait + .seconds(1)
        timers = RequestTimers(method: operation.method.rawValue, route: operation.path)
        headTimers = RequestTimers(method: HTTPRequest.Method.head.rawValue, route: operation.path)
    }

    func record(_ status: HTTPResponse.Status, of method: RequestHead.Method?, nanoseconds: Int64) {
        (method == .head ? headTimers : timers).record(status, nanoseconds: nanoseconds)
    }

    /// `RegisterForEvent` → `registerForEvent`.
    static func name(of endpoint: any Endpoint.Type) -> String {
        let type = String(describing: endpoint)
        // text: the name of a type of ours.
        return type.prefix(1).lowercased() + type.dropFirst()
    }
}
