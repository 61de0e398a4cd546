import ClubProtocol
import Postgres
import ServiceKit

extension Duplicate.State: PostgresEncodable, PostgresDecodable {}
extension Duplicate.Rule: PostgresEncodable {}

/// Pairs as they were found, and what was decided about them.
enum DuplicateStore {
    private static func name(of id: SQL) -> SQL {
        """
        case kind
            when 'organization' then (select name from organization where organization.id = \(id))
            when 'person' then (select \(SQL.personName(of: "person")) from person where person.id = \(id))
            else (select name from expert where expert.id = \(id)) end
        """
    }

    private static let columns: SQL = """
        id, kind, json_strip_nulls(json_build_object('id', first, 'name', \(name(of: "first")))) as first,
        json_strip_nulls(json_build_object('id', second, 'name', \(name(of: "second")))) as second,
        score, reasons, state, version, created_at as "createdAt", updated_at as "updatedAt"
        """

    static func list(
        _ query: ListDuplicates.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        if let score = query.minimumScore, !(0...100).contains(score) {
            throw Problem.invalid("minimumScore", "must be between 0 and 100")
        }
        var rules: [SQL] = []
        if let kind = query.kind { rules.append("kind = \(kind)") }
        if let state = query.state { rules.append("state = \(state)") }
        if let score = query.minimumScore { rules.append("score >= \(score)") }
        if let after = try page.position(of: Duplicate.self) {
            rules.append("(score, id) < (\(after.key)::text::integer, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns) from duplicate
            where \(rules.all)
            order by score desc, id desc limit \(page.limit + 1)
            """)
    }

    /// Changes the state of a pair.
    ///
    /// - Throws: 404; 409 if its state does not allow this transition.
    static func transition(
        _ id: Duplicate.ID, to next: Duplicate.State, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let row = try await transaction.first("select state from duplicate where id = \(id) for update")
        guard let state = try row?["state", as: Duplicate.State.self] else { throw Problem(.notFound) }
        guard state.allows(next) else {
            throw Problem(
                .transitionNotAllowed, "The pair is \(state.rawValue); it cannot become \(next.rawValue).")
        }
        return try await transaction.query(
            """
            update duplicate set state = \(next), version = version + 1, updated_at = now() where id = \(id)
            returning \(columns)
            """)
    }

    /// Reverts a dismissal. A merged pair is reopened by undoing its merge, not here.
    static func reopen(_ id: Duplicate.ID, in transaction: PostgresTransaction) async throws -> Rows {
        let row = try await transaction.first("select state from duplicate where id = \(id) for update")
        guard let state = try row?["state", as: Duplicate.State.self] else { throw Problem(.notFound) }
        guard state == .dismissed else {
            throw Problem(.transitionNotAllowed, "The pair is \(state.rawValue), and was not dismissed.")
        }
        return try await transition(id, to: .open, in: transaction)
    }

    /// After a merge: the pair is merged, and other open pairs of the merged record are removed. Dismissals are kept
    /// for when the merge is undone.
    static func settle(_ body: MergeRecords.Body, in transaction: PostgresTransaction) async throws {
        let (first, second) = (min(body.survivor, body.merged), max(body.survivor, body.merged))
        try await transaction.execute(
            """
            update duplicate set state = 'merged', version = version + 1, updated_at = now()
            where kind = \(body.kind) and first = \(first) and second = \(second)
            """)
        try await transaction.execute(
            """
            delete from duplicate
            where kind = \(body.kind) and state = 'open' and (first = \(body.merged) or second = \(body.merged))
            """)
    }

    /// After an undo: the pair is open again, and so are the other pairs of both records. A scan of recent changes
    /// would not find them: the records keep their old change times.
    static func unsettle(
        _ kind: RecordKind, _ survivor: DirectoryRecord.ID, _ merged: DirectoryRecord.ID,
        in transaction: PostgresTransaction
    ) async throws {
        let (first, second) = (min(survivor, merged), max(survivor, merged))
        try await transaction.execute(
            """
            update duplicate set state = 'open', version = version + 1, updated_at = now()
            where kind = \(kind) and first = \(first) and second = \(second) and state = 'merged'
            """)
        _ = try await DuplicateScanner.examine(
            "select * from \(kind.table) where id = any(\([first, second]))", kind, in: transaction)
    }
}
