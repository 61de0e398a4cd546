import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/ambassadors`
struct AmbassadorRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let (database, journal) = (backend.database, backend.journal)
        builder.routes.write(CreateAmbassador.self) { call, transaction in
            let id = Ambassador.ID()
            let rows = try await AmbassadorStore.create(id, call.body, in: transaction)
            try await journal.record(
                .created, .ambassador, id, version: 1, values: call.body, by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.read(ListAmbassadors.self) { call in
            try .page(
                try await AmbassadorStore.list(call.query, call.page, for: call.principal, on: database),
                call.page, key: "_key", "id")
        }
        builder.routes.read(GetAmbassador.self) { call in
            try .row(try await AmbassadorStore.get(call.path, for: call.principal, on: database))
        }
        builder.routes.write(ChangeAmbassador.self) { call, transaction in
            let rows = try await AmbassadorStore.change(
                call.path, call.body, at: call.ifMatch, by: call.principal, in: transaction)
            try await journal.record(
                .changed, .ambassador, call.path, version: try rows.first?["version"], values: call.body,
                by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.snapshot(.ambassador, AmbassadorStore.snapshot)
        builder.routes.constraint(
            "ambassador_person_key", Problem(.alreadyExists, errors: [.init("/person", "is an ambassador")]))
        builder.routes.constraint(
            "ambassador_organization_fkey", .invalid("/organization", "unknown organization"))
        builder.routes.constraint("ambassador_topics_check", .invalid("/topics", "are more than 40"))
    }
}
