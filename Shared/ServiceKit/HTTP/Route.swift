import ClubProtocol
import HTTPTypes
import Metrics

/// One mounted endpoint, its types forgotten.
final class Route: Sendable {
    enum Input: Sendable {
        case json, upload
    }

    typealias Run = @Sendable (Work, BodyInput, any AnswerSink) async throws -> Completion

    /// Nothing but what the page itself brings: no script at all, and no page of somebody else around it.
    static let pageHeaders: HTTPFields = [
        .contentSecurityPolicy:
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
            + "base-uri 'none'; frame-ancestors 'none'",
        .xContentTypeOptions: "nosniff", .referrerPolicy: "no-referrer",
    ]

    /// `registerForEvent`: as in the OpenAPI document, the metrics and the log.
    let name: String
    let operation: Operation
    let input: Input
    let hasBody: Bool
    let isPaged: Bool
    let isRead: Bool
    let variables: [String]
    /// `Deprecation` and `Sunset`, where the operation will go.
    let extra: HTTPFields
    let run: Run
    private let timers: StatusTimers

    init(name: String, operation: Operation, input: Input, hasBody: Bool, isPaged: Bool, run: @escaping Run) {
        self.name = name
        self.operation = operation
        self.input = input
        self.hasBody = hasBody
        self.isPaged = isPaged
        self.run = run
        isRead = operation.method == .get
        variables = operation.segments.compactMap { if case .variable(let name) = $0 { name } else { nil } }
        var extra: HTTPFields = [:]
        if let deprecation = operation.deprecation {
            // A structured date (RFC 9745) and an HTTP date (RFC 8594).
            extra[.deprecation] = "@\(deprecation.since.microseconds / 1_000_000)"
            extra[.sunset] = HTTPDate.text(unixSeconds: deprecation.sunset.microseconds / 1_000_000)
        }
        if operation.produces == .html { extra.append(contentsOf: Self.pageHeaders) }
        // What a signed link opens is for whoever has the link: no cache keeps it, and no page that it leads to hears of it.
        if variables.contains("token") {
            extra[.cacheControl] = "no-store"
            extra[.referrerPolicy] = "no-referrer"
        }
        self.extra = extra
        timers = StatusTimers(operation: name)
    }

    func record(_ status: HTTPResponse.Status, nanoseconds: Int64) {
        timers.record(status, nanoseconds: nanoseconds)
    }

    /// `RegisterForEvent` → `registerForEvent`.
    static func name(of endpoint: any Endpoint.Type) -> String {
        let type = String(describing: endpoint)
        // text: the name of a type of ours.
        return type.prefix(1).lowercased() + type.dropFirst()
    }
}

/// The timers of one operation, one a class of statuses, made once.
struct StatusTimers: Sendable {
    private let timers: [Timer]

    init(operation: String) {
        timers = ["2xx", "3xx", "4xx", "5xx"].map { status in
            Timer(
                label: "http_server_request_duration_seconds",
                dimensions: [("operation", operation), ("status", status)])
        }
    }

    func record(_ status: HTTPResponse.Status, nanoseconds: Int64) {
        timers[min(max(status.code / 100 - 2, 0), 3)].recordNanoseconds(nanoseconds)
    }
}
