import Foundation

/// The plan of a statement that a server has executed, from `auto_explain` (PostgreSQL documentation, F.4).
package struct QueryPlan: Decodable, Sendable {
    package let statement: String
    package let root: Node

    private enum CodingKeys: String, CodingKey {
        case statement = "Query Text"
        case root = "Plan"
    }

    /// A node of the plan.
    package struct Node: Decodable, Sendable {
        package let kind: String
        /// The table that it scans, if any.
        package let table: String?
        package let index: String?
        package let rows: Double
        package let loops: Double
        package let filtered: Double?
        package let rechecked: Double?
        package let steps: [Node]?

        private enum CodingKeys: String, CodingKey {
            case kind = "Node Type"
            case table = "Relation Name"
            case index = "Index Name"
            case rows = "Actual Rows"
            case loops = "Actual Loops"
            case filtered = "Rows Removed by Filter"
            case rechecked = "Rows Removed by Index Recheck"
            case steps = "Plans"
        }

        /// How many rows it read, including those it filtered out.
        package var read: Double { (rows + (filtered ?? 0) + (rechecked ?? 0)) * loops }

        package var all: [Node] { [self] + (steps ?? []).flatMap(\.all) }
    }

    /// The nodes that scan a table where they should use an index: a sequential scan, or any scan that read more than
    /// half of the rows.
    ///
    /// - Parameter tables: the tables that grow, with their numbers of rows.
    package func walks(through tables: [String: Int]) -> [String] {
        root.all.compactMap { node in
            guard let table = node.table, let count = tables[table], node.loops > 0 else { return nil }
            if node.kind == "Seq Scan" { return "Seq Scan on \(table)" }
            guard node.read > Double(count) / 2 else { return nil }
            let index = (node.index ?? node.steps?.first?.index).map { " by \($0)" } ?? ""
            return "\(node.kind) on \(table)\(index) reads \(Int(node.read)) of \(count)"
        }
    }
}

extension TestCluster {
    /// Makes a role's new sessions log how each statement was executed.
    ///
    /// - Parameter nested: whether statements in functions are logged too, including those of triggers. A function that
    ///   is called for each of many rows fills gigabytes.
    package func explain(_ role: String, nested: Bool = true) async throws {
        try await TestRoles.create([role], on: self)
        let settings = [
            "session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0",
            "auto_explain.log_format": "json", "auto_explain.log_analyze": "on", "auto_explain.log_timing": "off",
            "auto_explain.log_nested_statements": nested ? "on" : "off", "log_min_messages": "log",
        ]
        try await administer(settings.map { "alter role \(role) set \($0) = '\($1)';" }.joined(separator: "\n"))
    }

    /// The statements executed so far in such sessions, except for the very latest: a statement is logged when its
    /// portal is closed. Statements that were only explained are not included.
    package func plans() throws -> [QueryPlan] {
        var plans: [QueryPlan] = []
        var plan: [Substring]?
        for line in try log().split(separator: "\n") {
            if line.hasPrefix("\t") {
                plan?.append(line)
                continue
            }
            if let lines = plan { plans += try Self.plan(lines) }
            plan = line.hasSuffix("plan:") ? [] : nil
        }
        // The last one may be incomplete as yet.
        if let lines = plan, let last = try? Self.plan(lines) { plans += last }
        return plans
    }

    /// The plan; none for a statement that was only explained.
    private static func plan(_ lines: [Substring]) throws -> [QueryPlan] {
        let data = Data(lines.joined(separator: "\n").utf8)
        let statement = try JSONDecoder().decode(Statement.self, from: data)
        return statement.text.hasPrefix("explain ") ? [] : [try JSONDecoder().decode(QueryPlan.self, from: data)]
    }

    private struct Statement: Decodable {
        let text: String

        enum CodingKeys: String, CodingKey { case text = "Query Text" }
    }
}
