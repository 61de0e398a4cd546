import ClubProtocol
import Postgres
import ServiceKit

/// Pauses issues by itself where mailing on would cost the club its name.
struct IssueGuard: Sendable {
    let database: PostgresClient

    /// Pauses an issue that is being sent, once, with the reason.
    @Sendable func pause(_ issue: ClubProtocol.Issue.ID?, _ reason: String) async throws {
        guard let issue else { return }
        try await database.transaction { transaction in
            guard try await IssueStore.lock(issue, in: transaction) == .sending else { return }
            try await IssueStore.transition(issue, to: .paused, because: reason, in: transaction)
            try await transaction.record(.changed, .issue, issue, by: .service(.content))
        }
    }
}
