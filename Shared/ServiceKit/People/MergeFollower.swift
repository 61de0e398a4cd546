package import ClubProtocol
package import Postgres

/// Follows the merges of the directory's records: what named the merged record names the survivor, until the directory
/// undoes the merge.
///
/// The feed carries the state of a merge at the time of reading, and may deliver it again: a merge is applied once, and
/// undone only if it was applied. One that the directory has undone since is never applied. What undoing needs is in the
/// row of `applied_merge`, whose table `ServiceMigrations.merges` creates.
package struct MergeFollower: Sendable {
    private let steps: [RecordKind: MergeSteps]

    /// - Parameter steps: by the kind of record; merges of other kinds change nothing here.
    package init(_ steps: [RecordKind: MergeSteps]) {
        self.steps = steps
    }

    /// Follows the merges on their own, in a service that keeps no copy of the records.
    package func mount(on builder: inout ServiceBuilder) {
        builder.follow(.directory, name: "merges", apply)
    }

    @Sendable func apply(_ changes: [Change], in transaction: PostgresTransaction) async throws {
        for change in changes where change.entity == .merge { try await apply(change, in: transaction) }
    }

    private func apply(_ change: Change, in transaction: PostgresTransaction) async throws {
        guard let id = try? Merge.ID(validating: change.id) else { return }
        guard let merge = try change.data?.decoded(as: MergeNotice.self) else {
            // The directory has forgotten the merge, as it does after an erasure.
            try await transaction.execute("delete from applied_merge where id = \(id)")
            return
        }
        guard let steps = steps[merge.kind] else { return }
        let isApplied = try await transaction.first("select from applied_merge where id = \(id) for update") != nil
        switch merge.state {
        case .done where !isApplied:
            try await transaction.execute(
                """
                insert into applied_merge (id, kind, survivor, merged)
                values (\(id), \(merge.kind.rawValue), \(merge.survivor), \(merge.merged))
                """)
            try await steps.apply(merge, transaction)
        case .undone where isApplied:
            try await steps.undo(merge, transaction)
            try await transaction.execute("delete from applied_merge where id = \(id)")
        default: break
        }
    }

    /// Forgets the merges of people who are erased: they can no longer be undone.
    ///
    /// - Returns: the rows that they had set aside, as ``PeopleMirror/erase(_:in:)`` does.
    @discardableResult static func forget<Entity>(
        _ people: [Identifier<Entity>], in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await transaction.query(
            """
            with forgotten as (
                delete from applied_merge where survivor = any(\(people)) or merged = any(\(people)) returning aside
            )
            select removed.key as table, image ->> 'id' as id
            from forgotten cross join jsonb_each(aside) as removed cross join jsonb_array_elements(removed.value) as image
            """)
    }
}

/// What a merge of one kind of record changes in a service, and how that is undone.
package struct MergeSteps: Sendable {
    /// Runs in the transaction that applies the batch of the feed.
    package typealias Step = @Sendable (MergeNotice, PostgresTransaction) async throws -> Void

    let apply: Step
    let undo: Step

    /// - Parameters:
    ///   - apply: the row of `applied_merge` exists; `apply` stores there what `undo` needs.
    ///   - undo: the row of `applied_merge` is locked, and deleted afterwards.
    package init(apply: @escaping Step, undo: @escaping Step) {
        self.apply = apply
        self.undo = undo
    }

    /// Moves rows that nothing contradicts, and records them as changed.
    ///
    /// - Parameters:
    ///   - entity: the rows' kind.
    ///   - service: records the change.
    package static func moving(_ rows: MergedRows, _ entity: EntityName, by service: ServiceName) -> MergeSteps {
        MergeSteps { merge, transaction in
            let moved = try await transaction.query(rows.move(merge))
            try await transaction.record(.changed, entity, each: moved, by: .service(service))
        } undo: { merge, transaction in
            let moved = try await transaction.query(rows.moveBack(merge))
            try await transaction.record(.changed, entity, each: moved, by: .service(service))
        }
    }
}

/// The rows of a table that name a record of the directory in one of their columns.
package struct MergedRows: Sendable {
    private let table: SQL
    private let column: SQL
    private let key: SQL
    private let isVersioned: Bool

    /// - Parameters:
    ///   - column: names the record.
    ///   - key: a `uuid` that tells apart the rows that name one record.
    ///   - isVersioned: whether the rows have `version` and `updated_at`, which change when they are moved.
    package init(_ table: SQL, naming column: SQL, key: SQL = "id", isVersioned: Bool = true) {
        self.table = table
        self.column = column
        self.key = key
        self.isVersioned = isVersioned
    }

    /// Moves the rows of the merged record to the survivor, and stores which.
    ///
    /// - Returns: a statement that returns the key of each, and its version if it has one.
    package func move(_ merge: MergeNotice) -> SQL {
        """
        with moving as (
            update \(table) set \(column) = \(merge.survivor)\(touch) where \(column) = \(merge.merged)
            returning \(returned)
        ), stored as (
            update applied_merge set moved = moved || jsonb_build_object(
                \(table.text), (select coalesce(jsonb_agg(\(key)), '[]') from moving))
            where id = \(merge.id)
        )
        select \(returned) from moving
        """
    }

    /// Moves the rows back that were moved by the merge and still name the survivor.
    ///
    /// - Returns: a statement that returns the key of each, and its version if it has one.
    package func moveBack(_ merge: MergeNotice) -> SQL {
        """
        update \(table) set \(column) = \(merge.merged)\(touch)
        where \(column) = \(merge.survivor) and \(key) = any(array(
            select value::uuid from applied_merge cross join jsonb_array_elements_text(moved -> \(table.text)) as value
            where applied_merge.id = \(merge.id)))
        returning \(returned)
        """
    }

    private var touch: SQL { isVersioned ? ", version = version + 1, updated_at = now()" : "" }

    private var returned: SQL { isVersioned ? "\(key), version" : key }
}
