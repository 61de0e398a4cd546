import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// Merges and their images.
enum MergeStore {
    private static let counts: SQL = """
        select coalesce(json_agg(json_build_object('entity', entity, 'count', count) order by entity), '[]') from
        """

    /// `referral_offer` → `referralOffer`
    private static func entity(_ record: SQL) -> SQL {
        """
        (select string_agg(case when place = 1 then part else initcap(part) end, '' order by place)
         from string_to_table(\(record) ->> 'table', '_') with ordinality as parts (part, place))
        """
    }

    static let columns: SQL = """
        id, kind, survivor, merged, case when undone_at is null then 'done' else 'undone' end as state, fields,
        (\(counts) (
            select \(entity("move")) as entity, sum(jsonb_array_length(move -> 'rows')) as count
            from jsonb_array_elements(coalesce(steps, '[]')) as step, jsonb_array_elements(step -> 'moves') as move
            group by 1) as moved) as moved,
        (\(counts) (
            select \(entity("step")) as entity, count(*) as count
            from jsonb_array_elements(coalesce(steps, '[]') - -1) as step group by 1) as aside) as "setAside",
        merged_by as "mergedBy", merged_at as "mergedAt", undone_by as "undoneBy", undone_at as "undoneAt", edits, version
        """

    static func get(_ id: Merge.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from merge where id = \(id)")
    }

    static func list(
        _ query: ListMerges.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let kind = query.kind { rules.append("kind = \(kind)") }
        if let record = query.record { rules.append("(survivor = \(record) or merged = \(record))") }
        if let after = try page.position(of: Merge.self) { rules.append("number < \(after.key)::text::bigint") }
        // The counts are so expensive that the planner cannot choose between two ways to the rows: the rows are found
        // first.
        return try await executor.query(
            """
            select \(columns), number as "_number"
            from (select * from merge where \(rules.all) order by number desc limit \(page.limit + 1)) as merge
            order by number desc
            """)
    }

    /// For followers of the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object(
            'id', id, 'kind', kind, 'survivor', survivor, 'merged', merged,
            'state', case when undone_at is null then 'done' else 'undone' end) as data
        from merge where id = any(\(ids))
        """
    }

    // MARK: Merging

    /// One merge or undo at a time, until the transaction ends: an undo reads which merges came after its own, and a
    /// merge of organizations also moves people.
    static func lockMerges(in transaction: PostgresTransaction) async throws {
        try await transaction.execute("select pg_advisory_xact_lock(hashtextextended('directory.merge', 0))")
    }

    /// Both rows, locked until the end of the transaction: any row that refers to them waits or is visible.
    ///
    /// - Throws: 422 naming the one that is not found.
    static func lock(
        _ body: MergeRecords.Body, in transaction: PostgresTransaction
    ) async throws -> (survivor: MergeRules.Image, merged: MergeRules.Image) {
        guard body.survivor != body.merged else { throw Problem.invalid("/merged", "is the survivor itself") }
        try await transaction.execute(
            """
            select from \(body.kind.table) where id = any(\([body.survivor, body.merged])) order by id for update
            """)
        guard let survivor = try await image(of: body.survivor, body.kind, in: transaction) else {
            throw Problem.invalid("/survivor", "unknown record")
        }
        guard let merged = try await image(of: body.merged, body.kind, in: transaction) else {
            throw Problem.invalid("/merged", "unknown record")
        }
        return (survivor, merged)
    }

    /// A row by column, without generated columns; nil if not found.
    static func image(
        of id: DirectoryRecord.ID, _ kind: RecordKind, in transaction: PostgresTransaction
    ) async throws -> MergeRules.Image? {
        let row = try await transaction.first(
            "select directory.row_image(\(table(kind)), \(id)) as image")
        guard let text = try row?.optional("image", as: JSONText.self) else { return nil }
        return try LenientJSON.decode(MergeRules.Image.self, from: Array(text.text.utf8))
    }

    static func table(_ kind: RecordKind) -> SQL {
        switch kind {
        case .organization: "'directory.organization'::regclass"
        case .person: "'directory.person'::regclass"
        case .expert: "'directory.expert'::regclass"
        }
    }

    /// Where the records agree because of a file without a date, or since before the ledger existed.
    static func guessed(_ body: MergeRecords.Body, in transaction: PostgresTransaction) async throws
        -> MergeRules.Guessed
    {
        guard body.kind != .organization else { return .init() }
        var guessed = MergeRules.Guessed()
        let rows = try await transaction.query(
            """
            select distinct record.id, purpose
            from \(body.kind.table) as record join consent_entry as entry on entry.\(body.kind.table) = record.id
            where record.id = any(\([body.survivor, body.merged])) and agreed and source in ('import', 'carriedOver')
                and origin is null and at = (consents -> purpose ->> 'at')::timestamptz
            """)
        for row in rows {
            let purpose: String = try row["purpose"]
            if try row["id", as: DirectoryRecord.ID.self] == body.survivor {
                guessed.survivor.insert(purpose)
            } else {
                guessed.merged.insert(purpose)
            }
        }
        return guessed
    }

    /// Moves all references from one row to another, and deletes the row.
    static func absorb(
        _ table: SQL, _ survivor: DirectoryRecord.ID, _ merged: DirectoryRecord.ID, in transaction: PostgresTransaction
    ) async throws -> JSONText {
        guard
            let row = try await transaction.first(
                "select directory.absorb(\(table), \(survivor), \(merged)) as step")
        else { throw Problem(.notFound) }
        return try row["step"]
    }

    /// Writes the changed columns of the survivor and its next version.
    static func write(
        _ changes: MergeRules.Image, into id: DirectoryRecord.ID, _ kind: RecordKind,
        in transaction: PostgresTransaction
    ) async throws -> Int {
        try await transaction.execute(
            """
            select directory.write_image(\(table(kind)), \(try JSONText(encoding: changes)) || jsonb_build_object(
                'id', id, 'version', version + 1, 'updated_at', now()))
            from \(kind.table) where id = \(id)
            """)
        let row = try await transaction.first("select version from \(kind.table) where id = \(id)")
        return try row?["version"] ?? 0
    }

    /// Records a merge that has just been done.
    static func insert(
        _ id: Merge.ID, _ body: MergeRecords.Body, before: MergeRules.Image, fields: [String], steps: [JSONText],
        by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let steps = JSONText("[\(steps.map(\.text).joined(separator: ","))]")
        return try await transaction.query(
            """
            with step as (select value from jsonb_array_elements(\(steps)) as value),
            row as (
                select row from step, jsonb_array_elements(value -> 'moves') as move,
                    jsonb_array_elements(move -> 'rows') as row),
            touched as (
                select value ->> 'survivor' as id from step
                union select value ->> 'merged' from step
                union select row -> 'key' ->> 'id' from row where row -> 'key' ? 'id'),
            named as (
                select pair.value as id
                from (
                    select \(try JSONText(encoding: before)) as image union all select value -> 'image' from step
                ) as image, jsonb_each_text(image) as pair
                where pair.value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
            insert into merge (id, kind, survivor, merged, fields, before, after, steps, touched, mentioned, merged_by)
            values (
                \(id), \(body.kind), \(body.survivor), \(body.merged), \(fields), \(try JSONText(encoding: before)),
                directory.row_image(\(table(body.kind)), \(body.survivor)), \(steps),
                array(select id::uuid from touched), array(select distinct id::uuid from named), \(principal.actor))
            returning \(columns)
            """)
    }

    /// Versioned rows that were moved by a merge, for the journal.
    static func moved(_ id: Merge.ID, in transaction: PostgresTransaction) async throws -> [Moved] {
        try await transaction.query(
            """
            select \(entity("move")) as entity, (row -> 'key' ->> 'id')::uuid as id, (row ->> 'became')::integer as version
            from merge, jsonb_array_elements(steps) as step, jsonb_array_elements(step -> 'moves') as move,
                jsonb_array_elements(move -> 'rows') as row
            where merge.id = \(id) and row ? 'became'
            """
        ).decode(Moved.self)
    }

    /// Versioned rows that were deleted by a merge besides the merged record, for the journal.
    static func setAside(_ id: Merge.ID, in transaction: PostgresTransaction) async throws -> [Moved] {
        try await transaction.query(
            """
            select \(entity("step")) as entity, (step ->> 'merged')::uuid as id,
                (step -> 'image' ->> 'version')::integer as version
            from merge, jsonb_array_elements(steps - -1) as step where merge.id = \(id) and step -> 'image' ? 'version'
            """
        ).decode(Moved.self)
    }

    /// The referrals whose offers were set aside.
    static func recounted(_ id: Merge.ID, in transaction: PostgresTransaction) async throws -> [Referral.ID] {
        try await transaction.query(
            """
            select distinct (step -> 'image' ->> 'referral')::uuid as id
            from merge, jsonb_array_elements(steps) as step where merge.id = \(id) and step ->> 'table' = 'referral_offer'
            """
        ).map { try $0["id"] }
    }

    /// A row that was changed by a merge or its undo.
    struct Moved: Decodable {
        var entity: EntityName
        var id: DirectoryRecord.ID
        var version: Int?
    }
}
