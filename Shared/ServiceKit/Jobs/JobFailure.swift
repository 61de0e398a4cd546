/// What happens to a job whose handler threw an error.
enum JobFailure: Sendable {
    case lost
    case retry(after: Duration?, reason: String)
    case dead(reason: String)

    init(_ error: any Error) {
        switch error {
        case is LeaseLost: self = .lost
        case let refused as JobDiscard: self = .dead(reason: refused.reason)
        case let postponed as JobSnooze: self = .retry(after: postponed.delay, reason: postponed.reason)
        default: self = .retry(after: nil, reason: error.loggable)
        }
    }
}
