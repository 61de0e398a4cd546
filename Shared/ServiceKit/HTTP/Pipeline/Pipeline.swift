import Crypto
import Logging
import Postgres

/// What the requests of one service share on their way from the head to the response.
final class Pipeline: Sendable {
    let database: PostgresClient
    let limits: HTTPLimits
    let log: RequestLog
    let problems: ProblemResponses
    let admission: Admission
    let waiting: WaitingRoom
    let exports: ExportGate
    /// Nil in tests with made-up callers.
    let callers: CallerCheck?
    /// Keyed, and updated with nothing else: copied for each list.
    let cursorCode: HMAC<SHA256>
    /// The key for stored responses that contain secrets.
    let answerKey: SymmetricKey

    /// - Parameters:
    ///   - problems: makes the responses to problems.
    ///   - callers: checks that a token's claims about its bearer still hold.
    ///   - links: provides the keys for cursors and stored responses.
    init(
        database: PostgresClient, problems: ProblemResponses, callers: CallerCheck?, links: SignedLinks,
        limits: HTTPLimits, logger: Logger
    ) {
        self.database = database
        self.problems = problems
        self.callers = callers
        self.limits = limits
        log = RequestLog(logger)
        admission = Admission(places: limits.inFlight, seats: limits.queued, patience: limits.queueWait)
        waiting = WaitingRoom(seats: limits.waiting, share: limits.waitingPerCaller)
        exports = ExportGate(places: limits.exports)
        cursorCode = HMAC(key: links.cursorKey)
        answerKey = links.answerKey
    }

    var logger: Logger { log.logger }
}
