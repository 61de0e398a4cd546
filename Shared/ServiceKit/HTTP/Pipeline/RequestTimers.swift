import ClubProtocol
import HTTPTypes
import Metrics
import Synchronization

/// The durations of the requests of one method on one route, with a series for each response status.
///
/// Named after OpenTelemetry's conventions for HTTP servers, as Prometheus writes names. A series is created with the
/// first response of its status: hundreds of routes with dozens of statuses would otherwise export thousands of zeros.
///
/// There is one histogram for each method and status over all routes, and only a count and a sum for each route: a
/// histogram for each route would be seventeen series for each of its statuses.
final class RequestTimers: Sendable {
    static let label = "http_server_request_duration_seconds"
    static let routeLabel = "http_server_route_duration_seconds"

    /// The timers of one status.
    private final class Pair: Sendable {
        let spread: Timer
        let ofRoute: Timer?

        init(spread: Timer, ofRoute: Timer?) {
            self.spread = spread
            self.ofRoute = ofRoute
        }

        func record(_ nanoseconds: Int64) {
            spread.recordNanoseconds(nanoseconds)
            ofRoute?.recordNanoseconds(nanoseconds)
        }
    }

    /// The statuses that we use. Any other is looked up by its labels each time.
    private static let statuses = [
        200, 201, 202, 204, 206, 301, 302, 303, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 414, 415,
        417, 422, 428, 429, 431, 500, 501, 502, 503, 504,
    ]
    /// The index in `statuses` of each status from 100 on; -1 if it is not there.
    private static let places: [Int8] = (100..<600).map { code in Int8(statuses.firstIndex(of: code) ?? -1) }

    private let method: String
    private let route: String?
    private let timers = Mutex(InlineArray<32, Pair?>(repeating: nil))

    /// - Parameters:
    ///   - method: `_OTHER` for an unknown one.
    ///   - route: `/v1/people/{person}`; nil for unknown paths, which callers may choose freely.
    init(method: String, route: String?) {
        self.method = method
        self.route = route
    }

    func record(_ status: HTTPResponse.Status, nanoseconds: Int64) {
        let code = status.code
        let place = (100..<600).contains(code) ? Int(Self.places[code - 100]) : -1
        guard place >= 0 else { return make(code).record(nanoseconds) }
        let known = timers.withLock { $0[place] }
        (known ?? add(code, at: place)).record(nanoseconds)
    }

    private func add(_ code: Int, at place: Int) -> Pair {
        let made = make(code)
        timers.withLock { $0[place] = made }
        return made
    }

    /// The registry returns the same series for the same labels, whichever caller creates it first.
    private func make(_ code: Int) -> Pair {
        var dimensions = [
            ("http_request_method", method), ("http_response_status_code", String(code)), ("url_scheme", "http"),
        ]
        if code >= 500 { dimensions.append(("error_type", String(code))) }
        return Pair(
            spread: Timer(label: Self.label, dimensions: dimensions),
            ofRoute: route.map { Timer(label: Self.routeLabel, dimensions: dimensions + [("http_route", $0)]) })
    }
}

/// The timers of every method on unknown paths.
struct UnroutedTimers: Sendable {
    private let timers = RequestHead.Method.allCases.map { RequestTimers(method: $0.methodLabel, route: nil) }

    subscript(_ method: RequestHead.Method) -> RequestTimers { timers[method.rawValue] }
}

extension RequestHead.Method {
    /// `http.request.method` of OpenTelemetry's conventions.
    var methodLabel: String { self == .other ? "_OTHER" : name }
}
