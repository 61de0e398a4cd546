import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// `/v1/contribution-reminders`, its daily run, and the letters.
struct ReminderCampaign: Sendable {
    static let letter = JobKind<ReminderStore.ReminderID>("contribution.letter", maximumAttempts: 500)

    private let backend: Backend
    private let letters: LetterClient
    /// How members pay, as configured by the club's staff.
    private let paymentDetails: Prose?

    /// - Throws: `ConfigurationProblem` if `PAYMENT_DETAILS` is not valid in a letter.
    init(backend: Backend, letters: LetterClient) throws {
        self.backend = backend
        self.letters = letters
        do {
            paymentDetails = try backend.configuration.paymentDetails.map { try Prose(validating: $0) }
        } catch let fault as InvalidText {
            throw ConfigurationProblem("PAYMENT_DETAILS", fault.reason)
        }
    }

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(SendContributionReminders.self, send)
        builder.routes.read(ListContributionReminders.self, list)
        builder.schedule("contribution-reminders", .daily(at: "09:00")) { job in
            let asked = try await backend.database.transaction { transaction in try await ask(in: transaction) }
            if asked.withoutAddress > 0 {
                job.logger.warning(
                    "contributions without an address to write to", metadata: ["count": "\(asked.withoutAddress)"])
            }
        }
        builder.job(Self.letter, concurrency: 2) { reminder, _ in try await write(reminder) }
    }

    @Sendable func send(
        _: Call<SendContributionReminders>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<ContributionReminders> {
        .value(try await ask(in: transaction))
    }

    @Sendable func list(
        _ call: Call<ListContributionReminders>
    ) async throws -> RouteResponse<Page<ContributionReminder>> {
        try .page(
            try await ReminderStore.list(call.query, call.page, on: backend.database), call.page,
            key: "contribution", "step")
    }

    /// Adds the letters that are due, each with a job.
    func ask(in transaction: PostgresTransaction) async throws -> ContributionReminders {
        let added = try await ReminderStore.ask(in: transaction)
        try await backend.jobs.enqueue(Self.letter, all: added, unique: { $0.text }, in: transaction)
        return ContributionReminders(
            letters: added.count, withoutAddress: try await ReminderStore.withoutAddress(on: transaction))
    }

    private func write(_ reminder: ReminderStore.ReminderID) async throws {
        guard let open = try await ReminderStore.open(reminder, on: backend.database) else { return }
        try await letters.send(
            .contribution, key: "contribution:\(reminder)", to: open.recipient,
            open.letter(paymentDetails: paymentDetails),
            link: ContributionCallRoutes.link(to: open.contribution, at: open.recipient.email, by: backend.links))
        try await ReminderStore.mailed(reminder, on: backend.database)
    }
}

extension ReminderStore.Open {
    /// The content of the letter.
    func letter(paymentDetails: Prose?) -> [String: Any] {
        var content: [String: Any] = [
            step.rawValue: true, "amount": FrenchFormat.amount(Money(cents: rest)),
            "what": "cotisation \(year) n° \(number) de \(organization)", "number": "\(year)-\(number)",
            "dueOn": FrenchFormat.day(dueOn),
        ]
        content["paymentDetails"] = paymentDetails?.text
        return content
    }
}
