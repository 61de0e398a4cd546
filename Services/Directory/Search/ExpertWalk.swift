import ClubProtocol
import Postgres
import ServiceKit

/// One page of experts in an order, at a cost that does not grow with their number.
///
/// What many answer to is looked for among the next experts of the order, by its index, until a page is full. What few answer to
/// is found in full, by the index of words, topics, brands and places together, and sorted. ``ExpertEstimate`` says which is less
/// work; where it was wrong and a walk does not fill its page, all are sorted after all. Either way gives the same page; neither
/// counts anybody.
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
        /// Those whose name begins with what was typed, then the others.
        case beginning(Beginning)
        /// The same postal code, the same first three digits, then the départements, from the nearest on.
        case near(PostalCode, [Departement])

        /// - Parameters:
        ///   - readings: of the words, as ``ExpertWordStore`` has them.
        ///   - transaction: asks which départements are near.
        init(
            near: PostalCode?, words: Line?, _ readings: [ExpertWordStore.Reading],
            in transaction: PostgresTransaction
        ) async throws {
            if let near, let departement = Departement(postalCode: near) {
                let rows = try await transaction.query(
                    "select departement from departement_near where origin = \(departement) order by rank")
                self = .near(near, try rows.map { try $0["departement"] })
            } else {
                self = words.map { .beginning(Beginning(text: $0, ending: readings.last?.ending ?? 0)) } ?? .name
            }
        }
    }

    /// What a name begins with: a text, but for the French ending of its last word. "créations" is the beginning of "Création du
    /// Béarn", too.
    struct Beginning {
        let text: Line
        /// In letters.
        let ending: Int

        fileprivate var rule: SQL {
            let whole: SQL = "directory.sort_key(\(text.text))"
            let key: SQL = "left(\(whole), length(\(whole)) - \(ending)::integer)"
            return "sort_key >= \(key) and sort_key < \(key) || chr(1114111)"
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

    /// How many experts of the order are looked at without a thought.
    private static let glance = 1000.0
    /// What it costs to look at one more, in the planner's units: more than it takes, as whoever answers to a word may stand
    /// in one place of the order, and the walk be in vain.
    private static let look = 0.5
    /// How many stages one statement walks through; planning it costs by the stage.
    private static let stride = 8

    /// Sets how the statements of a transaction are planned and run: with their values, by indexes, in order, without a compiler
    /// that takes longer than they do, and with memory to tell a quarter of a million rows apart. A page of the table costs what
    /// it does where the database holds it in memory: about ten times an entry of an index.
    static func prepare(_ transaction: PostgresTransaction) async throws {
        try await transaction.query(
            """
            select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true),
                set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
                set_config('random_page_cost', '0.2', true), set_config('seq_page_cost', '0.2', true),
                set_config('cpu_index_tuple_cost', '0.02', true), set_config('work_mem', '32MB', true),
                set_config('pg_trgm.similarity_threshold', '0.2', true)
            """)
    }

    /// - Parameters:
    ///   - after: where the page before ended; not for names backwards, whose beginning stands in the scope.
    ///   - limit: one more than the page has.
    ///   - transaction: that was prepared.
    func page(after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        let all = try await ExpertEstimate(of: scope, in: transaction)
        let answers = try await ExpertEstimate(of: scope + rules, in: transaction)
        // What is looked at for a page, if those that answer stand evenly in the order.
        let looks = Double(limit) * all.count / max(answers.count, 1)
        if looks < Self.glance || looks * Self.look < answers.cost {
            let rows = try await walk(after, limit: limit, reach: Int(looks * 1.5 + Self.glance), in: transaction)
            if rows.count >= limit { return rows }
        }
        return try await sort(after, limit: limit, in: transaction)
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
        var conditions = scope + rules
        var goesOn: SQL = "true"
        if let after {
            if case .name = order {
                conditions.append("(sort_key, id) > (\(after.key), \(after.id))")
            } else {
                goesOn = "(\"_stage\", \"_key\", \"_id\") > (\(after.stage)::integer, \(after.key), \(after.id))"
            }
        }
        return try await transaction.query(
            """
            with found as materialized (
                select sort_key as "_key", id as "_id", \(stage) as "_stage" from expert
                where \(conditions.all)
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
        case .beginning(let beginning): "case when \(beginning.rule) then 0 else 1 end"
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
        case .beginning(let beginning): return [[beginning.rule], ["not (\(beginning.rule))"]]
        case .near(let code, let departements):
            let elsewhere: SQL = "left(postal_code, 3) <> left(\(code)::text, 3)"
            let around: SQL = """
                postal_code >= left(\(code)::text, 3) || '00' and postal_code <= left(\(code)::text, 3) || '99'
                """
            return [["postal_code = \(code)"], [around, "postal_code <> \(code)"]]
                + departements.map { ["departement = \($0)", elsewhere] }
        }
    }
}
