import ClubProtocol
import HTTPTypes
import Postgres

/// What an error means to the caller. The only place where errors become problems.
struct ProblemMapping: Sendable {
    /// By the names of the database's constraints.
    let constraints: [String: Problem]

    /// - Parameter deadline: the caller's deadline; a failure after it counts as exceeding the deadline.
    func problem(for error: any Error, deadline: ContinuousClock.Instant?) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as PostgresError: self.problem(for: error, deadline: deadline)
        case let error as ServiceClientError: self.problem(for: error, deadline: deadline)
        case is CancellationError: .unavailable
        default: Problem(.internal)
        }
    }

    private func problem(for error: PostgresError, deadline: ContinuousClock.Instant?) -> Problem {
        switch error.kind {
        case .timeout: return Self.late(deadline)
        case .unknownOutcome: return Self.unknownOutcome(deadline)
        case .connection, .poolExhausted, .cancelled:
            return Self.isOver(deadline) ? Self.late(deadline) : .unavailable
        case .decoding: return Problem(.internal)
        case .server: break
        }
        if error.isUnavailable { return .unavailable }
        if let constraint = error.constraint, let problem = constraints[constraint] { return problem }
        guard let state = error.sqlState else { return Problem(.internal) }
        switch state {
        case SQLState.uniqueViolation: return Problem(.alreadyExists)
        case SQLState.exclusionViolation: return Problem(.conflict)
        case SQLState.foreignKeyViolation, SQLState.restrictViolation:
            return Problem(.invalid, "Something that this refers to does not exist, or is still referred to.")
        case SQLState.checkViolation, SQLState.notNullViolation:
            return Problem(.invalid, error.column.map { "The value of \($0) is not allowed." })
        // The caller's fault in any case: a value that none of our checks caught.
        case _ where SQLState.blamesValue(state):
            return Problem(.invalid, "A value cannot be processed.")
        case SQLState.queryCanceled: return Self.late(deadline)
        case SQLState.serializationFailure, SQLState.deadlockDetected, SQLState.lockNotAvailable,
            SQLState.readOnlyTransaction:
            return .unavailable
        default: return Problem(.internal)
        }
    }

    private func problem(for error: ServiceClientError, deadline: ContinuousClock.Instant?) -> Problem {
        switch error {
        case .unavailable(let name, _):
            Problem(.unavailable, "The \(name.rawValue) service does not answer.", headers: [.retryAfter: "1"])
        case .deadline: Problem(.deadline)
        case .problem(let document) where document.status == 503: .unavailable
        case .problem, .malformed: Problem(.internal)
        }
    }

    private static func isOver(_ deadline: ContinuousClock.Instant?) -> Bool {
        guard let deadline else { return false }
        return ContinuousClock.now >= deadline
    }

    /// 504 if the caller's deadline has passed, 503 if we were too slow.
    private static func late(_ deadline: ContinuousClock.Instant?) -> Problem {
        isOver(deadline) ? Problem(.deadline) : .unavailable
    }

    /// The change may have been made, but that is unknown: as `late(_:)`, except that the caller must not assume that
    /// it failed.
    private static func unknownOutcome(_ deadline: ContinuousClock.Instant?) -> Problem {
        let detail = """
            The outcome is unknown: the database has not confirmed the change, which may still be done. Until it is known the \
            same Idempotency-Key is answered with 409, then with the answer to this request; without one, look before you \
            send it again.
            """
        return isOver(deadline)
            ? Problem(.deadline, detail) : Problem(.unavailable, detail, headers: [.retryAfter: "1"])
    }
}
