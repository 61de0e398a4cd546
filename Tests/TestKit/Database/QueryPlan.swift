import Foundation

/// A statement that a server has run, and the way it took; from `auto_explain` (PostgreSQL documentation, F.4).
package struct QueryPlan: Decodable, Sendable {
    package let statement: String
    package let root: Node

    private enum CodingKeys: String, CodingKey {
        case statement = "Query Text"
        case root = "Plan"
    }

    /// A step of it.
    package struct Node: Decodable, Sendable {
        package let kind: String
        /// The table that it reads by itself.
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

        /// How many rows it looked at, those included that were of no use.
        package var read: Double { (rows + (filtered ?? 0) + (rechecked ?? 0)) * loops }

        package var all: [Node] { [self] + (steps ?? []).flatMap(\.all) }
    }

    /// The steps that go through a table where an index should lead: a sequential scan, or any scan that looked at more than half
    /// of the rows.
    ///
    /// - Parameter tables: those that grow, with the number of their rows.
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
    /// Has a role's sessions that begin from now on write into the log how each statement was run.
    ///
    /// - Parameter nested: whether statements of functions are written, too, those of triggers among them. A function that is called
    ///   for each of many rows fills gigabytes.
    package func explain(_ role: String, nested: Bool = true) async throws {
        try await TestRoles.create([role], on: self)
        let settings = [
            "session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0",
            "auto_explain.log_format": "json", "auto_explain.log_analyze": "on", "auto_explain.log_timing": "off",
            "auto_explain.log_nested_statements": nested ? "on" : "off", "log_min_messages": "log",
        ]
        try await administer(settings.map { "alter role \(role) set \($0) = '\($1)';" }.joined(separator: "\n"))
    }

    /// What such sessions have run so far, without what the last moment brought: a statement is written when its portal is closed.
    /// What they had explained and did not run is not among them.
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
        // The last one may not have been written to its end yet.
        if let lines = plan, let last = try? Self.plan(lines) { plans += last }
        return plans
    }

    /// One, or none of a statement that was explained.
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
