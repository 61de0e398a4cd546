import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/issues`.
struct IssueRoutes {
    let backend: Backend
    let sender: IssueSender
    private var late: LateReaders { LateReaders(backend: backend) }

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateIssue.self, create)
        builder.routes.read(ListIssues.self, list)
        builder.routes.read(GetIssue.self, get)
        builder.routes.write(AddIssueItem.self, addItem)
        builder.routes.write(TransitionIssue.self, transition)
        builder.routes.read(ListMissed.self, missed)
        builder.routes.export(ExportMissed.self, headers: .attachment("non-recus.csv"), exportMissed)
        builder.routes.write(ResendIssue.self, prepare: countLate, resend)
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
        try await IssueDraftRoutes.lockDraft(issue, in: transaction)
        if call.body.audiences?.isEmpty == true {
            throw Problem.invalid("/audiences", "names no audience; leave it out for both")
        }
        if let resource = call.body.resource { try await IssueDraftRoutes.checkOpen(resource, in: transaction) }
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
        // Only the sender decides that everything has been sent, and only a resend begins again.
        guard state.allows(next), next != .sent, state != .sent else {
            throw Problem(.transitionNotAllowed, "The issue is \(state.rawValue); it cannot become \(next.rawValue).")
        }
        if (next == .scheduled) != (call.body.scheduledFor != nil) {
            throw Problem.invalid("/scheduledFor", "is needed with scheduled, and only then")
        }
        switch next {
        case .sending where state != .paused:
            if let problem = Problem(try await sender.begin(issue, in: transaction)) { throw problem }
        case .sending: try await OutgoingMailStore.notify(in: transaction)
        case .scheduled:
            guard let time = call.body.scheduledFor else { break }
            try DayMeaning.due.check(time: time, at: "/scheduledFor")
            guard time > .now else { throw Problem.invalid("/scheduledFor", "is not in the future") }
            if let problem = Problem(try await sender.errors(of: issue, at: time, in: transaction)) { throw problem }
            try await backend.jobs.enqueue(
                IssueSender.start, .init(issue: issue), unique: "\(issue) \(time)", at: time, in: transaction)
        case .cancelled: try await DeliveryStore.cancelPending(of: issue, in: transaction)
        case .draft, .paused, .sent: break
        }
        try await IssueStore.transition(issue, to: next, at: call.body.scheduledFor, in: transaction)
        return try await recorded(.changed, issue, call.principal, transaction)
    }

    @Sendable func missed(_ call: Call<ListMissed>) async throws -> RouteResponse<Page<MissedDelivery>> {
        if call.query.reason == .late {
            var rows = try await late.list(
                call.path, after: call.page.place(of: 1) { $0.first }, limit: call.page.limit + 1)
            let hasMore = rows.count > call.page.limit
            if hasMore { rows.removeLast() }
            let last = rows.last?.email.text.asciiLowercased
            return .value(Page(items: rows, next: try hasMore ? last.map { try call.page.next(after: $0) } : nil))
        }
        let rows = try await MissedStore.list(call.path, call.query, call.page, on: backend.database)
        if rows.isEmpty, try await !DeliveryStore.hasIssue(call.path, on: backend.database) {
            throw Problem(.notFound)
        }
        return try .page(rows, call.page, key: "id")
    }

    @Sendable func exportMissed(_ call: Call<ExportMissed>, _ output: TextWriter) async throws {
        guard try await DeliveryStore.hasIssue(call.path, on: backend.database) else { throw Problem(.notFound) }
        if call.query.filter.reason == .late {
            return try await late.write(call.path, as: call.query.format, to: output)
        }
        try await call.query.format.write(
            .missed(call.path, only: call.query.filter.reason), where: MissedStore.selection(call.query.filter),
            from: backend.database, to: output)
    }

    /// How many are late, if they are to get it: the directory is asked before the transaction begins.
    @Sendable func countLate(_ call: Call<ResendIssue>) async throws -> Int {
        call.body.reasons.contains(.late) ? try await late.count(call.path) : 0
    }

    @Sendable func resend(
        _ call: Call<ResendIssue>, _ lateCount: Int, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<ResendIssue.Response> {
        let (issue, reasons) = (call.path, call.body.reasons)
        if reasons.contains(.uncertain), call.principal.role != .operator {
            throw Problem(.forbidden, "Only an operator may send again what may have been accepted.")
        }
        if reasons.contains(.waiting) { throw Problem.invalid("/reasons", "has waiting, which is sent anyway") }
        if reasons.contains(.bounced) {
            throw Problem.invalid("/reasons", "has bounced: what was accepted is not sent again")
        }
        guard let state = try await IssueStore.lock(issue, in: transaction) else { throw Problem(.notFound) }
        guard state.isUnderWay || state == .sent else {
            throw Problem(.transitionNotAllowed, "The issue is \(state.rawValue); nothing of it is sent.")
        }
        var counts = try await MissedStore.count(issue, reasons, in: transaction)
        if lateCount > 0 { counts.append(.init(reason: .late, count: lateCount)) }
        let dryRun = call.body.dryRun ?? false
        if !dryRun, !counts.isEmpty {
            try await MissedStore.resend(issue, reasons, deadline: IssueSender.patience, in: transaction)
            if lateCount > 0 { try await sender.addLate(to: issue, in: transaction) }
            if state == .sent { try await IssueStore.transition(issue, to: .sending, in: transaction) }
            try await transaction.record(.changed, .issue, issue, values: call.body, by: call.principal)
            try await OutgoingMailStore.notify(in: transaction)
        }
        return .value(.init(resent: counts, dryRun: dryRun))
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
