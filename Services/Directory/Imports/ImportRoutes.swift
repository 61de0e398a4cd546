import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/imports`
struct ImportRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.upload(ImportExperts.self, importExperts)
        builder.routes.upload(ImportOrganizations.self, importOrganizations)
        builder.routes.upload(ImportPeople.self, importPeople)
        builder.routes.upload(ImportAmbassadors.self, importAmbassadors)
        builder.routes.read(ListImports.self, list)
        builder.routes.read(GetImport.self, get)
        builder.routes.read(ListImportRows.self, listRows)
    }

    @Sendable func importExperts(
        _ call: Call<ImportExperts>, _ body: UploadBody
    ) async throws -> RouteResponse<ImportReport> {
        let run = ImportRun<ExpertRow>(
            order: call.query.order(of: .experts, call.idempotencyKey, call.principal), blank: ExpertRow(),
            database: backend.database, principal: call.principal)
        return .value(try await run.take(body))
    }

    @Sendable func importOrganizations(
        _ call: Call<ImportOrganizations>, _ body: UploadBody
    ) async throws -> RouteResponse<ImportReport> {
        let run = ImportRun<OrganizationRow>(
            order: call.query.first.order(of: .organizations, call.idempotencyKey, call.principal),
            blank: OrganizationRow(kindOfNew: call.query.kind),
            database: backend.database, principal: call.principal)
        return .value(try await run.take(body))
    }

    @Sendable func importPeople(
        _ call: Call<ImportPeople>, _ body: UploadBody
    ) async throws -> RouteResponse<ImportReport> {
        let run = ImportRun<PersonRow>(
            order: call.query.order(of: .people, call.idempotencyKey, call.principal),
            format: call.media == .vcard ? .cards : .table,
            blank: PersonRow(),
            database: backend.database, principal: call.principal)
        return .value(try await run.take(body))
    }

    @Sendable func importAmbassadors(
        _ call: Call<ImportAmbassadors>, _ body: UploadBody
    ) async throws -> RouteResponse<ImportReport> {
        let run = ImportRun<AmbassadorRow>(
            order: call.query.order(of: .ambassadors, call.idempotencyKey, call.principal), blank: AmbassadorRow(),
            database: backend.database, principal: call.principal)
        return .value(try await run.take(body))
    }

    @Sendable func list(_ call: Call<ListImports>) async throws -> RouteResponse<Page<Import>> {
        try .page(
            try await ImportLedger.list(call.query, call.page, on: backend.database), call.page, key: "_key", "id")
    }

    @Sendable func get(_ call: Call<GetImport>) async throws -> RouteResponse<Import> {
        try .row(try await ImportLedger.get(call.path, on: backend.database))
    }

    @Sendable func listRows(_ call: Call<ListImportRows>) async throws -> RouteResponse<Page<ImportRow>> {
        try .page(
            try await ImportLedger.rows(of: call.path, call.query, call.page, on: backend.database), call.page,
            key: "_key")
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
