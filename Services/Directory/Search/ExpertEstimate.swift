import ClubProtocol
import Postgres

/// What the planner expects of a condition: how many experts meet it, and what it costs to find them, by what `analyze` last
/// saw. Nothing is read for it.
struct ExpertEstimate {
    let count: Double
    /// In the planner's units, as ``ExpertWalk`` sets them (PostgreSQL documentation, 20.7.2).
    let cost: Double

    /// - Parameters:
    ///   - conditions: of which all must hold.
    ///   - table: of which they speak; one that has a row for each expert.
    ///   - transaction: prepared by ``ExpertWalk``.
    init(of conditions: [SQL], among table: SQL = "expert", in transaction: PostgresTransaction) async throws {
        let rows = try await transaction.query("explain (format json) select from \(table) where \(conditions.all)")
        let text: JSONText = try rows[0]["QUERY PLAN"]
        let plan = try LenientJSON.decode([Explained].self, from: Array(text.text.utf8))[0].plan
        (count, cost) = (plan.rows, plan.cost)
    }

    private struct Explained: Decodable {
        let plan: Plan

        enum CodingKeys: String, CodingKey { case plan = "Plan" }

        struct Plan: Decodable {
            let rows: Double
            let cost: Double

            enum CodingKeys: String, CodingKey {
                case rows = "Plan Rows"
                case cost = "Total Cost"
            }
        }
    }
}
