import ClubProtocol
import HTTPTypes

/// The refusals that several steps of a request's way have in common.
extension Problem {
    /// 503: something that the service depends on does not respond.
    static let unavailable = Problem(.unavailable, headers: [.retryAfter: "1"])
    /// 503: there is no place or memory for one more request.
    static let overloaded = Problem(.overloaded, headers: [.retryAfter: "1"])

    /// 413.
    ///
    /// - Parameter limit: the longest body that is accepted, in bytes.
    static func tooLarge(_ limit: Int) -> Problem {
        Problem(.contentTooLarge, "The body may have at most \(limit) bytes.")
    }
}
