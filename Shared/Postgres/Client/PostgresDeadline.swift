/// The moment until which the work of this task makes sense; every statement of the task keeps to it.
///
/// On a shared connection a passed deadline ends the wait, and the result is dropped when it comes. On a leased one it is the
/// transaction's `statement_timeout` as well; the statement is cancelled and the connection discarded.
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

    var error: PostgresError { isDeadline ? .deadlinePassed : .noAnswer }
}
