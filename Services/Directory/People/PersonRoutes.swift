import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/people`
struct PersonRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreatePerson.self, create)
        builder.routes.read(ListPeople.self, list)
        builder.routes.read(GetPerson.self, get)
        builder.routes.write(ChangePerson.self, change)
        builder.snapshot(.person, PersonStore.snapshot)
        builder.routes.constraint(
            "person_email_key", Problem(.alreadyExists, errors: [.init("/email", "another person has it")]))
        builder.routes.constraint(
            "person_other_emails_key",
            Problem(.alreadyExists, errors: [.init("/otherEmails", "another person has one")]))
        builder.routes.constraint("person_other_emails_check", .invalid("/otherEmails", "are more than 10"))
        builder.routes.constraint("person_other_telephones_check", .invalid("/otherTelephones", "are more than 10"))
        builder.routes.constraint("person_organization_fkey", .invalid("/organization", "unknown organization"))
    }

    @Sendable func create(
        _ call: Call<CreatePerson>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Person> {
        let id = Person.ID()
        try await ConsentStore.setProvenance(call.body.consents, by: call.principal, in: transaction)
        let rows = try await PersonStore.discreetly(for: call.principal) {
            try await PersonStore.create(id, call.body, by: call.principal, in: transaction)
        }
        try await transaction.record(.created, .person, id, version: 1, values: call.body, by: call.principal)
        return try await PossibleDuplicates.answer(
            rows, .init(id.uuid), .person, where: PersonStore.isVisible(to: call.principal), in: transaction)
    }

    @Sendable func list(_ call: Call<ListPeople>) async throws -> RouteResponse<Page<Person>> {
        try .page(
            try await PersonStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "_key", "id")
    }

    @Sendable func get(_ call: Call<GetPerson>) async throws -> RouteResponse<Person> {
        let rows = try await PersonStore.get(call.path, for: call.principal, on: backend.database)
        guard !rows.isEmpty else {
            throw try await MergedRecords.notFoundOrMerged(
                of: call.path, .person, for: call.principal, on: backend.database)
        }
        return try .row(rows)
    }

    @Sendable func change(
        _ call: Call<ChangePerson>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Person> {
        try await ConsentStore.setProvenance(call.body.consents, by: call.principal, in: transaction)
        let rows = try await PersonStore.discreetly(for: call.principal) {
            try await PersonStore.change(
                call.path, call.body, at: call.ifMatch, by: call.principal, in: transaction)
        }
        try await transaction.record(
            .changed, .person, call.path, version: try rows.first?["version"], values: call.body, by: call.principal)
        return try .row(rows)
    }
}
