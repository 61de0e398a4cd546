import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/organizations/{organization}/mandates`
struct MandateRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let (database, journal) = (backend.database, backend.journal)
        builder.routes.write(CreateMandate.self) { call, transaction in
            let id = Mandate.ID()
            let rows = try await MandateStore.create(id, of: call.path, call.body, in: transaction)
            try await journal.record(
                .created, .mandate, id, version: 1, values: call.body, by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.read(ListMandates.self) { call in
            let organization = call.path
            let rows = try await OrganizationStore.get(organization, for: call.principal, on: database)
            guard !rows.isEmpty else { throw Problem(.notFound) }
            let filter = ListAllMandates.Filter(
                organization: organization, person: call.query.person, kind: call.query.kind, asOf: call.query.asOf)
            return try .page(
                try await MandateStore.list(filter, call.page, for: call.principal, on: database),
                call.page, key: "from", "id")
        }
        builder.routes.read(ListAllMandates.self) { call in
            try .page(
                try await MandateStore.list(call.query.filter, call.page, for: call.principal, on: database),
                call.page, key: "from", "id")
        }
        builder.routes.write(ChangeMandate.self) { call, transaction in
            let rows = try await MandateStore.change(call.path, call.body, at: call.ifMatch, in: transaction)
            try await journal.record(
                .changed, .mandate, call.path.mandate, version: try rows.first?["version"], values: call.body,
                by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.write(DeleteMandate.self) { call, transaction in
            try await MandateStore.delete(call.path, at: call.ifMatch, in: transaction)
            try await journal.record(.deleted, .mandate, call.path.mandate, by: call.principal, in: transaction)
            return .empty
        }
        builder.snapshot(.mandate, MandateStore.snapshot)
        builder.routes.constraint("mandate_organization_fkey", Problem(.notFound))
        builder.routes.constraint("mandate_person_fkey", .invalid("/person", "unknown person"))
        builder.routes.constraint(
            "mandate_titular_excl",
            Problem(.mandateOverlaps, "The organization has a titular representative on some of these days."))
        builder.routes.constraint(
            "mandate_person_excl", Problem(.mandateOverlaps, "The person has this mandate on some of these days."))
    }
}
