import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/issues/{issue}/corrections` and `/v1/issues/{issue}/errata`.
struct IssueCorrectionRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CorrectIssue.self, correct)
        builder.routes.read(ListCorrections.self, list)
        builder.routes.write(CreateErratum.self, createErratum)
    }

    @Sendable func correct(
        _ call: Call<CorrectIssue>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<IssueCorrection> {
        let body = call.body
        guard let state = try await IssueStore.lock(call.path, in: transaction) else { throw Problem(.notFound) }
        // While it is being sent, mails would carry the earlier text after the answer.
        guard state == .paused else { throw Problem(.issueNotPaused, "The issue is \(state.rawValue).") }
        guard body.title != nil || body.text != nil || body.link != nil else {
            throw Problem.invalid("", "corrects nothing: title, text and link are absent")
        }
        let rows = try await IssueStore.correct(call.path, body, in: transaction)
        guard !rows.isEmpty else { throw Problem.invalid("/item", "is no item of this issue") }
        try await transaction.record(.changed, .issue, call.path, values: body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func list(_ call: Call<ListCorrections>) async throws -> RouteResponse<Page<IssueCorrection>> {
        let rows = try await IssueStore.corrections(of: call.path, call.page, on: backend.database)
        if rows.isEmpty, try await !DeliveryStore.hasIssue(call.path, on: backend.database) {
            throw Problem(.notFound)
        }
        return try .page(rows, call.page, key: "contentVersion")
    }

    @Sendable func createErratum(
        _ call: Call<CreateErratum>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Issue> {
        // Locked, so that no correction comes between its version and its items.
        guard try await IssueStore.lock(call.path, in: transaction) != nil,
            let issue = try await IssueStore.get(call.path, on: transaction).first?.decode(Issue.self)
        else { throw Problem(.notFound) }
        guard issue.contentVersion > 1 else { throw Problem(.issueNotCorrected) }
        let title =
            try call.body.title ?? Line(validating: String("Erratum\u{A0}: \(issue.title)".prefix(scalars: 200)))
        let erratum = try await IssueStore.create(
            .init(title: title, introduction: call.body.introduction), in: transaction)
        try await IssueStore.makeErratum(erratum, of: issue, in: transaction)
        let rows = try await IssueStore.get(erratum, on: transaction)
        if let created = try rows.first?.decode(Issue.self) {
            try await transaction.record(
                .created, .issue, erratum, version: created.version, values: created, by: call.principal)
        }
        return try .row(rows)
    }
}
