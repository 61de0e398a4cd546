import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/imports`
struct ImportRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let (database, journal) = (backend.database, backend.journal)
        builder.routes.upload(ImportExperts.self) { call, body in
            let run = ImportRun<ExpertRow>(
                order: call.query.order(of: .experts, call.idempotencyKey, call.principal), blank: ExpertRow(),
                database: database, journal: journal,
                principal: call.principal)
            return .value(try await run.take(body))
        }
        builder.routes.upload(ImportOrganizations.self) { call, body in
            let run = ImportRun<OrganizationRow>(
                order: call.query.first.order(of: .organizations, call.idempotencyKey, call.principal),
                blank: OrganizationRow(kindOfNew: call.query.kind),
                database: database, journal: journal, principal: call.principal)
            return .value(try await run.take(body))
        }
        builder.routes.upload(ImportPeople.self) { call, body in
            let run = ImportRun<PersonRow>(
                order: call.query.order(of: .people, call.idempotencyKey, call.principal),
                format: call.media == .vcard ? .cards : .table,
                blank: PersonRow(),
                database: database, journal: journal,
                principal: call.principal)
            return .value(try await run.take(body))
        }
        builder.routes.upload(ImportAmbassadors.self) { call, body in
            let run = ImportRun<AmbassadorRow>(
                order: call.query.order(of: .ambassadors, call.idempotencyKey, call.principal), blank: AmbassadorRow(),
                database: database, journal: journal,
                principal: call.principal)
            return .value(try await run.take(body))
        }
        builder.routes.read(ListImports.self) { call in
            try .page(try await ImportLedger.list(call.query, call.page, on: database), call.page, key: "_key", "id")
        }
        builder.routes.read(GetImport.self) { call in
            try .row(try await ImportLedger.get(call.path, on: database))
        }
        builder.routes.read(ListImportRows.self) { call in
            try .page(
                try await ImportLedger.rows(of: call.path, call.query, call.page, on: database), call.page,
                key: "_key")
        }
    }
}

extension ImportQuery {
    fileprivate func order(
        of records: Import.Records, _ key: String?, _ principal: Principal
    ) -> ImportLedger.Order {
        .init(
            id: `import`, key: key, actor: principal.actor, records: records, mode: mode ?? .dryRun,
            rejects: rejects ?? .refuseFile,
            existing: existing ?? .update)
    }
}
