import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// Makes the deliveries of an issue: asks the directory for the readers of its editions, one edition after the other,
/// and creates one delivery for each address. When the last edition is complete, senders may take them.
struct IssueSender: Sendable {
    struct IssueKey: Codable, Sendable {
        var issue: Issue.ID
    }

    /// Retries for about three days while the directory is down, every ten minutes at most.
    static let freeze = JobKind<IssueKey>(
        "issue.freeze", maximumAttempts: 600, lease: .seconds(15), timeLimit: .seconds(3600))
    /// Adds who has joined the audience since.
    static let late = JobKind<IssueKey>(
        "issue.late", maximumAttempts: 600, lease: .seconds(15), timeLimit: .seconds(3600))
    /// Begins to send what was scheduled.
    static let start = JobKind<IssueKey>("issue.start", maximumAttempts: 100, lease: .seconds(15))

    private static let readersAtOnce = 1000
    /// Domains whose lanes are remembered while readers are listed.
    private static let mostDomains = 20_000
    /// How long a delivery is tried, in seconds.
    static let patience = 72 * 3600

    let backend: Backend
    let assignment: LaneAssignment
    let checks: IssueChecks
    let hold: IssueHold

    func mount(on builder: inout ServiceBuilder) {
        builder.job(Self.freeze, concurrency: 2) { key, job in try await freeze(key.issue, job) }
        builder.job(Self.late) { key, job in try await freeze(key.issue, job, isLate: true) }
        builder.job(Self.start) { key, job in try await start(key.issue, job) }
        // An issue is complete when nothing of it is open, whichever process sent the last of it.
        builder.schedule("finish-issues", .every(.seconds(1))) { _ in try await finish() }
    }

    // MARK: Beginning

    /// The errors that stop an issue.
    ///
    /// - Parameter time: when it would be sent; nil if that is at once.
    func errors(
        of id: Issue.ID, at time: Timestamp? = nil, in transaction: PostgresTransaction
    ) async throws -> [IssueFinding] {
        guard let issue = try await IssueStore.get(id, on: transaction).first?.decode(Issue.self) else { return [] }
        return try await checks.findings(of: issue, at: time, on: transaction).filter { $0.severity == .error }
    }

    /// Opens the editions, and enqueues asking for their readers.
    ///
    /// - Returns: the errors for which it does neither.
    func begin(_ issue: Issue.ID, in transaction: PostgresTransaction) async throws -> [IssueFinding] {
        let errors = try await errors(of: issue, in: transaction)
        guard errors.isEmpty else { return errors }
        try await IssueStore.openEditions(of: issue, in: transaction)
        try await backend.jobs.enqueue(Self.freeze, .init(issue: issue), unique: "\(issue)", in: transaction)
        return []
    }

    /// Asks the directory again for the readers of an issue that is frozen, and adds those who have no delivery.
    func addLate(to issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        try await IssueStore.reopenEditions(of: issue, in: transaction)
        try await backend.jobs.enqueue(Self.late, .init(issue: issue), unique: "\(issue)", in: transaction)
    }

    /// Begins at the time that the issue was scheduled for; one that cannot be sent is a draft again.
    ///
    /// A resource that comes under an embargo after the checks makes this fail, and is found by them when it is repeated.
    private func start(_ issue: Issue.ID, _ job: JobContext) async throws {
        try await backend.database.transaction { transaction in
            try await job.finish(in: transaction)
            guard try await IssueStore.isDue(issue, in: transaction) else { return }
            let errors = try await begin(issue, in: transaction)
            let reason = errors.isEmpty ? nil : errors.map(\.detail).joined(separator: " ")
            try await IssueStore.transition(
                issue, to: errors.isEmpty ? .sending : .draft, because: reason, in: transaction)
            if !errors.isEmpty, let held = try await IssueStore.get(issue, on: transaction).first?.decode(Issue.self) {
                try await hold.notBegun(held, because: errors, in: transaction)
            }
            try await transaction.record(.changed, .issue, issue, by: .service(.content))
        }
    }

    // MARK: Readers

    /// In a fixed order, so that an address that is in several audiences always gets the same edition.
    ///
    /// - Parameter isLate: only those are added who have no delivery, at whichever address.
    private func freeze(_ issue: Issue.ID, _ job: JobContext, isLate: Bool = false) async throws {
        var lanes: [String: String] = [:]
        // An erratum may have items for one audience only.
        let audiences = try await IssueStore.audiences(of: issue, on: backend.database)
        for audience in Edition.Audience.allCases {
            let isAsked = audiences.contains(audience)
            guard try await resolve(issue, audience, isAsked: isAsked, isLate, &lanes, job) else { return }
        }
        try await backend.database.write("select content.renew_estimates()")
        try await backend.database.transaction { transaction in
            try await job.finish(in: transaction)
            guard try await IssueStore.lock(issue, in: transaction)?.isUnderWay == true else { return }
            if !isLate { try await IssueStore.markFrozen(issue, in: transaction) }
            try await transaction.record(.changed, .issue, issue, by: .service(.content))
            try await OutgoingMailStore.notify(in: transaction)
        }
    }

    /// Asks the directory for the readers of an edition who consented to the Flash info. A second run only adds those
    /// missing.
    ///
    /// - Parameters:
    ///   - isAsked: whether the edition has readers at all.
    ///   - lanes: those of the domains that have been looked up.
    /// - Returns: false once the issue has been cancelled.
    private func resolve(
        _ issue: Issue.ID, _ audience: Edition.Audience, isAsked: Bool, _ isLate: Bool,
        _ lanes: inout [String: String], _ job: JobContext
    ) async throws -> Bool {
        var rule = AudienceRule.needs(issue, audience)
        if isLate { rule = "\(rule) and \(AudienceRule.isLate(for: issue))" }
        var batch: [DeliveryStore.Reader] = []
        if isAsked {
            for try await member in try audience.members(of: backend) {
                batch.append(.init(member))
                if batch.count == Self.readersAtOnce {
                    guard try await add(batch, to: issue, audience, where: rule, &lanes, job) else { return false }
                    batch.removeAll(keepingCapacity: true)
                }
            }
        }
        return try await add(batch, to: issue, audience, where: rule, &lanes, job, isLast: true)
    }

    /// Adds readers while the issue is under way; false once it has been cancelled.
    private func add(
        _ readers: [DeliveryStore.Reader], to issue: Issue.ID, _ audience: Edition.Audience, where rule: SQL,
        _ lanes: inout [String: String], _ job: JobContext, isLast: Bool = false
    ) async throws -> Bool {
        let domains = Set(readers.map(\.email.domain))
        let unknown = domains.subtracting(lanes.keys)
        if !unknown.isEmpty {
            lanes.merge(try await assignment.lanes(of: unknown)) { $1 }
            // Many readers have domains of their own.
            if lanes.count > Self.mostDomains { lanes = lanes.filter { domains.contains($0.key) } }
        }
        let known = lanes.filter { domains.contains($0.key) }
        return try await backend.database.transaction { transaction in
            try await job.fence(in: transaction)
            guard try await IssueStore.lock(issue, in: transaction)?.isUnderWay == true else { return false }
            try await DeliveryStore.add(
                readers, issue: issue, audience: audience, lanes: known, deadline: Self.patience, where: rule,
                in: transaction)
            if isLast { try await IssueStore.markResolved(issue, audience, in: transaction) }
            return true
        }
    }

    // MARK: Ending

    private func finish() async throws {
        for issue in try await DeliveryStore.cancelledIssues(on: backend.database) {
            try await backend.database.transaction { try await DeliveryStore.cancelPending(of: issue, in: $0) }
        }
        for issue in try await DeliveryStore.finishedIssues(on: backend.database) {
            try await backend.database.transaction { transaction in
                guard try await IssueStore.lock(issue, in: transaction) == .sending,
                    try await DeliveryStore.isFinished(issue, in: transaction)
                else { return }
                try await IssueStore.transition(issue, to: .sent, in: transaction)
                try await transaction.record(.changed, .issue, issue, by: .service(.content))
            }
        }
    }
}

extension Issue.State {
    /// Whether its deliveries are made and sent, now or later.
    var isUnderWay: Bool { self == .sending || self == .paused }
}
