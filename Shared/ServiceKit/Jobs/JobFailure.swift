import ClubProtocol
import Postgres

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
        default: self = .retry(after: nil, reason: Self.reason(error))
        }
    }

    /// What may be stored and logged about an error: errors without values as they are, of others only the type.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as PostgresError: error.description
        case let error as ServiceClientError: error.description
        case let problem as Problem: problem.type.slug
        case is CancellationError: "interrupted"
        default: String(describing: type(of: error))
        }
    }
}
