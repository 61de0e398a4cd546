import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/issues/{issue}/tests`: an issue as a letter to who looks at it before it is sent.
struct IssueTestRoutes {
    /// A test is looked at by a few people a few times; more would be a mailing that nobody agreed to.
    private static let mostInAnHour = 60

    let backend: Backend
    let renderer: FlashInfoRenderer

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(SendIssueTest.self, send)
    }

    @Sendable func send(
        _ call: Call<SendIssueTest>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<SendIssueTest.Response> {
        guard let issue = try await IssueStore.get(call.path, on: transaction).first?.decode(Issue.self) else {
            throw Problem(.notFound)
        }
        guard [.draft, .scheduled, .paused].contains(issue.state) else {
            throw Problem(.issueNotTestable, "The issue is \(issue.state.rawValue).")
        }
        try await check(call.body.emails, in: transaction)
        let edition = call.body.edition
        // A subject of 200 characters stays one.
        let subject = try Line(validating: String("[Test] \(issue.title)".prefix(scalars: 200)))
        let requests = try call.body.emails.map { email in
            LetterIntake.Request(
                body: .init(
                    key: try Line(validating: "issue-test/\(issue.id)/\(Letter.ID())"), purpose: .notice, email: email,
                    subject: subject, paragraphs: ["Le Flash info, tel qu’il était au moment du test."]))
        }
        let answers = try await LetterIntake(principal: call.principal, transaction: transaction).take(requests)
        let letters = answers.compactMap { answer -> Letter.ID? in
            if case .added(let letter) = answer { letter.id } else { nil }
        }
        let body = renderer.body(of: issue, showing: { $0.audiences.contains(edition) })
        try await IssueTestStore.add(
            letters, of: issue.id, edition, text: body.text, html: body.html, in: transaction)
        return .value(.init(letters: letters))
    }

    /// - Throws: 429, 410 for an address that was erased, 409 for one that is suppressed.
    private func check(_ emails: [EmailAddress], in transaction: PostgresTransaction) async throws {
        guard try await IssueTestStore.countLately(in: transaction) + emails.count <= Self.mostInAnHour else {
            throw Problem(
                .tooManyRequests, "At most \(Self.mostInAnHour) tests go out in an hour.", headers: [.retryAfter: "600"]
            )
        }
        for (index, email) in emails.enumerated() {
            if try await ErasedReaders.contains(email, in: transaction) {
                throw Problem(.erased, errors: [.init("/emails/\(index)", "was erased")])
            }
        }
        let suppressed = try await SuppressionStore.suppressed(emails, for: .flashInfo, in: transaction)
        let faults = emails.enumerated().filter { suppressed.contains($1.text.asciiLowercased) }
        guard faults.isEmpty else {
            throw Problem(
                .addressSuppressed, errors: faults.map { .init("/emails/\($0.offset)", "must not be mailed") })
        }
    }
}

/// The SQL of tests.
enum IssueTestStore {
    /// How many went out in the last hour; nobody else counts until the transaction ends.
    static func countLately(in transaction: PostgresTransaction) async throws -> Int {
        try await transaction.query(
            "select pg_advisory_xact_lock(hashtextextended(current_schema() || ' issue_test', 0))")
        let row = try await transaction.first(
            "select count(*)::integer as count from issue_test where created_at > now() - interval '1 hour'")
        return try row?["count"] ?? 0
    }

    static func add(
        _ letters: [Letter.ID], of issue: Issue.ID, _ audience: Edition.Audience, text: String, html: String,
        in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            insert into issue_test (letter, issue, audience, text, html)
            select letter, \(issue), \(audience), \(text), \(html) from unnest(\(letters)::uuid[]) as letter
            """)
    }
}
