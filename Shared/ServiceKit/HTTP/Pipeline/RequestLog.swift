import HTTPTypes
import Logging
import NIOCore

/// Measures every request, and logs those that are notable.
struct RequestLog: Sendable {
    let logger: Logger
    private let unrouted = UnroutedTimers()

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Counts the request, and logs it if it is notable.
    func finished(
        _ status: HTTPResponse.Status, _ requestID: String, _ route: Route?, _ arrived: NIODeadline, subject: String?,
        method: RequestHead.Method? = nil
    ) {
        let nanoseconds = (NIODeadline.now() - arrived).nanoseconds
        if let route {
            route.record(status, of: method, nanoseconds: nanoseconds)
        } else {
            unrouted[method ?? .other].record(status, nanoseconds: nanoseconds)
        }
        // A request that asked to wait for changes is not slow because it waited.
        let isSlow = Duration.nanoseconds(nanoseconds) > route?.slowAfter ?? .seconds(1)
        let isNotable = status.code >= 500 || status == .forbidden || isSlow
        let level: Logger.Level = isNotable ? .info : .debug
        guard logger.logLevel <= level else { return }
        logger.log(
            level: level, "request",
            metadata: [
                "operation": .string(route?.name ?? "none"), "status": .stringConvertible(status.code),
                "microseconds": .stringConvertible(nanoseconds / 1000), "requestID": .string(requestID),
                "subject": .string(subject ?? "-"),
            ])
    }

    /// Counts the response to a problem of a connection that has no request yet.
    func refused(_ status: HTTPResponse.Status) {
        unrouted[.other].record(status, nanoseconds: 0)
    }
}
