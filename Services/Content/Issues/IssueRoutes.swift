import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/issues`.
struct IssueRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateIssue.self, create)
        builder.routes.read(ListIssues.self, list)
        builder.routes.read(GetIssue.self, get)
        builder.routes.write(AddIssueItem.self, addItem)
        builder.routes.write(TransitionIssue.self, transition)
        builder.routes.constraint(
            "issue_open",
            Problem(
                .resourceEmbargoed,
                "An item's resource has come under an embargo, or has expired, since it was added: change the resource, or create "
                    + "another issue without it."))
        builder.snapshot(.issue, IssueStore.snapshot)
    }

    @Sendable func create(
        _ call: Call<CreateIssue>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Issue> {
        let id = try await IssueStore.create(call.body, in: transaction)
        return try await recorded(.created, id, call.principal, transaction)
    }

    @Sendable func list(_ call: Call<ListIssues>) async throws -> RouteResponse<Page<IssueSummary>> {
        try .page(await IssueStore.list(call.query, call.page, on: backend.database), call.page, key: "number")
    }

    @Sendable func get(_ call: Call<GetIssue>) async throws -> RouteResponse<Issue> {
        try .row(await IssueStore.get(call.path, on: backend.database))
    }

    @Sendable func addItem(
        _ call: Call<AddIssueItem>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<IssueItem> {
        let issue = call.path
        guard let state = try await IssueStore.lock(issue, in: transaction) else { throw Problem(.notFound) }
        guard state == .draft else { throw Problem(.issueNotDraft) }
        if call.body.audiences?.isEmpty == true {
            throw Problem.invalid("/audiences", "names no audience; leave it out for both")
        }
        if let resource = call.body.resource {
            guard let open = try await IssueStore.mayPublish(resource, in: transaction) else {
                throw Problem.invalid("/resource", "unknown resource")
            }
            guard open else { throw Problem(.resourceEmbargoed) }
        }
        let rows = try await IssueStore.addItem(call.body, to: issue, in: transaction)
        try await transaction.record(.changed, .issue, issue, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func transition(
        _ call: Call<TransitionIssue>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Issue> {
        let issue = call.path
        let next = call.body.to
        guard let state = try await IssueStore.lock(issue, in: transaction) else { throw Problem(.notFound) }
        // Only the sender decides that everything has been sent.
        guard state.allows(next), next != .sent else {
            throw Problem(.transitionNotAllowed, "The issue is \(state.rawValue); it cannot become \(next.rawValue).")
        }
        if next == .sending {
            try await startSending(issue, in: transaction)
        } else {
            try await DeliveryStore.cancelPending(of: issue, in: transaction)
        }
        try await IssueStore.transition(issue, to: next, in: transaction)
        return try await recorded(.changed, issue, call.principal, transaction)
    }

    /// Opens the editions, and enqueues asking for their readers.
    ///
    /// - Throws: 409 if an audience would get an empty edition.
    private func startSending(_ issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        let audiences = try await IssueStore.audiencesWithItems(of: issue, in: transaction)
        let missing = Edition.Audience.allCases.filter { !audiences.contains($0) }
        guard missing.isEmpty else {
            throw Problem(.issueEmpty, "No item is for \(missing.map(\.rawValue).joined(separator: " or ")).")
        }
        try await IssueStore.openEditions(of: issue, in: transaction)
        for audience in Edition.Audience.allCases {
            try await backend.jobs.enqueue(
                IssueSender.resolve, .init(issue: issue, audience: audience),
                unique: "\(issue):\(audience.rawValue)", in: transaction)
        }
    }

    private func recorded(
        _ action: Change.Action, _ id: Issue.ID, _ principal: Principal, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Issue> {
        let rows = try await IssueStore.get(id, on: transaction)
        if let issue = try rows.first?.decode(Issue.self) {
            try await transaction.record(action, .issue, id, version: issue.version, values: issue, by: principal)
        }
        return try .row(rows)
    }
}
