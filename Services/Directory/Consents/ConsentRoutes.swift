import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/people/{person}/consents`, `/v1/experts/{expert}/consents`
struct ConsentRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let database = backend.database
        builder.routes.read(ListPersonConsents.self) { call in
            let subject = DataSubject(call.path)
            let rows = try await ConsentStore.list(
                of: subject, call.query.filter, call.page, for: call.principal, on: database)
            return try .page(rows, call.page, key: "_number")
        }
        builder.routes.read(ListExpertConsents.self) { call in
            let subject = DataSubject(call.path)
            let rows = try await ConsentStore.list(
                of: subject, call.query.filter, call.page, for: call.principal, on: database)
            return try .page(rows, call.page, key: "_number")
        }
        builder.routes.write(AddPersonConsent.self) { call, transaction in
            try .row(try await add(call.body, of: DataSubject(call.path), by: call.principal, in: transaction))
        }
        builder.routes.write(AddExpertConsent.self) { call, transaction in
            try .row(try await add(call.body, of: DataSubject(call.path), by: call.principal, in: transaction))
        }
    }

    private func add(
        _ answer: ConsentAnswer, of subject: DataSubject, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let (version, rows) = try await ConsentStore.add(answer, of: subject, by: principal, in: transaction)
        try await backend.journal.record(
            .changed, EntityName(subject.entity), subject.id, version: version, values: answer, by: principal,
            in: transaction)
        return rows
    }
}
