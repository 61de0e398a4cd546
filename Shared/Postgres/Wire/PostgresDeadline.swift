/// The deadline of this task's work, which applies to all of its statements.
///
/// When it passes, every wait ends. On a shared connection, the result is dropped when it arrives. On a leased
/// connection, the deadline also sets the transaction's `statement_timeout`, and the statement is cancelled. A commit
/// is not cancelled: its caller is told that the outcome is unknown. The connection is reused once the server has
/// responded.
package enum PostgresDeadline {
    @TaskLocal package static var current: ContinuousClock.Instant?
}

/// The time limit of a caller, on the loop's clock.
struct Patience {
    /// When the wait ends.
    let until: UInt64
    /// Whether this is the task's own deadline rather than the client's limit.
    let isDeadline: Bool
    /// Whether the task has a deadline, even one after the client's limit.
    let hasDeadline: Bool

    /// - Parameter limit: the client's maximum, in nanoseconds from now.
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

    /// For the loop's own work.
    init(loop now: UInt64, limit: UInt64) {
        (until, isDeadline, hasDeadline) = (now &+ limit, false, false)
    }

    private init(until: UInt64) {
        (self.until, isDeadline, hasDeadline) = (until, false, false)
    }

    /// The earlier of the two; unchanged if the caller has set a deadline.
    func shortened(to limit: UInt64) -> Patience {
        hasDeadline || until <= limit ? self : Patience(until: limit)
    }

    var error: PostgresError { isDeadline ? .deadlinePassed : .noAnswer }
}
