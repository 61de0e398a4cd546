import ClubProtocol
import Postgres
import ServiceKit

/// The part of the country that a coverage query is limited to.
struct CoverageArea: Sendable {
    /// Its name for display.
    let name: String
    /// Empty if the département is not in the région that was asked for.
    let departements: Set<Departement>

    /// - Returns: nil for the whole country.
    init?(_ departement: Departement?, _ region: Region?, on executor: any PostgresExecutor) async throws {
        var rules: [SQL] = []
        if let departement { rules.append("departement.code = \(departement)") }
        if let region { rules.append("region.code = \(region)") }
        guard !rules.isEmpty else { return nil }
        let rows = try await executor.query(
            """
            select departement.code, departement.name, region.name as region
            from departement left join region on region.code = departement.region
            where \(rules.all)
            """)
        departements = Set(try rows.map { try $0["code", as: Departement.self] })
        name = try departement?.name ?? rows.first?.optional("region") ?? ""
    }

    var codes: [String] { departements.map(\.text) }
}
