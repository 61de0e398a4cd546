import ClubProtocol
import ServiceKit

/// `/v1/coverage`, `/v1/coverage/gaps`, `/v1/coverage.csv`, `/v1/coverage.svg`
struct CoverageRoutes {
    private let backend: Backend
    private let map: CoverageMap

    /// - Throws: errors in the map's template.
    init(backend: Backend) throws {
        self.backend = backend
        map = try CoverageMap()
    }

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(GetCoverage.self, get)
        builder.routes.read(ListCoverageGaps.self, listGaps)
        builder.routes.download(
            ExportCoverage.self, headers: .attachment("couverture.csv"), export)
        builder.routes.read(GetCoverageMap.self, getMap)
    }

    @Sendable func get(_ call: Call<GetCoverage>) async throws -> RouteResponse<Coverage> {
        let query = call.query
        if let topic = query.topic { _ = try await CoverageStore.label(of: topic, on: backend.database) }
        let area = try await CoverageArea(query.departement, query.region, on: backend.database)
        return try .row(try await CoverageStore.coverage(query, in: area, on: backend.database))
    }

    @Sendable func listGaps(_ call: Call<ListCoverageGaps>) async throws -> RouteResponse<Page<CoverageGap>> {
        let query = call.query
        if let topic = query.topic { _ = try await CoverageStore.label(of: topic, on: backend.database) }
        let area = try await CoverageArea(query.departement, query.region, on: backend.database)
        return try .page(
            try await CoverageStore.gaps(query, call.page, in: area, on: backend.database), call.page,
            key: "missing", "departement", "topic")
    }

    @Sendable func export(_ call: Call<ExportCoverage>, _ writer: TextWriter) async throws {
        if let topic = call.query.topic { _ = try await CoverageStore.label(of: topic, on: backend.database) }
        let area = try await CoverageArea(call.query.departement, call.query.region, on: backend.database)
        let lines = try await CoverageStore.table(call.query.topic, in: area, on: backend.database)
        let table = CoverageTable(of: call.query.of, call.query.format)
        try await writer.write { $0.append(contentsOf: table.head) }
        for line in lines { try await writer.write { $0.append(contentsOf: table.line(line)) } }
    }

    @Sendable func getMap(_ call: Call<GetCoverageMap>) async throws -> RouteResponse<TextDocument> {
        let subject = call.query.of ?? .experts
        var label: String?
        if let topic = call.query.topic { label = try await CoverageStore.label(of: topic, on: backend.database) }
        let counts = try await CoverageStore.counts(of: subject, call.query.topic, on: backend.database)
        let area = try await CoverageArea(call.query.departement, call.query.region, on: backend.database)
        return .text(map.draw(counts, of: subject, topic: label, in: area))
    }
}
