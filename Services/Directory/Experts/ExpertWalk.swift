import ClubProtocol
import Postgres
import ServiceKit

/// One page of experts in an order, at a cost that does not grow with their number.
///
/// If many match, they are looked for among the next experts in the order until a page is full: by the order's index,
/// or in the shortest posting list that contains all matches. If few match, all of them are found by the index of
/// words, topics, brands and places together, and sorted. ``ExpertEstimate`` chooses the cheaper way; if it was wrong
/// and a walk does not fill its page, all matches are sorted after all. Every way gives the same page; none counts the
/// matches.
struct ExpertWalk {
    let columns: SQL
    /// All conditions on an expert.
    let rules: [ExpertRule]
    let order: Order

    /// Earlier stages come first; within a stage the order is by name, then identifier.
    enum Order {
        case name
        /// In reverse: what comes before a row, for going back a page.
        case nameBackwards
        /// Those whose name begins with what was typed, then the others.
        case beginning(Beginning)
        /// The same postal code, then the same first three digits, then the départements, the nearest first.
        case near(PostalCode, [Departement])

        /// - Parameters:
        ///   - readings: of the words, from ``ExpertWordStore``.
        ///   - transaction: used to find which départements are near.
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

    /// What a name begins with: a text, ignoring the French ending of its last word. "créations" also matches the
    /// beginning of "Création du Béarn".
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

    /// The position where a page ended.
    struct Position {
        var stage: Int
        var key: String
        var id: Expert.ID
    }

    private var isBackwards: Bool { if case .nameBackwards = order { true } else { false } }

    /// The direction of both `sort_key` and `id`.
    private var direction: SQL { isBackwards ? "desc" : "asc" }

    /// What comes after a position, in its stage; `id` is the identifier's column.
    private func comes(after position: Position, id: SQL) -> SQL {
        "(sort_key, \(id)) \(isBackwards ? "<" : ">" as SQL) (\(position.key), \(position.id))"
    }

    /// Below this cost, in the planner's units, all matches are found and sorted without considering another way.
    private static let cheapPlanCost = 250.0
    /// How many experts of an order or a list may be looked up without comparing costs.
    private static let freeLookups = 1000.0
    /// The cost assumed for one more look-up, in the planner's units: higher than the real one, since the matches of a
    /// word may be clustered in the order, and the walk be in vain.
    private static let look = 0.5
    /// How many stages one statement walks through; each adds to the planning time.
    private static let stride = 8

    /// Sets how the statements of a transaction are planned and run: with their values, by indexes, in order, and with
    /// memory for a quarter of a million rows. Rows of a walk are looked up one by one, since most of them are
    /// never reached. Page costs assume that the database is in memory: about ten times an index entry.
    static func prepare(_ transaction: PostgresTransaction) async throws {
        try await transaction.query(
            """
            select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true),
                set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
                set_config('max_parallel_workers_per_gather', '0', true),
                set_config('random_page_cost', '0.2', true), set_config('seq_page_cost', '0.2', true),
                set_config('cpu_index_tuple_cost', '0.02', true), set_config('work_mem', '32MB', true),
                set_config('pg_trgm.similarity_threshold', '0.2', true)
            """)
    }

    /// - Parameters:
    ///   - after: where the page before ended.
    ///   - limit: one more than the page has.
    ///   - transaction: a prepared one.
    func page(after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        let answers = try await ExpertEstimate(of: rules.map(\.condition), in: transaction)
        if answers.cost < Self.cheapPlanCost { return try await sort(after, limit: limit, in: transaction) }
        if case .near(_, let departements) = order {
            // If they are evenly distributed over the départements, those of one statement fill a page.
            if answers.count * Double(Self.stride) > Double(limit * departements.count) {
                let rows = try await approach(after, limit: limit, in: transaction)
                if rows.count >= limit { return rows }
            }
            return try await sort(after, limit: limit, in: transaction)
        }
        var list: SQL?
        var count = try await ExpertEstimate(of: scope, in: transaction).count
        // The expected look-ups for a page, if matches are evenly distributed over what is walked.
        var looks: Double { Double(limit) * count / max(answers.count, 1) }
        if looks > Self.freeLookups {
            let lists = rules.flatMap(\.lists)
            for (other, length) in zip(lists, try await ExpertEstimate.lengths(of: lists, in: transaction))
            where length < count {
                (list, count) = (other, length)
            }
        }
        if looks < Self.freeLookups || looks * Self.look < answers.cost {
            // Alone in its rule, a list contains nothing but matches.
            let isExact = list != nil && rules.count == 1 && rules[0].lists.count == 1
            let reach = isExact ? limit : Int(looks * 2 + Self.freeLookups / 2)
            let rows = try await walk(list, after, limit: limit, reach: reach, in: transaction)
            if rows.count >= limit { return rows }
        }
        return try await sort(after, limit: limit, in: transaction)
    }

    /// The conditions covered by the indexes of the orders.
    private var scope: [SQL] { rules.filter(\.isInOrder).map(\.condition) }

    /// The stages that one statement walks, from that of a position on.
    private func stages(after: Position?, of places: [[SQL]]) -> Range<Int> {
        let start = min(after?.stage ?? 0, places.count - 1)
        return start..<min(start + Self.stride, places.count)
    }

    /// The matches in the next places; a page, if they fill it. A single place has few.
    private func approach(_ after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        let places = places
        let parts = stages(after: after, of: places).map { stage -> SQL in
            var conditions = places[stage] + rules.map(\.condition)
            if let after, after.stage == stage { conditions.append(comes(after: after, id: "id")) }
            return """
                (select *, \(stage)::integer as "_stage" from expert where \(conditions.all)
                order by sort_key, id limit \(limit))
                """
        }
        return try await page(of: parts.joined(separator: " union all "), limit: limit, in: transaction)
    }

    /// The matches among the next `reach` experts, of all or of a list; a page, if they fill it.
    private func walk(
        _ list: SQL?, _ after: Position?, limit: Int, reach: Int, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let places = places
        let lists = rules.flatMap(\.lists)
        let parts = stages(after: after, of: places).map { stage -> SQL in
            let last = after?.stage == stage ? after : nil
            let conditions = scope + places[stage] + (last.map { [comes(after: $0, id: "id")] } ?? [])
            let listed: SQL
            if let list {
                let postings = ["term = name"] + places[stage] + (last.map { [comes(after: $0, id: "expert")] } ?? [])
                // Rows missing from the other lists are skipped before the row is read; except if a next stage must
                // know how far this one was walked.
                let isLast = stage == places.count - 1
                let others = (isLast ? lists : []).filter { $0 != list }.map { other -> SQL in
                    """
                    exists (select from expert_posting
                        where term = any (\(other)) and sort_key = key and expert = member)
                    """
                }
                listed = """
                    select key, member from (
                        select distinct key, member from unnest(\(list)) as terms (name) cross join lateral (
                            select sort_key as key, expert as member from expert_posting where \(postings.all)
                            order by sort_key \(direction), expert \(direction) limit \(reach)) as posting
                        order by key \(direction), member \(direction) limit \(reach)
                    ) as reached where \(others.all) order by key \(direction), member \(direction) offset 0
                    """
            } else if rules.contains(where: \.isRare) {
                listed = """
                    select sort_key as key, id as member from expert where \(conditions.all)
                    order by key \(direction), member \(direction) limit \(reach)
                    """
            } else {
                return """
                    (select *, \(stage)::integer as "_stage" from expert where \(conditions.all)
                    order by sort_key \(direction), id \(direction) limit \(reach))
                    """
            }
            return """
                (select expert.*, \(stage)::integer as "_stage" from (\(listed)) as listed join expert on id = member
                order by key \(direction), member \(direction))
                """
        }
        // `reach` limits them together: a stage that was not walked to its end is the last.
        return try await page(
            of: """
                select * from (
                    select * from (\(parts.joined(separator: " union all "))) as expert limit \(reach)
                ) as expert where \(rules.map(\.condition).all)
                """, limit: limit, in: transaction)
    }

    /// The first rows of a statement that returns them in order, stage by stage: the parts of `union all` are executed
    /// in order, since nothing runs in parallel here.
    private func page(of experts: SQL, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query(
            """
            select * from (
                select \(columns), sort_key as "_key", id as "_id", "_stage" from (\(experts)) as expert limit \(limit)
            ) as found
            order by "_stage", "_key" \(direction), "_id" \(direction)
            """)
    }

    /// All matches, sorted.
    private func sort(_ after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        var conditions = rules.map(\.condition)
        var goesOn: SQL = "true"
        if let after {
            switch order {
            case .name, .nameBackwards: conditions.append(comes(after: after, id: "id"))
            case .beginning, .near:
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

    /// The stage of a row.
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

    /// The conditions of each stage.
    private var places: [[SQL]] {
        switch order {
        case .name, .nameBackwards: return [[]]
        case .beginning(let beginning): return [[beginning.rule], ["not (\(beginning.rule))"]]
        case .near(let code, let departements):
            let elsewhere: SQL = "left(postal_code, 3) is distinct from left(\(code)::text, 3)"
            let around: SQL = "left(postal_code, 3) = left(\(code)::text, 3)"
            return [["postal_code = \(code)"], [around, "postal_code <> \(code)"]]
                + departements.map { ["departement = \($0)", elsewhere] }
        }
    }
}
