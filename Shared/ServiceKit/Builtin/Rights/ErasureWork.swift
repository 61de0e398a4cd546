package import ClubProtocol
package import Postgres

/// Erases people from this service when the directory requests it, and reports when it is done.
///
/// The feed announces an erasure but not whose; a job asks the directory for that. So a service may be down for weeks:
/// its cursor in the feed stays, and the job is attempted until the directory has the report.
package struct ErasureWork: Sendable {
    /// Erases a person from the service's own tables. Called twice for each; the second time for what was being written
    /// during the first.
    ///
    /// - Returns: the periods in which addresses were known here to be the person's, to be searched for in the kit's
    ///   tables as well.
    package typealias Erase = @Sendable (ErasureNotice, PostgresTransaction) async throws -> [AddressPeriod]

    package struct Payload: Codable, Sendable {
        package var erasure: Erasure.ID

        package init(erasure: Erasure.ID) {
            self.erasure = erasure
        }
    }

    /// The last attempt is about two months after the first.
    package static let kind = JobKind<Payload>("erasure", maximumAttempts: 10_000)

    let backend: Backend
    let notice: @Sendable (Erasure.ID) async throws -> ErasureNotice
    let report: @Sendable (Erasure.ID) async throws -> Void
    let repeatable: [any Endpoint.Type]
    let erase: Erase

    /// - Parameters:
    ///   - notice: returns whom to erase.
    ///   - report: reports to the directory that it is done.
    ///   - repeatable: operations whose stored responses are kept; see ``PersonalDataCopies``.
    package init(
        backend: Backend, repeatable: [any Endpoint.Type] = [],
        notice: @escaping @Sendable (Erasure.ID) async throws -> ErasureNotice,
        report: @escaping @Sendable (Erasure.ID) async throws -> Void, erase: @escaping Erase
    ) {
        self.backend = backend
        self.repeatable = repeatable
        self.notice = notice
        self.report = report
        self.erase = erase
    }

    /// Runs one job. Idempotent.
    package func run(_ payload: Payload, _ job: JobContext) async throws {
        let notice = try await notice(payload.erasure)
        guard notice.state == .erasing || notice.state == .done else { return }
        try await sweep(notice, job)
        // Transactions that had read the person before may still write what they read.
        try await waitForOlderTransactions(job)
        try await sweep(notice, job)
        try await report(payload.erasure)
    }

    private func sweep(_ notice: ErasureNotice, _ job: JobContext) async throws {
        try await backend.database.transaction { transaction in
            try await job.fence(in: transaction)
            let periods = Set(try await erase(notice, transaction)).union(notice.periods)
            try await PersonalDataCopies.erase(
                notice.everyone, addresses: Array(periods), repeatable: repeatable, in: transaction)
        }
    }

    /// - Throws: ``JobSnooze`` if one of them runs for more than half a minute.
    private func waitForOlderTransactions(_ job: JobContext) async throws {
        guard let now = try await backend.database.first("select clock_timestamp() as now") else { return }
        let start: Timestamp = try now["now"]
        for _ in 0..<300 {
            let row = try await backend.database.first(
                """
                select exists (
                    select from pg_stat_activity
                    where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
                        and xact_start < \(start)) as running
                """)
            if try row?["running", as: Bool.self] != true { return }
            try await job.heartbeat()
            try await Task.sleep(for: .milliseconds(100))
        }
        throw JobSnooze(for: .seconds(10), "older transactions are still running")
    }
}

extension ServiceBuilder {
    /// Adds erasure and access by the person to a service that follows the directory.
    ///
    /// - Parameters:
    ///   - erase: erases a person from the service's own tables.
    ///   - tell: returns everything that the service stores about a person.
    package mutating func personalData(
        _ backend: Backend, erase: @escaping ErasureWork.Erase,
        tell: @escaping @Sendable (ReadPersonalData.Body) async throws -> PersonalData
    ) {
        let work = ErasureWork(
            backend: backend,
            notice: { try await backend.peers[.directory].send(GetErasureNotice.request(path: $0)) },
            report: { _ = try await backend.peers[.directory].send(ReportErasure.request(path: $0)) },
            erase: erase)
        job(ErasureWork.kind) { payload, job in try await work.run(payload, job) }
        follow(.directory, name: "erasures") { changes, transaction in
            for change in changes where change.entity == .erasure {
                let payload = ErasureWork.Payload(erasure: try Erasure.ID(validating: change.id))
                try await backend.jobs.enqueue(
                    ErasureWork.kind, payload, unique: payload.erasure.text, in: transaction)
            }
        }
        routes.read(ReadPersonalData.self) { call in
            guard call.principal.service == .directory else {
                throw Problem(.forbidden, "Only the directory may gather what is known about a person.")
            }
            return .value(try await tell(call.body))
        }
    }
}

extension PersonalData {
    /// - Parameter row: with the columns `data` (JSON) and `last` (time, may be null).
    package init(of service: ServiceName, _ row: Row?) throws {
        guard let row else { throw Problem(.notFound) }
        let text: String = try row["data"]
        self.init(
            service: service, lastActivity: try row.optional("last"),
            data: try LenientJSON.decode(JSONValue.self, from: Array(text.utf8)))
    }
}
