import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of an issue's figures. They are kept, not counted, but for the reasons of what failed, which the guard allows
/// to be few.
enum FigureStore {
    struct Count: Sendable {
        enum What: Sendable {
            case state(Delivery.State)
            /// Part of those in this state, which are still there to tell why.
            case failed(MissedDelivery.Reason)
            case hardBounce, complaint, departure
        }

        var audience: Edition.Audience
        var provider: String
        var what: What
        var count: Int
    }

    static func number(of issue: Issue.ID, on executor: any PostgresExecutor) async throws -> Int? {
        try await executor.first("select number from issue where id = \(issue)")?["number"]
    }

    /// In one statement, so that the parts are of the same moment.
    static func counts(of issue: Issue.ID, on executor: any PostgresExecutor) async throws -> [Count] {
        try await executor.query(
            """
            select audience, case when lane like 'domain:%' then \(LaneName.other) else lane end as provider, state,
                reason, report, sum(count)::bigint as count
            from (
                select audience, lane, state, null as reason, null as report, count
                from delivery_count kept where kept.issue = \(issue)
                union all
                select audience, lane, null, null, kind, count
                from delivery_report_count kept where kept.issue = \(issue)
                union all
                select audience, lane, null, \(MissedStore.reason), null, 1
                from outgoing_mail mail where mail.issue = \(issue) and mail.state = 'failed'
            ) as counted
            group by 1, 2, 3, 4, 5 having sum(count) <> 0
            """
        ).compactMap { row in
            let what: Count.What?
            if let state: Delivery.State = try row.optional("state") {
                what = .state(state)
            } else if let reason: MissedDelivery.Reason = try row.optional("reason") {
                what = .failed(reason)
            } else {
                what =
                    switch try row["report", as: String.self] {
                    case "hardBounce": .hardBounce
                    case "complaint": .complaint
                    case "departure": .departure
                    // A soft one comes back, but may have been delivered elsewhere.
                    default: nil
                    }
            }
            return try what.map {
                Count(audience: try row["audience"], provider: try row["provider"], what: $0, count: try row["count"])
            }
        }
    }
}
