import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/officials`, with `/v1/officials/{official}/mandates`.
struct OfficialRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateOfficial.self, create)
        builder.routes.read(ListOfficials.self, list)
        builder.routes.read(GetOfficial.self, get)
        builder.routes.write(ChangeOfficial.self, change)
        builder.routes.write(AddOfficialMandate.self, addMandate)
        builder.routes.read(ListOfficialMandates.self, listMandates)
        builder.routes.constraint(
            "official_email_once", Problem(.alreadyExists, "Another official has this e-mail address."))
        builder.routes.constraint("official_mandate_seat_free", Problem(.seatTaken))
        builder.snapshot(.official, OfficialStore.snapshot)
    }

    @Sendable func create(
        _ call: Call<CreateOfficial>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Official> {
        let id = try await OfficialStore.create(call.body, in: transaction)
        try await transaction.record(.created, .official, id, version: 1, values: call.body, by: call.principal)
        return try .row(await OfficialStore.get(id, on: transaction))
    }

    @Sendable func list(_ call: Call<ListOfficials>) async throws -> RouteResponse<Page<Official>> {
        try .page(
            await OfficialStore.list(call.query, call.page, on: backend.database), call.page, key: "name", "id")
    }

    @Sendable func get(_ call: Call<GetOfficial>) async throws -> RouteResponse<Official> {
        try .row(await OfficialStore.get(call.path, on: backend.database))
    }

    @Sendable func change(
        _ call: Call<ChangeOfficial>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Official> {
        let id = call.path
        guard let official = try await OfficialStore.lock(id, in: transaction) else { throw Problem(.notFound) }
        guard official.version == call.ifMatch else { throw Problem(.stale) }
        try await OfficialStore.change(id, to: official.applying(call.body), in: transaction)
        try await transaction.record(
            .changed, .official, id, version: official.version + 1, values: call.body, by: call.principal)
        return try .row(await OfficialStore.get(id, on: transaction))
    }

    @Sendable func addMandate(
        _ call: Call<AddOfficialMandate>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<OfficialMandate> {
        let id = call.path
        guard let official = try await OfficialStore.lock(id, in: transaction) else { throw Problem(.notFound) }
        try DayMeaning.office.check(call.body.from, at: "/from")
        try DayMeaning.office.check(call.body.until, at: "/until")
        if let until = call.body.until, until < call.body.from {
            throw Problem.invalid("/until", "is before the first day")
        }
        let rows = try await OfficialMandateStore.add(call.body, to: id, in: transaction)
        try await transaction.record(
            .changed, .official, id, version: official.version + 1, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func listMandates(
        _ call: Call<ListOfficialMandates>
    ) async throws -> RouteResponse<Page<OfficialMandate>> {
        let official = call.path
        guard try await OfficialStore.exists(official, on: backend.database) else { throw Problem(.notFound) }
        let rows = try await OfficialMandateStore.list(of: official, call.page, on: backend.database)
        return try .page(rows, call.page, key: "from", "id")
    }
}
