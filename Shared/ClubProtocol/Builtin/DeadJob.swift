import HTTPTypes

/// A job that is no longer retried. Its payload is not shown, because it may name people.
package struct DeadJob: Codable, Hashable, Sendable {
    package var id: Int64
    /// `edition.resolve`
    package var kind: String
    package var attempts: Int
    package var createdAt: Timestamp
    package var diedAt: Timestamp
    /// Why the last attempt failed: a kind of failure, never a value.
    package var reason: String?
}

/// The endpoints that every service has for its dead jobs: `endpoints: […] + JobAPI.endpoints`.
package enum JobAPI {
    package static let endpoints: [any Endpoint.Type] = [ListDeadJobs.self, RetryDeadJob.self, DeleteDeadJob.self]
}

/// Lists dead jobs, newest first.
package enum ListDeadJobs: Endpoint {
    package static let operation = Operation(
        .get, "/v1/dead-jobs", "Lists dead jobs, latest first.",
        access: .roles(.operator, .auditor))

    package typealias Query = Paged<Empty>
    package typealias Response = Page<DeadJob>
}

/// Resets a dead job's attempts and makes it due now.
package enum RetryDeadJob: Endpoint {
    package static let operation = Operation(
        .post, "/v1/dead-jobs/{job}/revivals", "Revives a dead job, with all its attempts.", success: .noContent,
        access: .roles(.operator), problems: [.notFound, .jobAskedAgain])

    package typealias Path = Int64
}

/// Deletes a dead job that no longer needs to run.
package enum DeleteDeadJob: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/dead-jobs/{job}", "Removes a dead job that is no longer needed.", success: .noContent,
        access: .roles(.operator), problems: [.notFound])

    package typealias Path = Int64
}

extension ProblemType {
    package static let jobAskedAgain = ProblemType(
        "job-asked-again", "The same work has been requested again since", .conflict)
}
