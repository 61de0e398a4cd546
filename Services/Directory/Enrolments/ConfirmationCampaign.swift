import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/confirmation-calls`, its daily run, and the letters.
struct ConfirmationCampaign: Sendable {
    /// Longer than any outage: three days of attempts.
    static let letter = JobKind<ConfirmationStore.RequestID>("confirmation.letter", maximumAttempts: 500)

    /// How many requests one transaction adds.
    private static let batch = 500
    /// How long the link in a letter opens the record.
    private static let linkDays = 60

    let backend: Backend
    let letters: LetterClient

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(RequestConfirmations.self, request)
        builder.schedule("confirmations", .daily(at: "08:00")) { job in try await askAll(job) }
        builder.job(Self.letter, concurrency: 2) { request, _ in try await write(request) }
    }

    @Sendable func request(
        _: Call<RequestConfirmations>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<ConfirmationCall> {
        .value(try await ask(limit: 20_000, in: transaction))
    }

    private func askAll(_ job: JobContext) async throws {
        while true {
            let asked = try await backend.database.transaction { transaction in
                try await ask(limit: Self.batch, in: transaction)
            }
            if asked.experts < Self.batch, asked.ambassadors < Self.batch { return }
            try await job.heartbeat()
        }
    }

    /// Adds the requests that are due, each with a job for its letter.
    func ask(limit: Int, in transaction: PostgresTransaction) async throws -> ConfirmationCall {
        let experts = try await ConfirmationStore.ask("expert", limit: limit, in: transaction)
        let ambassadors = try await ConfirmationStore.ask("ambassador", limit: limit, in: transaction)
        try await backend.jobs.enqueue(
            Self.letter, all: experts + ambassadors, unique: { $0.text }, in: transaction)
        return ConfirmationCall(experts: experts.count, ambassadors: ambassadors.count)
    }

    /// Writes the letter of a request, unless it is no longer needed.
    private func write(_ request: ConfirmationStore.RequestID) async throws {
        guard let open = try await ConfirmationStore.open(request, on: backend.database) else { return }
        let enrollee: Enrollee
        switch (open.expert, open.ambassador) {
        case (let expert?, _): enrollee = .expert(expert)
        case (_, let ambassador?): enrollee = .ambassador(ambassador)
        case (nil, nil): return
        }
        let path = SelfServiceLink.path(to: enrollee, at: open.recipient.email, days: Self.linkDays, by: backend.links)
        try await letters.send(
            .confirmation, key: "confirmation:\(request)", to: open.recipient, open.letter(days: Self.linkDays),
            link: path)
        try await ConfirmationStore.mailed(request, on: backend.database)
    }
}

extension ConfirmationStore.Open {
    /// The content of the letter.
    ///
    /// - Parameter days: how long its link opens the record.
    func letter(days: Int) -> [String: Any] {
        ["isReminder": step > 0, "record": record, "confirmedOn": FrenchFormat.day(confirmedAt), "days": days]
    }
}
