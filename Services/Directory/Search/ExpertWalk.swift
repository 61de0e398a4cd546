import ClubProtocol
import Postgres
import ServiceKit

/// One page of experts in an order, at a cost that does not grow with their number.
///
/// What many answer to is looked for among the next experts of the order, until a page is full: by its index, or in the shortest
/// list of postings in which all who answer stand. What few answer to is found in full, by the index of words, topics, brands and
/// places together, and sorted. ``ExpertEstimate`` says what is least work; where it was wrong and a walk does not fill its page,
/// all are sorted after all. Each way gives the same page; none counts anybody.
struct ExpertWalk {
    let columns: SQL
    /// What an expert must be.
    let rules: [ExpertRule]
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

    private var isBackwards: Bool { if case .nameBackwards = order { true } else { false } }

    /// What follows each of `sort_key` and `id`.
    private var direction: SQL { isBackwards ? "desc" : "asc" }

    /// What comes after a position, in its stage; `id` is the identifier's column.
    private func comes(after position: Position, id: SQL) -> SQL {
        "(sort_key, \(id)) \(isBackwards ? "<" : ">" as SQL) (\(position.key), \(position.id))"
    }

    /// What finding all may cost, in the planner's units, without a thought about another way.
    private static let cheapPlanCost = 250.0
    /// How many experts of an order or a list are looked at without a thought.
    private static let freeLookups = 1000.0
    /// What it costs to look at one more, in the planner's units: more than it takes, as whoever answers to a word may stand
    /// in one place of the order, and the walk be in vain.
    private static let look = 0.5
    /// How many stages one statement walks through; planning it costs by the stage.
    private static let stride = 8

    /// Sets how the statements of a transaction are planned and run: with their values, by indexes, in order, and with memory to
    /// tell a quarter of a million rows apart. What is walked is looked up one by one, as most of it is never come to. A page of
    /// the table costs what it does where the database holds it in memory: about ten times an entry of an index.
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
    ///   - transaction: that was prepared.
    func page(after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        let answers = try await ExpertEstimate(of: rules.map(\.condition), in: transaction)
        if answers.cost < Self.cheapPlanCost { return try await sort(after, limit: limit, in: transaction) }
        if case .near(_, let departements) = order {
            // If they stand evenly in the départements, those of one statement have a page.
            if answers.count * Double(Self.stride) > Double(limit * departements.count) {
                let rows = try await approach(after, limit: limit, in: transaction)
                if rows.count >= limit { return rows }
            }
            return try await sort(after, limit: limit, in: transaction)
        }
        var list: SQL?
        var count = try await ExpertEstimate(of: scope, in: transaction).count
        // How many are looked at for a page, if those that answer stand evenly in what is walked.
        var looks: Double { Double(limit) * count / max(answers.count, 1) }
        if looks > Self.freeLookups {
            let lists = rules.flatMap(\.lists)
            for (other, length) in zip(lists, try await ExpertEstimate.lengths(of: lists, in: transaction))
            where length < count {
                (list, count) = (other, length)
            }
        }
        if looks < Self.freeLookups || looks * Self.look < answers.cost {
            let rows = try await walk(
                list, after, limit: limit, reach: Int(looks * 2 + Self.freeLookups / 2), in: transaction)
            if rows.count >= limit { return rows }
        }
        return try await sort(after, limit: limit, in: transaction)
    }

    /// What is told by the indexes of the orders.
    private var scope: [SQL] { rules.filter(\.isInOrder).map(\.condition) }

    /// The stages that one statement looks at, from that of a position on.
    private func stages(after: Position?, of places: [[SQL]]) -> Range<Int> {
        let start = min(after?.stage ?? 0, places.count - 1)
        return start..<min(start + Self.stride, places.count)
    }

    /// Those of the next places who answer to the rules; the page, if they fill it. In one place they are few.
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

    /// Of the next experts, of all or of a list, as many as the reach says, those who answer to the rules; the page, if they fill
    /// it.
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
                // Who does not stand in the other lists is passed over before the row is looked at; but not where a next stage must
                // know how far this one was walked.
                let others = (places.count > 1 ? [] : lists).filter { $0 != list }.map { other -> SQL in
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
        // Together they reach as far as one: a stage that was not walked to its end is the last.
        return try await page(
            of: """
                select * from (
                    select * from (\(parts.joined(separator: " union all "))) as expert limit \(reach)
                ) as expert where \(rules.map(\.condition).all)
                """, limit: limit, in: transaction)
    }

    /// The first rows of a statement that has them in order, stage after stage: the parts of `union all` come in theirs, as
    /// nothing runs in parallel here.
    private func page(of experts: SQL, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query(
            """
            select * from (
                select \(columns), sort_key as "_key", id as "_id", "_stage" from (\(experts)) as expert limit \(limit)
            ) as found
            order by "_stage", "_key" \(direction), "_id" \(direction)
            """)
    }

    /// All that answer to the rules, sorted.
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
            let elsewhere: SQL = "left(postal_code, 3) is distinct from left(\(code)::text, 3)"
            let around: SQL = "left(postal_code, 3) = left(\(code)::text, 3)"
            return [["postal_code = \(code)"], [around, "postal_code <> \(code)"]]
                + departements.map { ["departement = \($0)", elsewhere] }
        }
    }
}
