import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import ServiceKit

/// Protects the audit trail from the service itself, and from the owner of its tables.
@Suite("guards of the audit trail")
struct AuditGuardTests {
    /// An attempted statement.
    struct Attempt: CustomTestStringConvertible {
        var testDescription: String { statement.text }
        let statement: SQL

        init(_ statement: SQL) { self.statement = statement }
    }

    private func trail(_ kit: ServiceDatabase) -> AuditTrail { AuditTrail(database: kit.client) }

    /// Twenty sealed rows and an unsealed one.
    private func filled(_ kit: ServiceDatabase) async throws {
        for _ in 0..<20 { try await kit.record(.created, RecordedID()) }
        try await eventually("everything is sealed") {
            try await trail(kit).seal()
            return try await kit.count("select count(*) from audit where seq is null") == 0
        }
        try await kit.record(.changed, RecordedID())
    }

    /// The whole trail as text.
    private func contents(_ kit: ServiceDatabase) async throws -> [String] {
        try await kit.client.query(
            """
            select audit::text as row from audit union all select audit_head::text from audit_head
            union all select audit_base::text from audit_base order by 1
            """
        ).map { try $0["row"] }
    }

    private static let changes: [Attempt] = [
        "update audit set actor = 'nobody' where seq = 5", "update audit set seq = 99 where seq = 5",
        "update audit set actor = 'nobody' where seq is null",
        "update audit set seq = null, previous = null, hash = null where seq = 20",
        "update audit set seq = 21, previous = sha256('x'), hash = sha256('y') where seq is null",
        "update audit set hash = sha256(previous || audit_canonical(audit)) where seq = 9",
        "delete from audit where seq = 20", "delete from audit where seq is null", "delete from audit",
        "truncate audit", "truncate audit_head", "truncate audit_base",
        "update audit_head set seq = 15, hash = (select hash from audit where seq = 15)",
        "update audit_head set seq = 21, hash = sha256('x')", "update audit_head set hash = sha256('x')",
        "delete from audit_head", "insert into audit_head (singleton, seq, hash) values (false, 1, sha256('x'))",
        "update audit_base set seq = 3, hash = (select hash from audit where seq = 3)", "delete from audit_base",
        """
        insert into audit (actor, role, action, entity, subject, seq, previous, hash)
        select 'a', 'b', 'c', 'd', 'e', seq + 1, hash, sha256('x') from audit_head
        """,
        "insert into audit (actor, role, action, entity, subject, xid) values ('a', 'b', 'c', 'd', 'e', '1')",
    ].map { Attempt($0) }

    private static let ofTheRole: [Attempt] =
        changes
        + [
            "insert into audit (actor, role, action, entity, subject, at) values ('a', 'b', 'c', 'd', 'e', '2020-01-01')",
            """
            insert into audit (id, actor, role, action, entity, subject) overriding system value
            values (1000, 'a', 'b', 'c', 'd', 'e')
            """,
            "drop table audit", "drop table audit_head cascade", "drop trigger audit_guard on audit",
            "alter table audit disable trigger audit_guard", "alter table audit disable trigger all",
            "alter table audit drop column hash", "alter table audit rename to audit_old",
            "alter table audit owner to events", "alter function audit_seal(integer) owner to events",
            "alter function audit_seal(integer) reset all",
            "create or replace function audit_guard() returns trigger language plpgsql as $$begin return new; end$$",
            "create function sha256(text) returns bytea language sql as $$select ''::bytea$$",
            "create schema earlier", "set session_replication_role = replica", "set role migrator",
            "set session authorization migrator", "select setval(pg_get_serial_sequence('audit', 'id'), 1)",
            "lock table audit in access exclusive mode", "select * from audit_head for update",
            "select audit_guard()", "update audit_key set pads = pads",
            "create rule r as on insert to audit do instead nothing", "create index i on audit (actor)",
        ].map { Attempt($0) }

    @Test("the runtime role writes and reads rows; whatever else it tries is refused, and the trail is unchanged")
    func runningRole() async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            let before = try await contents(kit)
            for attempt in Self.ofTheRole {
                await #expect(throws: PostgresError.self, "\(attempt.statement.text)") {
                    try await kit.client.transaction { try await $0.execute(attempt.statement) }
                }
                #expect(try await contents(kit) == before, "\(attempt.statement.text)")
            }
            // This grants nothing, and only raises a warning.
            _ = try? await kit.client.execute("grant all on audit to events")
            #expect(try await contents(kit) == before)
            try await eventually("the last row is sealed") { try await trail(kit).seal() == 1 }
            #expect(try await trail(kit).verify() == .intact(try await trail(kit).head()))
        }
    }

    @Test("an entry that cannot be hashed is refused: it would block all later ones for ever")
    func long() async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            for column in ["actor", "role", "action", "entity", "subject"] as [SQL] {
                let values = (["actor", "role", "action", "entity", "subject"] as [SQL]).map { name -> SQL in
                    name.text == column.text ? "repeat('x', 1001)" : "'x'"
                }
                let error = await #expect(throws: PostgresError.self) {
                    try await kit.client.transaction { transaction in
                        try await transaction.execute(
                            "insert into audit (actor, role, action, entity, subject) values (\(values.joined(separator: ", ")))"
                        )
                    }
                }
                #expect(error?.constraint == "audit_length_check", "\(column.text)")
            }
            let audit = trail(kit)
            try await eventually("all is sealed") {
                _ = try await audit.seal()
                return try await audit.unsealedSince() == nil
            }
            #expect(try await audit.countOverdue() == 0)
            try await filled(kit)
            try await eventually("it could be sealed") { try await audit.unsealedSince() != nil }
        }
    }

    @Test("no one changes the trail by statements on rows, not even the owner or a superuser in replica mode")
    func owner() async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            let before = try await contents(kit)
            for attempt in Self.changes {
                await #expect(throws: PostgresError.self, "\(attempt.statement.text)") {
                    try await kit.owner { try await $0.execute(attempt.statement) }
                }
                await #expect(throws: PostgresError.self, "\(attempt.statement.text)") {
                    try await kit.database.withClient(searchPath: ServiceDatabase.schema) { superuser in
                        try await superuser.transaction { transaction in
                            try await transaction.execute("set local session_replication_role = replica")
                            try await transaction.execute(attempt.statement)
                        }
                    }
                }
            }
            #expect(try await contents(kit) == before)
            #expect(try await trail(kit).verify() == .intact(try await trail(kit).head()))
        }
    }

    @Test("without the triggers the same statements do change it: the triggers refuse them")
    func negativeControl() async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            let before = try await contents(kit)
            try await unguarded(kit, "update audit set actor = 'nobody' where seq = 5")
            #expect(try await contents(kit) != before)
            #expect(try await trail(kit).verify() == .broken(at: 5, .changed))
        }
    }

    @Test("the sealing function means the same, whatever precedes it in the caller's search path")
    func shadows() async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            try await kit.database.withClient { superuser in
                // A deployment revokes this right; the function does not rely on that.
                let script = "grant temporary on database \(kit.database.name) to events"
                try await superuser.withConnection { try await $0.execute(script: [UInt8](script.utf8)) }
            }
            try await kit.client.withConnection { connection in
                let script = """
                    create temp table audit_head (singleton boolean, seq bigint, hash bytea, sealed_at timestamptz);
                    insert into pg_temp.audit_head values (true, 7, 'x', now());
                    create temp table audit (like events.audit including defaults);
                    create function pg_temp.sha256(bytea) returns bytea language sql as $$select '\\x00'::bytea$$;
                    create function pg_temp.audit_canonical(events.audit) returns bytea language sql as $$select 'x'::bytea$$;
                    set search_path = pg_temp, events, pg_catalog;
                    """
                try await connection.execute(script: [UInt8](script.utf8))
                try await eventually("the last row is sealed") {
                    try await connection.first("select events.audit_seal(100) as sealed")?["sealed"] == 1
                }
                #expect(try await connection.first("select seq from pg_temp.audit_head")?["seq"] == 7)
            }
            #expect(try await trail(kit).head().seq == 21)
            #expect(try await trail(kit).verify() == .intact(try await trail(kit).head()))
        }
    }

    @Test(
        "the sealing function accepts any limit and seals what is there, or nothing",
        arguments: [nil, -1, 0, 1, Int32.min, Int32.max])
    func oddArguments(limit: Int32?) async throws {
        try await withServiceDatabase { kit in
            for _ in 0..<3 { try await kit.record(.created, RecordedID()) }
            let text = limit.map { "\($0)" }
            var sealed = 0
            try await eventually("as many as can be are sealed") {
                sealed +=
                    try await kit.client.first("select audit_seal(\(text)::integer) as n")?["n", as: Int.self] ?? 0
                return sealed == ((limit ?? 0) > 0 ? 3 : 0)
            }
            #expect(try await trail(kit).head().seq == sealed)
            #expect(try await trail(kit).verify() == .intact(try await trail(kit).head()))
        }
    }

    @Test("a session that holds the old advisory lock prevents no one from sealing")
    func heldLock() async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            try await kit.client.transaction { transaction in
                try await transaction.query(
                    "select pg_advisory_xact_lock(hashtextextended(current_schema() || ' audit_seal', 0))")
                try await eventually("the last row is sealed") { try await trail(kit).seal() == 1 }
            }
        }
    }

    @Test(
        "guards removed by the owner are detected, though every hash is correct",
        arguments: [
            "alter table audit disable trigger audit_guard", "alter table audit enable trigger audit_guard",
            """
            drop trigger audit_insert on audit;
            create trigger audit_insert before insert on audit for each row when (false) execute function audit_guard();
            alter table audit enable always trigger audit_insert
            """, "drop trigger audit_head_guard on audit_head", "alter table audit_base disable trigger user",
            "create or replace function audit_guard() returns trigger language plpgsql as $$begin return new; end$$",
            "grant update on audit to events", "grant update (actor) on audit to events",
            "grant delete on audit to events", "grant insert on audit to events",
            "grant update on audit_head to events",
            """
            alter table audit_head rename to hidden_head;
            create view audit_head as select * from hidden_head;
            grant select on audit_head to events
            """,
        ])
    func takenAway(script: String) async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            let head = try await trail(kit).head()
            #expect(try await trail(kit).verify() == .intact(head))
            try await kit.owner { owner in
                try await owner.withConnection { try await $0.execute(script: [UInt8](script.utf8)) }
            }
            #expect(try await trail(kit).verify() == .broken(at: head.seq, .unguarded))
        }
    }

    @Test("verification does not trust the owner's function for the bytes of a row: it has its own")
    func ownBytes() async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            let same = try await kit.client.first(
                "select bool_and(audit_canonical(audit) = \(AuditTrail.canonical)) as same from audit")
            #expect(try same?["same"] == true)
            try await unguarded(kit, "update audit set actor = 'nobody' where seq = 5")
            try await kit.owner { owner in
                try await owner.execute(
                    """
                    create or replace function audit_canonical(entry audit) returns bytea language sql stable as
                    $$select convert_to(case when entry.seq = 5 then 'whatever suits' else 'x' end, 'UTF8')$$
                    """)
            }
            #expect(try await trail(kit).verify() == .broken(at: 5, .changed))
        }
    }

    @Test(
        "retention removes old rows and marks that in the chain; without the mark the chain is cut off"
    )
    func retention() async throws {
        try await withServiceDatabase { kit in
            try await filled(kit)
            func retire() async throws -> Int {
                try await kit.owner { try await $0.first("select audit_retire('1 day') as gone")?["gone"] ?? 0 }
            }
            // No row is a year old, whatever age is asked for.
            #expect(try await retire() == 0)
            let early = try await aged(kit, 12)
            #expect(try await trail(kit).verify() == .intact(try await trail(kit).head()))
            let noted = try await trail(kit).head()
            await #expect(throws: PostgresError.self, "the running role may not") {
                try await kit.client.execute("select audit_retire('2 years')")
            }
            #expect(try await retire() == 12)
            #expect(try await retire() == 0)
            try await kit.record(.changed, RecordedID())
            try await eventually("the mark is sealed") {
                try await trail(kit).seal()
                return try await kit.count("select count(*) from audit where seq is null") == 0
            }
            let head = try await trail(kit).head()
            #expect(try await trail(kit).verify(noted: noted) == .intact(head))
            #expect(try await trail(kit).verify() == .intact(head))
            // A head noted before the mark no longer proves anything.
            #expect(try await trail(kit).verify(noted: early) == .broken(at: early.seq + 1, .cutOff))
            try await unguarded(kit, "delete from audit where entity = 'audit'")
            #expect(try await trail(kit).verify() == .broken(at: 12, .cutOff))
        }
    }

    /// Makes the first rows two years old, and chains everything again as if they had always been.
    private func aged(_ kit: ServiceDatabase, _ count: Int) async throws -> AuditTrail.Head {
        try await unguarded(kit, "update audit set at = at - interval '2 years' where seq <= \(count)")
        try await unguarded(kit, "update audit set seq = null, previous = null, hash = null")
        try await unguarded(kit, "update audit_head set seq = 0, hash = sha256('')")
        try await trail(kit).seal(limit: 5)
        let early = try await trail(kit).head()
        try await eventually("everything is sealed") {
            try await trail(kit).seal()
            return try await kit.count("select count(*) from audit where seq is null") == 0
        }
        return early
    }
}

/// Does what the triggers refuse, as the owner, and restores them.
func unguarded(_ kit: ServiceDatabase, _ statements: SQL...) async throws {
    let tables = ["audit", "audit_head"]
    try await kit.owner { owner in
        try await owner.transaction { transaction in
            for table in tables { try await transaction.execute(trigger(table, "disable")) }
            for statement in statements { try await transaction.execute(statement) }
            for table in tables { try await transaction.execute(trigger(table, "enable always")) }
        }
    }
}

private func trigger(_ table: String, _ method: String) -> SQL {
    switch (table, method) {
    case ("audit", "disable"): "alter table audit disable trigger user"
    case ("audit", _):
        """
        alter table audit enable always trigger audit_insert, enable always trigger audit_guard,
            enable always trigger audit_whole
        """
    case (_, "disable"): "alter table audit_head disable trigger user"
    default:
        """
        alter table audit_head enable always trigger audit_head_guard, enable always trigger audit_head_whole
        """
    }
}
