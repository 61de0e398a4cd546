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
        try await take(body, of: .experts, call, call.query, blank: ExpertRow())
    }

    @Sendable func importOrganizations(
        _ call: Call<ImportOrganizations>, _ body: UploadBody
    ) async throws -> RouteResponse<ImportReport> {
        let blank = OrganizationRow(kindOfNew: call.query.kind)
        return try await take(body, of: .organizations, call, call.query.first, blank: blank)
    }

    @Sendable func importPeople(
        _ call: Call<ImportPeople>, _ body: UploadBody
    ) async throws -> RouteResponse<ImportReport> {
        let format = call.media == .vcard ? ImportFormat.cards : .table
        return try await take(body, of: .people, call, call.query, in: format, blank: PersonRow())
    }

    @Sendable func importAmbassadors(
        _ call: Call<ImportAmbassadors>, _ body: UploadBody
    ) async throws -> RouteResponse<ImportReport> {
        try await take(body, of: .ambassadors, call, call.query, blank: AmbassadorRow())
    }

    /// - Parameters:
    ///   - query: how the call wants the file to be imported.
    ///   - blank: the initial value of every row.
    private func take<E>(
        _ body: UploadBody, of records: Import.Records, _ call: Call<E>, _ query: ImportQuery,
        in format: ImportFormat = .table, blank: some ImportedRow
    ) async throws -> RouteResponse<ImportReport> {
        let order = ImportLedger.Order(
            id: query.import, key: call.idempotencyKey, actor: call.principal.actor, records: records,
            mode: query.mode ?? .dryRun, rejects: query.rejects ?? .refuseFile, existing: query.existing ?? .update)
        let run = ImportRun(
            order: order, format: format, blank: blank, database: backend.database, principal: call.principal)
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
