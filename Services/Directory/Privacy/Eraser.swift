import ClubProtocol
import Postgres
import ServiceKit

/// Erases a person or an expert from the directory, and has the other services do the same.
struct Eraser: Sendable {
    /// Operations whose stored responses contain no personal data except an identifier, and must remain repeatable.
    private static let repeatable: [any Endpoint.Type] = [
        CreateErasure.self, TransitionErasure.self, ReportErasure.self,
    ]

    let backend: Backend

    /// Requests an erasure; it waits until the staff begins it.
    func request(
        _ subject: DataSubject, _ reason: Erasure.Reason, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Erasure.ID {
        let id = Erasure.ID()
        try await ErasureStore.create(id, subject, reason, by: principal, in: transaction)
        try await transaction.record(.created, .erasure, id, version: 1, by: principal)
        return id
    }

    /// The same by the link in a mail, where a second request is not an error.
    func requestOnce(_ subject: DataSubject, by principal: Principal, in transaction: PostgresTransaction) async throws
    {
        let found = try await transaction.first(
            "select id from \(subject.table) where id = \(subject.id) for update")
        guard found != nil else { throw Problem(.notFound) }
        guard try await !ErasureStore.isRequested(for: subject, on: transaction) else { return }
        _ = try await request(subject, .request, by: principal, in: transaction)
    }

    /// Begins an erasure: in the directory's own tables immediately, in this transaction; the other services are told
    /// by the feed.
    func begin(
        _ id: Erasure.ID, _ subject: DataSubject, version: Int, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        try await ErasureStore.hold(subject, in: transaction)
        let known = try await SubjectIdentifiers.find(subject, on: transaction)
        let alone = try await known.alone(subject, on: transaction)
        guard
            let notice = try await ErasureStore.begin(
                id, subject, known, emails: alone.addresses, in: transaction)
        else { throw Problem(.notFound) }
        // Only an erasure on request declines its addresses: one of a mistaken or old record says nothing about the
        // next holder of the address. Shared addresses are declined, too: an organization has nothing to consent to,
        // and others who have answered for themselves keep their answers. The content service keeps a shared address,
        // since it writes to the others there. An address that is the subject's only by its own claim is not declined:
        // it may be a stranger's.
        if notice.reason == .request {
            let present = known.present.filter { !known.isSelfGiven($0) }
            try await DeclinedAddresses.add(
                Set(alone.addresses + present).sorted(), Purpose.allCases, in: transaction)
        }
        try await erase(subject, known, by: principal, in: transaction)
        try await PersonalDataCopies.erase(
            notice.everyone, addresses: notice.periods, telephones: alone.telephones, names: alone.names,
            repeatable: Self.repeatable, in: transaction)
        try await transaction.record(.changed, .erasure, id, version: version + 1, by: principal)
        // Data written by concurrent transactions is looked for once more, as in every service.
        try await backend.jobs.enqueue(ErasureWork.kind, .init(erasure: id), in: transaction)
    }

    /// The directory's own tables; rows already erased are not found again.
    private func erase(
        _ subject: DataSubject, _ known: SubjectIdentifiers, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        var entries: [Journal.Entry] = []
        for statement in ErasureSteps.statements(for: subject, known) {
            for row in try await transaction.query(statement) {
                let id: DataSubject.ID = try row["id"]
                entries.append(.init(try row["action"], try row["entity"], id, version: try row.optional("version")))
            }
        }
        try await transaction.record(entries, by: principal)
    }

    /// - Throws: 404; 409 if the erasure has not begun.
    func report(
        _ id: Erasure.ID, by service: ServiceName, in transaction: PostgresTransaction
    ) async throws {
        let current = try await ErasureStore.lock(id, in: transaction)
        guard current.state == .erasing || current.state == .done else {
            throw Problem(
                .transitionNotAllowed, "The erasure is \(current.state.rawValue): it cannot be reported.")
        }
        guard let version = try await ErasureStore.report(id, by: service, in: transaction) else { return }
        try await transaction.record(.changed, .erasure, id, version: version, by: .service(service))
    }

    /// The directory's own share of the work after the transaction that began it.
    var work: ErasureWork {
        ErasureWork(
            backend: backend, repeatable: Self.repeatable,
            notice: { id in
                let rows = try await ErasureStore.notice(id, on: backend.database)
                guard let notice = try rows.first?.decode(ErasureNotice.self) else { throw Problem(.notFound) }
                return notice
            },
            report: { id in
                try await backend.database.transaction { try await report(id, by: .directory, in: $0) }
            },
            erase: { notice, transaction in
                let subject = DataSubject(entity: notice.entity, id: notice.subject)
                let known = try await SubjectIdentifiers.find(subject, on: transaction)
                try await erase(subject, known, by: .service(.directory), in: transaction)
                try await ExpertWordStore.review(in: transaction)
                return []
            })
    }
}
