/// The moment until which the work of this task makes sense; every statement of the task keeps to it.
///
/// A passed deadline ends the wait, whatever is waited for. On a shared connection the result is dropped when it comes. On a leased
/// one the deadline is the transaction's `statement_timeout` as well, and the statement is cancelled; a commit is not: its caller is
/// told that the outcome is unknown. The connection is used again once the server has answered.
package enum PostgresDeadline {
    @TaskLocal package static var current: ContinuousClock.Instant?
}

/// How long a caller waits, on the loop's clock.
struct Patience {
    /// When the caller gives up.
    let until: UInt64
    /// True if that is the task's own deadline, and not this client's limit.
    let isDeadline: Bool

    /// - Parameter limit: what this client allows at most, in nanoseconds from now.
    init(now: UInt64, limit: UInt64) throws(PostgresError) {
        guard let deadline = PostgresDeadline.current else {
            until = now &+ limit
            isDeadline = false
            return
        }
        let remaining = ContinuousClock.now.duration(to: deadline)
        guard remaining > .zero else { throw .deadlinePassed }
        let nanoseconds = remaining.wholeNanoseconds
        until = now &+ min(nanoseconds, limit)
        isDeadline = nanoseconds <= limit
    }

    /// For what the loop does of its own accord.
    init(loop now: UInt64, limit: UInt64) {
        until = now &+ limit
        isDeadline = false
    }

    private init(until: UInt64, isDeadline: Bool) {
        self.until = until
        self.isDeadline = isDeadline
    }

    /// The same, or what ends earlier.
    func shortened(to limit: UInt64) -> Patience {
        until <= limit ? self : Patience(until: limit, isDeadline: false)
    }

    var error: PostgresError { isDeadline ? .deadlinePassed : .noAnswer }
}
