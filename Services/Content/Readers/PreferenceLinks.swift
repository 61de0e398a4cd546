import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/preference-links`, and the letters with the links.
struct PreferenceLinks: Sendable {
    struct Asked: Codable, Sendable {
        var email: EmailAddress
    }

    /// Every address gets one, known or not: the job looks it up, not the request.
    static let find = JobKind<Asked>("preference-link.find", maximumAttempts: 50)

    /// Begins the keys of these letters.
    private static let key = "preference-link:"
    /// Addresses that wait to be looked up; beyond that nobody can ask.
    private static let most = 1000

    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(RequestPreferenceLink.self, request)
        builder.job(Self.find, concurrency: 2) { asked, job in try await send(to: asked.email, job) }
    }

    @Sendable func request(
        _ call: Call<RequestPreferenceLink>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        guard try await !isCrowded(transaction) else {
            throw Problem(.tooManyRequests, headers: [.retryAfter: "60"])
        }
        let email = call.body.email
        try await backend.jobs.enqueue(
            Self.find, Asked(email: email), unique: email.text.asciiLowercased, in: transaction)
        var answer = RouteResponse<Empty>.empty
        answer.status = .accepted
        return answer
    }

    private func isCrowded(_ transaction: PostgresTransaction) async throws -> Bool {
        let row = try await transaction.first(
            """
            select count(*) as count from (
                select from job where kind = \(Self.find.name) and state <> 'dead' limit \(Self.most)) as waiting
            """)
        return try row?["count", as: Int.self] == Self.most
    }

    /// Sends the letter, if the address is a reader's, and had none in the last ten minutes.
    private func send(to email: EmailAddress, _ job: JobContext) async throws {
        guard let publicURL = backend.configuration.publicURL else { throw JobDiscard("no PUBLIC_URL") }
        try await backend.database.transaction { transaction in
            try await job.finish(in: transaction)
            guard try await !ErasedReaders.contains(email, in: transaction),
                try await ReaderStore.isReader(email, on: transaction),
                try await !wasSent(to: email, transaction)
            else { return }
            let token = try ReaderLink(askedForBy: email).token(at: .now, backend.links)
            let letter = SendLetter.Body(
                key: try Line(validating: "\(Self.key)\(Letter.ID())"), purpose: .selfService, email: email,
                subject: "Ce que vous recevez du Club",
                paragraphs: [
                    "Vous avez demandé à choisir ce que le Club de l’économie numérique vous envoie.",
                    """
                    Ce lien ouvre vos préférences pendant trente jours. Si vous n’avez rien demandé, ne faites rien\u{A0}: \
                    rien n’est changé.
                    """,
                ],
                action: .init(
                    label: "Choisir ce que je reçois",
                    url: try WebAddress(validating: publicURL + ReaderLink.preferences(token))))
            let intake = LetterIntake(principal: .service(.content), transaction: transaction)
            if case .refused(let problem) = try await intake.take([.init(body: letter)])[0] { throw problem }
        }
    }

    private func wasSent(to email: EmailAddress, _ transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.first(
            """
            select from letter
            where lower(email) = lower(\(email)) and starts_with(key, \(Self.key))
                and created_at > now() - interval '10 minutes'
            limit 1
            """) != nil
    }
}
