import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/people/{person}/consents`, `/v1/experts/{expert}/consents`
struct ConsentRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListPersonConsents.self, listOfPerson)
        builder.routes.read(ListExpertConsents.self, listOfExpert)
        builder.routes.write(AddPersonConsent.self, addOfPerson)
        builder.routes.write(AddExpertConsent.self, addOfExpert)
    }

    @Sendable func listOfPerson(_ call: Call<ListPersonConsents>) async throws -> RouteResponse<Page<ConsentEntry>> {
        let subject = DataSubject(call.path)
        let rows = try await ConsentStore.list(
            of: subject, call.query.filter, call.page, for: call.principal, on: backend.database)
        return try .page(rows, call.page, key: "_number")
    }

    @Sendable func listOfExpert(_ call: Call<ListExpertConsents>) async throws -> RouteResponse<Page<ConsentEntry>> {
        let subject = DataSubject(call.path)
        let rows = try await ConsentStore.list(
            of: subject, call.query.filter, call.page, for: call.principal, on: backend.database)
        return try .page(rows, call.page, key: "_number")
    }

    @Sendable func addOfPerson(
        _ call: Call<AddPersonConsent>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<ConsentEntry> {
        try .row(try await add(call.body, of: DataSubject(call.path), by: call.principal, in: transaction))
    }

    @Sendable func addOfExpert(
        _ call: Call<AddExpertConsent>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<ConsentEntry> {
        try .row(try await add(call.body, of: DataSubject(call.path), by: call.principal, in: transaction))
    }

    private func add(
        _ answer: ConsentAnswer, of subject: DataSubject, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let (version, rows) = try await ConsentStore.add(answer, of: subject, by: principal, in: transaction)
        try await transaction.record(
            .changed, EntityName(subject.entity), subject.id, version: version, values: answer, by: principal)
        return rows
    }
}
