import ClubProtocol
import Postgres
import ServiceKit

/// What repairs a draft, and what shows that it needs repair.
struct IssueDraftRoutes {
    let backend: Backend
    let checks: IssueChecks

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(ChangeIssue.self, change)
        builder.routes.write(ChangeIssueItem.self, changeItem)
        builder.routes.write(RemoveIssueItem.self, removeItem)
        builder.routes.read(CheckIssue.self, check)
    }

    @Sendable func change(
        _ call: Call<ChangeIssue>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Issue> {
        try await Self.lockDraft(call.path, in: transaction)
        guard try await IssueStore.change(call.path, call.body, basedOn: call.ifMatch ?? 0, in: transaction) else {
            throw Problem(.stale)
        }
        return try await recorded(call.path, call.principal, transaction)
    }

    @Sendable func changeItem(
        _ call: Call<ChangeIssueItem>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Issue> {
        let (issue, item) = (call.path.issue, call.path.item)
        try await Self.lockDraft(issue, in: transaction)
        if let resource = call.body.resource ?? nil { try await Self.checkOpen(resource, in: transaction) }
        // The item first: of an item that does not exist, no version can be right.
        guard try await IssueStore.change(item, of: issue, call.body, in: transaction) else { throw Problem(.notFound) }
        guard try await IssueStore.touch(issue, basedOn: call.ifMatch ?? 0, in: transaction) else {
            throw Problem(.stale)
        }
        return try await recorded(issue, call.principal, transaction)
    }

    @Sendable func removeItem(
        _ call: Call<RemoveIssueItem>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Issue> {
        let (issue, item) = (call.path.issue, call.path.item)
        try await Self.lockDraft(issue, in: transaction)
        guard try await IssueStore.remove(item, of: issue, in: transaction) else { throw Problem(.notFound) }
        guard try await IssueStore.touch(issue, basedOn: call.ifMatch ?? 0, in: transaction) else {
            throw Problem(.stale)
        }
        return try await recorded(issue, call.principal, transaction)
    }

    @Sendable func check(_ call: Call<CheckIssue>) async throws -> RouteResponse<CheckIssue.Response> {
        guard let issue = try await IssueStore.get(call.path, on: backend.database).first?.decode(Issue.self) else {
            throw Problem(.notFound)
        }
        let time = issue.state == .scheduled ? issue.scheduledFor : nil
        return .value(.init(findings: try await checks.findings(of: issue, at: time, on: backend.database)))
    }

    // MARK: Rules

    /// - Throws: 404 if there is no such issue, 409 if it is no draft.
    static func lockDraft(_ issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        guard let state = try await IssueStore.lock(issue, in: transaction) else { throw Problem(.notFound) }
        guard state == .draft else { throw Problem(.issueNotDraft) }
    }

    /// - Throws: 422 if there is no such resource, 409 if it may not be published now.
    static func checkOpen(_ resource: Resource.ID, in transaction: PostgresTransaction) async throws {
        guard let open = try await IssueStore.mayPublish(resource, in: transaction) else {
            throw Problem.invalid("/resource", "unknown resource")
        }
        guard open else { throw Problem(.resourceEmbargoed) }
    }

    private func recorded(
        _ id: Issue.ID, _ principal: Principal, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Issue> {
        let rows = try await IssueStore.get(id, on: transaction)
        if let issue = try rows.first?.decode(Issue.self) {
            try await transaction.record(.changed, .issue, id, version: issue.version, values: issue, by: principal)
        }
        return try .row(rows)
    }
}
