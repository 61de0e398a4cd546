import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/ambassadors`
struct AmbassadorRoutes {
    let backend: Backend

    func mount(on parts: inout ServiceParts) {
        let (database, journal) = (backend.database, backend.journal)
        parts.routes.write(CreateAmbassador.self) { call, transaction in
            let id = Ambassador.ID()
            let rows = try await AmbassadorStore.create(id, call.body, in: transaction)
            try await journal.record(
                .created, "ambassador", id, version: 1, values: call.body, by: call.principal, in: transaction)
            return try .row(rows)
        }
        parts.routes.read(ListAmbassadors.self) { call in
            try .page(
                try await AmbassadorStore.list(call.query, call.page, for: call.principal, on: database),
                call.page, key: "_key", "id")
        }
        parts.routes.read(GetAmbassador.self) { call in
            try .row(try await AmbassadorStore.get(call.path.ambassador, for: call.principal, on: database))
        }
        parts.routes.write(ChangeAmbassador.self) { call, transaction in
            let rows = try await AmbassadorStore.change(
                call.path.ambassador, call.body, at: call.ifMatch, by: call.principal, in: transaction)
            try await journal.record(
                .changed, "ambassador", call.path.ambassador, version: try rows.first?["version"], values: call.body,
                by: call.principal, in: transaction)
            return try .row(rows)
        }
        parts.snapshot("ambassador", AmbassadorStore.snapshot)
        parts.routes.constraint(
            "ambassador_person_key", Problem(.alreadyExists, errors: [.init("/person", "is an ambassador")]))
        parts.routes.constraint(
            "ambassador_organization_fkey", .invalid("/organization", "there is no such organization"))
        parts.routes.constraint("ambassador_topics_check", .invalid("/topics", "are more than 40"))
    }
}
