import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/self-service-links`, the letters with the links, and those about an address that was given up.
struct SelfServiceLinks: Sendable {
    struct Asked: Codable, Sendable {
        var email: EmailAddress
    }

    /// A record now has another address than this one.
    struct AddressChange: Codable, Sendable {
        /// In the form of a link's subject.
        var record: String
        /// Its data subject: an erasure finds the job by it.
        var subject: DataSubject
        /// That of the record with the new address.
        var version: Int
        var email: EmailAddress
    }

    /// Every address gets one, known or not: the job looks it up, not the request.
    static let find = JobKind<Asked>("self-service.find", maximumAttempts: 50)
    static let letter = JobKind<SelfServiceStore.LinkID>("self-service.letter", maximumAttempts: 100)

    static let addressChange = JobKind<AddressChange>("self-service.address-change", maximumAttempts: 100)

    /// How long a requested link opens the record.
    static let linkDays = 1

    let backend: Backend
    let letters: LetterClient

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(RequestSelfServiceLink.self, request)
        builder.job(Self.find, concurrency: 2) { asked, job in try await find(asked.email, job) }
        builder.job(Self.letter, concurrency: 2) { link, _ in try await write(link) }
        builder.job(Self.addressChange, concurrency: 2) { change, _ in try await tell(change) }
        builder.schedule("self-service-links", .every(.seconds(3600))) { _ in
            try await SelfServiceStore.purge(on: backend.database)
        }
    }

    @Sendable func request(
        _ call: Call<RequestSelfServiceLink>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        try await ask(call.body.email, in: transaction)
        var answer = RouteResponse<Empty>.empty
        answer.status = .accepted
        return answer
    }

    /// Requests the links of an address; once while an earlier request for it is queued.
    ///
    /// - Throws: 429 if too many addresses are queued.
    func ask(_ email: EmailAddress, in transaction: PostgresTransaction) async throws {
        guard try await !SelfServiceStore.isCrowded(Self.find.name, on: transaction) else {
            throw Problem(.tooManyRequests, headers: [.retryAfter: "60"])
        }
        try await backend.jobs.enqueue(
            Self.find, Asked(email: email), unique: email.text.asciiLowercased, in: transaction)
    }

    /// Notifies the old address of a record that it is no longer the record's.
    func tell(of record: SelfRecord, at old: EmailAddress, in transaction: PostgresTransaction) async throws {
        try await backend.jobs.enqueue(
            Self.addressChange,
            AddressChange(
                record: record.enrollee.text, subject: record.subject, version: record.addressVersion, email: old),
            in: transaction)
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
            let recipient = try await Recipient.find(record.subject, on: backend.database)
        else { return }
        try await letters.send(
            .selfServiceLink, key: "self-service:\(link)", to: recipient, ["record": record.title],
            link: SelfServiceLink.path(to: enrollee, at: recipient.email, days: Self.linkDays, by: backend.links))
    }

    /// Notifies the reader of the old address, who may not be the person who changed it.
    private func tell(_ change: AddressChange) async throws {
        guard let enrollee = Enrollee(text: change.record) else { throw JobDiscard("no record") }
        let record: SelfRecord
        do {
            record = try await SelfServiceStore.record(of: enrollee, on: backend.database)
        } catch let problem as Problem where problem.type == .notFound {
            return
        }
        guard let recipient = try await Recipient.find(record.subject, formerlyAt: change.email, on: backend.database)
        else { return }
        let isKept = try await AddressStore.addresses(of: record.subject, on: backend.database).contains {
            $0.text.asciiLowercased == change.email.text.asciiLowercased
        }
        try await letters.send(
            .addressChange, key: "self-service-address-change:\(change.record):\(change.version)", to: recipient,
            ["record": record.title, "isKept": isKept])
    }
}
