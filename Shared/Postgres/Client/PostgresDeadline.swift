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
    /// True if the task has a deadline, be it after this client's limit.
    let hasDeadline: Bool

    /// - Parameter limit: what this client allows at most, in nanoseconds from now.
    init(now: UInt64, limit: UInt64) throws(PostgresError) {
        guard let deadline = PostgresDeadline.current else {
            (until, isDeadline, hasDeadline) = (now &+ limit, false, false)
            return
        }
        let remaining = ContinuousClock.now.duration(to: deadline)
        guard remaining > .zero else { throw .deadlinePassed }
        let nanoseconds = remaining.wholeNanoseconds
        (until, isDeadline, hasDeadline) = (now &+ min(nanoseconds, limit), nanoseconds <= limit, true)
    }

    /// For what the loop does of its own accord.
    init(loop now: UInt64, limit: UInt64) {
        (until, isDeadline, hasDeadline) = (now &+ limit, false, false)
    }

    private init(until: UInt64) {
        (self.until, isDeadline, hasDeadline) = (until, false, false)
    }

    /// What ends earlier, or the same where the caller has said how long it waits.
    func shortened(to limit: UInt64) -> Patience {
        hasDeadline || until <= limit ? self : Patience(until: limit)
    }

    var error: PostgresError { isDeadline ? .deadlinePassed : .noAnswer }
}
