import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/erasures`
struct ErasureRoutes: Sendable {
    let eraser: Eraser

    func mount(on builder: inout ServiceBuilder) {
        let (database, work) = (backend.database, eraser.work)
        builder.job(ErasureWork.kind) { payload, job in try await work.run(payload, job) }
        builder.routes.write(CreateErasure.self, create)
        builder.routes.read(ListErasures.self, list)
        builder.routes.read(GetErasure.self, get)
        builder.routes.write(TransitionErasure.self, transition)
        builder.routes.read(GetErasureNotice.self, getNotice)
        builder.routes.write(ReportErasure.self, report)
        builder.watch(
            "erasures", "waiting", gauge: "erasures_waiting",
            help: "Requested erasures that were neither begun nor refused.",
            output: { "\($0) requested: to be begun or refused within a month (GDPR, article 12)" },
            count: { try await ErasureStore.countWaiting(on: database) })
        builder.watch(
            "erasures", "stuck", gauge: "erasures_stuck",
            help: "Erasures that were begun more than a day ago and that a service has not reported.",
            output: { "\($0) begun more than a day ago: a service has not reported it (GET /v1/erasures says which)" },
            count: { try await ErasureStore.countStuck(on: database) })
        builder.snapshot(.erasure, ErasureStore.snapshot)
        builder.routes.constraint("erasure_once", Problem(.erasureExists))
    }

    private var backend: Backend { eraser.backend }

    @Sendable func create(
        _ call: Call<CreateErasure>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Erasure> {
        try .row(try await request(call.body, by: call.principal, in: transaction))
    }

    @Sendable func list(_ call: Call<ListErasures>) async throws -> RouteResponse<Page<Erasure>> {
        try .page(
            try await ErasureStore.list(call.query, call.page, for: call.principal, on: backend.database), call.page,
            key: "id")
    }

    @Sendable func get(_ call: Call<GetErasure>) async throws -> RouteResponse<Erasure> {
        try .row(try await ErasureStore.get(call.path, for: call.principal, on: backend.database))
    }

    @Sendable func transition(
        _ call: Call<TransitionErasure>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Erasure> {
        let (id, next) = (call.path, call.body.to)
        let current = try await ErasureStore.lock(id, in: transaction)
        // Only the services' reports make it done.
        guard current.state.allows(next), next != .done else {
            throw Problem(
                .transitionNotAllowed,
                "The erasure is \(current.state.rawValue); this operation cannot make it \(next.rawValue).")
        }
        if next == .refused {
            try await ErasureStore.refuse(id, in: transaction)
            try await transaction.record(.changed, .erasure, id, version: current.version + 1, by: call.principal)
        } else {
            try await eraser.begin(
                id, DataSubject(entity: current.entity, id: current.subject), version: current.version,
                by: call.principal, in: transaction)
        }
        return try .row(try await ErasureStore.get(id, in: transaction))
    }

    @Sendable func getNotice(_ call: Call<GetErasureNotice>) async throws -> RouteResponse<ErasureNotice> {
        try .row(try await ErasureStore.notice(call.path, on: backend.database))
    }

    @Sendable func report(
        _ call: Call<ReportErasure>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Erasure> {
        guard let service = call.principal.service else { throw Problem(.forbidden) }
        try await eraser.report(call.path, by: service, in: transaction)
        return try .row(try await ErasureStore.get(call.path, in: transaction))
    }

    private func request(
        _ body: CreateErasure.Body, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let subject: DataSubject
        switch (body.person, body.expert) {
        case (let person?, nil): subject = DataSubject(person)
        case (nil, let expert?): subject = DataSubject(expert)
        default: throw Problem.invalid("", "names either a person or an expert")
        }
        // Someone else's record is reported as not found.
        let found = try await transaction.first(
            """
            select id from \(subject.table)
            where id = \(subject.id) and \(subject.isVisible(to: principal)) for key share
            """)
        guard found != nil else {
            let absence = try await MergedRecords.notFoundOrMerged(
                of: subject.id, subject.entity.kind, for: principal, on: transaction)
            throw Problem.invalid(
                "/\(subject.entity.rawValue)", absence.detail ?? "unknown \(subject.entity.rawValue)")
        }
        guard principal.role == .operator else {
            let id = try await eraser.request(subject, .request, by: principal, in: transaction)
            return try await ErasureStore.get(id, in: transaction)
        }
        let id = try await eraser.request(subject, body.reason ?? .request, by: principal, in: transaction)
        try await eraser.begin(id, subject, version: 1, by: principal, in: transaction)
        return try await ErasureStore.get(id, in: transaction)
    }
}
