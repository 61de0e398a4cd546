import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// Pauses issues by itself where mailing on would cost the club its name.
struct IssueGuard: Sendable {
    /// Of the mails that ended since the last check, of at least ``window``: more addresses that do not exist than this
    /// make providers take the sender for one who has bought a list.
    private static let mostHard = 0.05
    private static let window = 500
    /// Of the mails that a provider took: Gmail and Yahoo ask for less.
    private static let mostComplaints = 0.003
    /// One angry reader stops no issue.
    private static let fewestComplaints = 3

    let database: PostgresClient
    let hold: IssueHold

    func mount(on builder: inout ServiceBuilder) {
        builder.schedule("guard-issues", .every(.seconds(1))) { _ in try await check() }
        builder.watch(
            "issues", "held", gauge: "issues_held",
            help: "Issues that the service itself has paused, or not begun at their time.",
            output: { $0 == 1 ? "one issue is held: see its reason" : "\($0) issues are held: see their reasons" },
            count: { try await IssueStore.held(on: database) })
    }

    /// Pauses an issue that is being sent, once, with the reason.
    @Sendable func pause(_ issue: ClubProtocol.Issue.ID?, _ reason: String) async throws {
        guard let issue else { return }
        try await database.transaction { transaction in
            guard try await IssueStore.lock(issue, in: transaction) == .sending else { return }
            try await IssueStore.transition(issue, to: .paused, because: reason, in: transaction)
            if let held = try await IssueStore.get(issue, on: transaction).first?.decode(ClubProtocol.Issue.self) {
                try await hold.paused(held, because: reason, in: transaction)
            }
            try await transaction.record(.changed, .issue, issue, by: .service(.content))
        }
    }

    private func check() async throws {
        for issue in try await IssueStore.unchecked(atLeast: Self.window, on: database) {
            try await IssueStore.markChecked(issue, on: database)
            guard Double(issue.hard) > Double(issue.ended) * Self.mostHard else { continue }
            try await pause(
                issue.id, "of the last \(issue.ended) mails \(issue.hard) went to addresses that do not exist")
        }
        for issue in try await IssueStore.complainedOf(
            atLeast: Self.fewestComplaints, share: Self.mostComplaints, on: database)
        {
            try await IssueStore.markComplaints(of: issue.id, on: database)
            try await pause(
                issue.id, "\(issue.complaints) of \(issue.sent) readers of the lane \(issue.lane) called it spam")
        }
    }
}
