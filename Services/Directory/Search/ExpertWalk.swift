import ClubProtocol
import Postgres
import ServiceKit

/// One page of experts in an order, at a cost that does not grow with their number.
///
/// What many answer to fills a page from the first ``reach`` experts of the order, by its index. What does not is answered to by
/// few, one in a hundred where the order says nothing about the rules: all of these are found, by the index of words, topics,
/// brands and places together, and sorted; or the page is filled from further on, where that is less work. Each gives the same
/// page; none counts anybody.
struct ExpertWalk {
    let columns: SQL
    /// What an expert must be that the indexes of the orders know of: kind, département, being published.
    let scope: [SQL]
    /// What an expert must be besides.
    let rules: [SQL]
    let order: Order

    /// Whoever is in an earlier stage comes first; within one the name decides, then the identifier.
    enum Order {
        case name
        /// From the end on: what comes before a row, for a list that is turned backwards.
        case nameBackwards
        /// Those whose name begins with this text, then the others.
        case beginning(Line)
        /// The same postal code, the same first three digits, then the départements, from the nearest on.
        case near(PostalCode, [Departement])

        init(near: PostalCode?, words: Line?, in transaction: PostgresTransaction) async throws {
            if let near, let departement = Departement(postalCode: near) {
                let rows = try await transaction.query(
                    "select departement from departement_near where origin = \(departement) order by rank")
                self = .near(near, try rows.map { try $0["departement"] })
            } else {
                self = words.map { .beginning($0) } ?? .name
            }
        }
    }

    /// How far a list has come.
    struct Position {
        var stage: Int
        var key: String
        var id: Expert.ID
    }

    /// What follows each of `sort_key` and `id`.
    private var direction: SQL { if case .nameBackwards = order { "desc" } else { "asc" } }

    /// How many experts of the order are looked at before it is given up: as many as it takes no longer to look at than to find
    /// and sort those of a rule that one in a hundred answers to.
    private static let reach = 4000
    /// How many experts are looked at while one of those that answer is found and sorted.
    private static let sorting = 4
    /// How many stages one statement walks through; planning it costs by the stage.
    private static let stride = 8

    /// Sets how the statements of a transaction are planned and run: with their values, by indexes, in order, without a compiler
    /// that takes longer than they do, and with memory to tell a quarter of a million rows apart.
    static func prepare(_ transaction: PostgresTransaction) async throws {
        try await transaction.query(
            """
            select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true),
                set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
                set_config('random_page_cost', '1.1', true), set_config('work_mem', '32MB', true),
                set_config('pg_trgm.similarity_threshold', '0.2', true)
            """)
    }

    /// - Parameters:
    ///   - after: where the page before ended; not for names backwards, whose beginning stands in the scope.
    ///   - limit: one more than the page has.
    ///   - transaction: that was prepared.
    func page(after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        var rows = try await walk(after, limit: limit, reach: Self.reach, in: transaction)
        if (1..<limit).contains(rows.count) {
            let known = try await transaction.query(
                "select reltuples::bigint as count from pg_class where oid = 'expert'::regclass")
            // What is looked at for a page, and what answers in all, if it goes on as it began.
            let looks = Self.reach * limit / rows.count
            let answers = try (known[0]["count"] as Int) * rows.count / Self.reach
            if looks < answers * Self.sorting {
                rows = try await walk(after, limit: limit, reach: looks + looks / 2, in: transaction)
            }
        }
        return rows.count >= limit ? rows : try await sort(after, limit: limit, in: transaction)
    }

    /// Of the next experts, as many as the reach says, those who answer to the rules; the page, if they fill it.
    private func walk(
        _ after: Position?, limit: Int, reach: Int, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let places = places
        let start = min(after?.stage ?? 0, places.count - 1)
        // The parts of `union all` come in their order, as nothing runs in parallel here.
        let parts = (start..<min(start + Self.stride, places.count)).map { stage -> SQL in
            var conditions = scope + places[stage]
            if let after, after.stage == stage { conditions.append("(sort_key, id) > (\(after.key), \(after.id))") }
            return """
                (select *, \(stage)::integer as "_stage" from expert where \(conditions.all)
                order by sort_key \(direction), id \(direction) limit \(reach))
                """
        }
        return try await transaction.query(
            """
            select * from (
                select \(columns), sort_key as "_key", id as "_id", "_stage"
                from (
                    select * from (\(parts.joined(separator: " union all "))) as expert limit \(reach)
                ) as expert
                where \(rules.all) limit \(limit)
            ) as found
            order by "_stage", "_key" \(direction), "_id" \(direction)
            """)
    }

    /// All that answer to the rules, sorted.
    private func sort(_ after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        let goesOn: SQL =
            after.map { "(\"_stage\", \"_key\", \"_id\") > (\($0.stage)::integer, \($0.key), \($0.id))" } ?? "true"
        return try await transaction.query(
            """
            with found as materialized (
                select sort_key as "_key", id as "_id", \(stage) as "_stage" from expert
                where \((scope + rules).all)
            ), page as materialized (
                select * from found where \(goesOn) order by "_stage", "_key" \(direction), "_id" \(direction)
                limit \(limit)
            )
            select \(columns), "_key", "_id", "_stage" from page join expert on id = "_id"
            order by "_stage", "_key" \(direction), "_id" \(direction)
            """)
    }

    /// In which stage a row is.
    private var stage: SQL {
        switch order {
        case .name, .nameBackwards: "0"
        case .beginning(let text): "case when \(Self.begins(text)) then 0 else 1 end"
        case .near(let code, let departements):
            """
            case when postal_code = \(code) then 0
                when left(postal_code, 3) = left(\(code)::text, 3) then 1
                else 1 + array_position(\(departements)::text[], departement) end
            """
        }
    }

    /// What an expert of each stage must be.
    private var places: [[SQL]] {
        switch order {
        case .name, .nameBackwards: return [[]]
        case .beginning(let text): return [[Self.begins(text)], ["not (\(Self.begins(text)))"]]
        case .near(let code, let departements):
            let elsewhere: SQL = "left(postal_code, 3) <> left(\(code)::text, 3)"
            let around: SQL = """
                postal_code >= left(\(code)::text, 3) || '00' and postal_code <= left(\(code)::text, 3) || '99'
                """
            return [["postal_code = \(code)"], [around, "postal_code <> \(code)"]]
                + departements.map { ["departement = \($0)", elsewhere] }
        }
    }

    private static func begins(_ text: Line) -> SQL {
        """
        sort_key >= directory.sort_key(\(text.text)) and sort_key < directory.sort_key(\(text.text)) || chr(1114111)
        """
    }
}
