import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// `/v1/contribution-reminders`, its daily run, and the letters.
struct ReminderRounds: Sendable {
    static let letter = JobKind<ReminderStore.ReminderID>("contribution.letter", maximumAttempts: 500)

    private let backend: Backend
    private let letters: LetterClient
    /// How members pay, as configured by the club's staff.
    private let paymentDetails: Prose?

    /// - Throws: ``ConfigurationProblem`` if `PAYMENT_DETAILS` is not valid in a letter.
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
        builder.routes.write(SendContributionReminders.self) { _, transaction in .value(try await ask(in: transaction))
        }
        builder.routes.read(ListContributionReminders.self) { [database = backend.database] call in
            try .page(
                try await ReminderStore.list(call.query, call.page, on: database), call.page,
                key: "contribution", "step")
        }
        builder.schedule("contribution-reminders", .daily(at: "09:00")) { job in
            let asked = try await backend.database.transaction { transaction in try await ask(in: transaction) }
            if asked.withoutAddress > 0 {
                job.logger.warning(
                    "contributions without an address to write to", metadata: ["count": "\(asked.withoutAddress)"])
            }
        }
        builder.job(Self.letter, concurrency: 2) { reminder, _ in try await write(reminder) }
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
        let amount = FrenchFormat.amount(Money(cents: open.rest))
        let what = "cotisation \(open.year) n° \(open.number) de \(open.organization)"
        let (subject, opening): (String, String) =
            switch open.step {
            case .called:
                (
                    "Votre cotisation au Club",
                    "Voici l’appel de la \(what)\u{A0}: \(amount), à régler au plus tard le \(FrenchFormat.day(open.dueOn))."
                )
            case .upcoming:
                (
                    "Votre cotisation\u{A0}: dernier jour le \(FrenchFormat.day(open.dueOn))",
                    "Sauf erreur de notre part, il reste à régler \(amount) pour la \(what), au plus tard le \(FrenchFormat.day(open.dueOn))."
                )
            case .late:
                (
                    "Rappel\u{A0}: votre cotisation au Club",
                    "La \(what) était à régler au plus tard le \(FrenchFormat.day(open.dueOn)). Il reste \(amount)."
                )
            case .final:
                (
                    "Dernier rappel\u{A0}: votre cotisation au Club",
                    "Malgré nos messages, il reste à régler \(amount) pour la \(what), échue le \(FrenchFormat.day(open.dueOn))."
                )
            }
        try await letters.send(
            SendLetter.Body(
                key: try Line(validating: "contribution:\(reminder)"), purpose: .contribution,
                email: open.recipient.email,
                name: open.recipient.name, reader: open.recipient.subject,
                subject: try Line(validating: subject),
                paragraphs: [
                    try Prose(validating: opening), paymentDetails,
                    try Prose(
                        validating: "Merci d’indiquer \(open.year)-\(open.number) comme référence de votre virement. "
                            + "Si vous avez payé entre-temps, ne tenez pas compte de ce message. "
                            + "Un reçu vous sera envoyé dès que tout est réglé."),
                ].compactMap { $0 },
                action: .init(
                    label: "Voir l’appel de cotisation",
                    url: try letters.link(
                        ContributionCallRoutes.link(to: open.contribution, at: open.recipient.email, by: backend.links))
                )))
        try await ReminderStore.mailed(reminder, on: backend.database)
    }
}
