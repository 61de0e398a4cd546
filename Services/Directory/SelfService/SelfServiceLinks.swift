import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/self-service-links`, and the letters with the links.
struct SelfServiceLinks: Sendable {
    struct Asked: Codable, Sendable {
        var email: EmailAddress
    }

    /// Every address makes one, known or not: to look it up is the job's, not the request's.
    static let find = JobKind<Asked>("self-service.find", maximumAttempts: 50)
    static let letter = JobKind<SelfServiceStore.LinkID>("self-service.letter", maximumAttempts: 100)

    /// How long a link that was asked for opens the record.
    private static let linkDays = 1

    let backend: Backend
    let post: Post

    func mount(on parts: inout ServiceParts) {
        parts.routes.write(AskSelfServiceLink.self) { call, transaction in
            try await ask(call.body.email, in: transaction)
            var answer = Answer<Empty>.empty
            answer.status = .accepted
            return answer
        }
        parts.job(Self.find, concurrency: 2) { asked, job in try await find(asked.email, job) }
        parts.job(Self.letter, concurrency: 2) { link, _ in try await write(link) }
        parts.cron("self-service-links", every: .seconds(3600)) { _ in
            try await SelfServiceStore.purge(on: backend.database)
        }
    }

    /// Asks for the links of an address; once while an earlier request for it waits.
    ///
    /// - Throws: 429 when too many addresses wait.
    func ask(_ email: EmailAddress, in transaction: PostgresTransaction) async throws {
        guard try await !SelfServiceStore.isCrowded(Self.find.name, on: transaction) else {
            throw Problem(.tooManyRequests, headers: [.retryAfter: "60"])
        }
        try await backend.jobs.enqueue(
            Self.find, Asked(email: email), unique: email.text.lowercased(), in: transaction)
    }

    private func find(_ email: EmailAddress, _ job: JobContext) async throws {
        try await backend.database.transaction { transaction in
            try await job.finish(in: transaction)
            for enrollee in try await SelfServiceStore.holders(of: email, on: transaction) {
                guard let link = try await SelfServiceStore.note(enrollee, in: transaction) else { continue }
                try await backend.jobs.enqueue(Self.letter, link, unique: link.text, in: transaction)
            }
        }
    }

    private func write(_ link: SelfServiceStore.LinkID) async throws {
        guard let (enrollee, record) = try await SelfServiceStore.noted(link, on: backend.database),
            let email = record.email
        else { return }
        let address = try post.link(SelfServiceLink.path(to: enrollee, days: Self.linkDays, by: backend.links))
        try await post.send(
            SendLetter.Body(
                key: try Line(validating: "self-service:\(link)"), purpose: .selfService, email: email,
                name: record.reader, reader: record.subject, subject: "Votre lien vers votre fiche",
                paragraphs: [
                    try Prose(validating: "Vous avez demandé un lien vers la fiche « \(record.title) »."),
                    "Il l'ouvre pendant vingt-quatre heures. Ne le transmettez à personne. Si vous n'avez rien demandé, ne faites rien : rien n'est changé.",
                ],
                action: .init(label: "Ouvrir ma fiche", url: address)))
    }
}
