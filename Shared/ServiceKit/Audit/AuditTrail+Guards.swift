import ClubProtocol
import Postgres

/// What verifying the chain needs besides the rows: where the chain begins, and whether its guards are still in place.
extension AuditTrail {
    /// The bytes of a row that its hash covers. Written here instead of calling the database's own function, which the
    /// owner of the tables could replace.
    static let canonical: SQL = """
        convert_to(
            jsonb_build_array(
                seq::text, id::text, xid::text, (extract(epoch from audit.at) * 1000000)::bigint::text,
                actor, role, action, entity, subject, version::text, encode(commitment, 'hex'))::text,
            'UTF8')
        """

    /// What the chain continues from: nothing, or the last entry that retention deleted.
    func base() async throws -> Head {
        guard let row = try await database.first("select seq, encode(hash, 'hex') as hash from audit_base") else {
            throw PostgresError(.decoding, table: "audit_base", message: "the base of the audit trail is missing")
        }
        return Head(seq: try row["seq"], hash: try row["hash"])
    }

    /// Whether missing rows were deleted by retention, which leaves its mark in the trail itself.
    func isMarked(_ base: Head) async throws -> Bool {
        guard base.seq > 0 else { return true }
        return try await database.first(
            """
            select from audit where entity = 'audit' and subject = \("\(base.seq) \(base.hash)") and action = 'deleted'
            """) != nil
    }

    /// Whether triggers, functions and grants are those of the migration.
    func isGuarded() async throws -> Bool {
        let row = try await database.first(
            """
            with guard (relation, trigger, routine) as (values
                ('audit', 'audit_insert', 'audit_guard'), ('audit', 'audit_guard', 'audit_guard'),
                ('audit', 'audit_whole', 'audit_guard'),
                ('audit_head', 'audit_head_guard', 'audit_head_guard'),
                ('audit_head', 'audit_head_whole', 'audit_head_guard'),
                ('audit_base', 'audit_base_guard', 'audit_base_guard'),
                ('audit_base', 'audit_base_whole', 'audit_base_guard')
            ), here as (
                select guard.relation from guard
                    join pg_class as class on class.oid = to_regclass(guard.relation) and class.relkind = 'r'
                    join pg_trigger on tgrelid = class.oid and tgname = guard.trigger and tgenabled = 'A'
                        and case tgname
                            when 'audit_insert' then pg_get_triggerdef(pg_trigger.oid) like '%' || \(Self.wrongRow) || '%'
                            else tgqual is null
                        end
                    join pg_proc on pg_proc.oid = tgfoid and pg_proc.pronamespace = class.relnamespace
                        and proname = guard.routine
                        and strpos(
                            \(Self.migration),
                            'create function ' || proname || e'() returns trigger\\nlanguage plpgsql as $$' || prosrc
                                || '$$;') > 0
            )
            select (select count(*) from here) = 7
                and (
                    select bool_and(not has_table_privilege(name, 'update') and not has_table_privilege(name, 'delete')
                        and not has_table_privilege(name, 'truncate'))
                    from unnest(array['audit', 'audit_head', 'audit_base']) as name
                )
                and not has_any_column_privilege('audit', 'update')
                and not has_any_column_privilege('audit_head', 'insert, update')
                and not has_any_column_privilege('audit_base', 'insert, update')
                and not has_column_privilege('audit', 'seq', 'insert') as guarded
            """)
        return try row?["guarded"] ?? false
    }

    /// The condition under which an inserted row is refused, as the server prints it.
    private static let wrongRow =
        "WHEN (((new.seq IS NOT NULL) OR (new.previous IS NOT NULL) OR (new.hash IS NOT NULL) "
        + "OR (new.xid <> pg_current_xact_id()))) EXECUTE FUNCTION"

    private static let migration = String(decoding: PackageResources.kit_0003_audit_trail_sql, as: UTF8.self)
}
