import ClubProtocol
import Postgres
import ServiceKit

/// Undoing merges.
extension MergeStore {
    /// A merge that is about to be undone.
    struct Current: Decodable {
        var kind: RecordKind
        var survivor: DirectoryRecord.ID
        var merged: DirectoryRecord.ID
        var undone: Bool
        /// The last of the later merges that must be undone first.
        var follower: Merge.ID?
    }

    /// A merge cannot be undone before later ones that changed or deleted a row which it changed or deleted, or deleted
    /// a row which its images refer to.
    static func lock(_ id: Merge.ID, in transaction: PostgresTransaction) async throws -> Current {
        try await transaction.execute("select from merge where id = \(id) for update")
        let row = try await transaction.first(
            """
            select kind, survivor, merged, undone_at is not null as undone, (
                select later.id from merge as later
                where later.undone_at is null and later.number > merge.number
                    and (later.touched && merge.touched or later.merged = any(merge.mentioned))
                order by later.number desc limit 1) as follower
            from merge where id = \(id)
            """)
        guard let row else { throw Problem(.notFound) }
        return try row.decode(Current.self)
    }

    /// The rows of a merge: the survivor's before and after it, and the merged record's.
    struct Images: Decodable {
        var before: MergeRules.Image
        var after: MergeRules.Image
        var merged: MergeRules.Image
    }

    static func images(_ id: Merge.ID, in transaction: PostgresTransaction) async throws -> Images {
        let row = try await transaction.first(
            """
            select jsonb_build_object('before', before, 'after', after, 'merged', steps -> -1 -> 'image') as images
            from merge where id = \(id)
            """)
        guard let row else { throw Problem(.notFound) }
        return try LenientJSON.decode(Images.self, from: Array(try row["images", as: JSONText.self].text.utf8))
    }

    /// Restores the survivor, then what the last step deleted and moved, then the step before it.
    ///
    /// - Returns: the restored references, with their versions.
    static func restore(
        _ id: Merge.ID, _ current: Current, in transaction: PostgresTransaction
    ) async throws -> [Moved] {
        // The survivor may refer to the merged row, for example as its head of network, which must exist first; and the
        // merged row cannot return before the survivor has given up the values taken from it.
        try await transaction.execute(
            """
            select directory.restore_image(\(table(current.kind)), (
                select jsonb_object_agg(key, case when value = to_jsonb(merged::text) then 'null' else value end)
                from jsonb_each(before)))
            from merge where id = \(id)
            """)
        let count: Int =
            try await transaction.first(
                "select jsonb_array_length(steps) as count from merge where id = \(id)")?["count"] ?? 0
        var returned: [Moved] = []
        for index in (0..<count).reversed() {
            returned += try await transaction.query(
                """
                select row ->> 'entity' as entity, (row ->> 'id')::uuid as id, (row ->> 'version')::integer as version
                from merge, jsonb_array_elements(directory.release(steps -> \(index)::integer)) as row
                where merge.id = \(id)
                """
            ).decode(Moved.self)
        }
        try await transaction.execute(
            """
            select directory.write_image(\(table(current.kind)), before - 'version_floor') from merge where id = \(id)
            """)
        return returned
    }

    /// The images are deleted: they are no longer needed.
    static func finish(
        _ id: Merge.ID, edits: [String: JSONValue], by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await transaction.query(
            """
            update merge set
                before = null, after = null, steps = null, undone_by = \(principal.actor), undone_at = now(),
                edits = \(try JSONText(encoding: edits)), version = version + 1
            where id = \(id)
            returning \(columns)
            """)
    }
}
