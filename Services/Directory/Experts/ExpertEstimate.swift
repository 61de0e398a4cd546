import ClubProtocol
import Postgres

/// The planner's estimate for conditions on experts: how many rows meet them, and the cost of finding them, from the
/// last `analyze`. No table is read.
struct ExpertEstimate {
    let count: Double
    /// In the planner's units, with the settings of ``ExpertWalk`` (PostgreSQL documentation, 20.7.2).
    let cost: Double

    /// - Parameters:
    ///   - conditions: all must be true.
    ///   - transaction: prepared by ``ExpertWalk``.
    init(of conditions: [SQL], in transaction: PostgresTransaction) async throws {
        let plan = try await Self.plan("select from expert where \(conditions.all)", in: transaction)
        (count, cost) = (plan.rows, plan.cost)
    }

    /// The lengths of posting lists, in one statement; each list is an array of terms.
    static func lengths(of lists: [SQL], in transaction: PostgresTransaction) async throws -> [Double] {
        if lists.isEmpty { return [] }
        let parts = lists.map { list -> SQL in "select from expert_posting where term = any (\(list))" }
        let plan = try await plan(parts.joined(separator: " union all "), in: transaction)
        return lists.count == 1 ? [plan.rows] : (plan.parts ?? []).map(\.rows)
    }

    private static func plan(_ statement: SQL, in transaction: PostgresTransaction) async throws -> Explained.Plan {
        let rows = try await transaction.query("explain (format json) \(statement)")
        let text: JSONText = try rows[0]["QUERY PLAN"]
        return try LenientJSON.decode([Explained].self, from: Array(text.text.utf8))[0].plan
    }

    private struct Explained: Decodable {
        let plan: Plan

        enum CodingKeys: String, CodingKey { case plan = "Plan" }

        struct Plan: Decodable {
            let rows: Double
            let cost: Double
            let parts: [Plan]?

            enum CodingKeys: String, CodingKey {
                case rows = "Plan Rows"
                case cost = "Total Cost"
                case parts = "Plans"
            }
        }
    }
}
