import Postgres
import TestKit
import Testing

@Suite("Migrations") struct MigratorTests {
    private let first = Migration(
        "0001-person", sql: Array("create table person (id int primary key, name text);".utf8))
    private let second = Migration(
        "0002-rows",
        sql: Array(
            """
            -- Several statements, in order.
            insert into person values (1, 'semi;colon');
            create function answer() returns int language sql as $$ select 42; $$;
            create sequence ticket;
            """.utf8))

    private func migrator(_ migrations: [Migration], role: String? = "directory") -> Migrator {
        Migrator(schema: "directory", migrations: migrations, runtimeRole: role)
    }

    /// A database as deployed, before any migration.
    private func withEmpty(_ body: (TestDatabase, PostgresClient) async throws -> Void) async throws {
        try await withDatabase { database in
            try await database.withClient(as: "migrator") { try await body(database, $0) }
        }
    }

    @Test("migrations are applied once, in order, and pending ones are listed")
    func order() async throws {
        try await withEmpty { _, client in
            let both = migrator([first, second])
            #expect(try await both.pending(on: client) == ["0001-person", "0002-rows"])
            let one = try await client.withConnection { try await migrator([first]).migrate($0) }
            #expect(one == ["0001-person"])
            #expect(try await both.pending(on: client) == ["0002-rows"])
            let rest = try await client.withConnection { try await both.migrate($0) }
            #expect(rest == ["0002-rows"])
            let none = try await client.withConnection { try await both.migrate($0) }
            #expect(none.isEmpty)
            #expect(try await both.pending(on: client).isEmpty)
            let row = try #require(
                try await client.first(
                    """
                    select name, directory.answer() as answer, count(*) over () as count,
                        (select count(*) from directory.schema_migration) as migrations
                    from directory.person
                    """))
            #expect(try row["name"] == "semi;colon")
            #expect(try row["answer"] == 42)
            #expect(try row["migrations"] == 2)
        }
    }

    @Test("an edited migration is refused, and so is an unknown one")
    func checksums() async throws {
        try await withEmpty { _, client in
            _ = try await client.withConnection { try await migrator([first, second]).migrate($0) }
            let edited = Migration(first.id, sql: first.sql + Array(" ".utf8))
            await #expect(throws: MigrationError.edited("0001-person")) {
                try await client.withConnection { try await migrator([edited, second]).migrate($0) }
            }
            await #expect(throws: MigrationError.unknown("0002-rows")) {
                try await client.withConnection { try await migrator([first]).migrate($0) }
            }
            await #expect(throws: MigrationError.duplicate("0001-person")) {
                try await client.withConnection { try await migrator([first, first]).migrate($0) }
            }
        }
    }

    @Test("a schema older than the first release is reported with advice, left unchanged, and not taken for newer")
    func olderThanFirstRelease() async throws {
        try await withEmpty { _, client in
            _ = try await client.withConnection { try await migrator([first, second]).migrate($0) }
            let baseline = Migration("0001-baseline", sql: Array("create table baseline (n int);".utf8))
            let error = await #expect(throws: MigrationError.self) {
                try await client.withConnection { try await migrator([baseline]).migrate($0) }
            }
            #expect(error == .olderThanFirstRelease(schema: "directory"))
            #expect(
                error?.description == """
                    the schema directory is older than the first release and cannot be migrated: export its tables with the \
                    version that created it, create a new database, migrate that, and import the tables
                    """)
            #expect(try await migrator([baseline]).pending(on: client) == ["0001-baseline"])
            let row = try #require(
                try await client.first(
                    """
                    select to_regclass('directory.baseline') is null as untouched, count(*) as migrations
                    from directory.schema_migration
                    """))
            #expect(try row["untouched"] == true)
            #expect(try row["migrations"] == 2)
            // One known migration suffices: a run may have been interrupted, and a newer program may have continued it.
            await #expect(throws: MigrationError.unknown("0002-rows")) {
                try await client.withConnection { try await migrator([first, baseline]).migrate($0) }
            }
        }
    }

    @Test("a failed migration leaves nothing behind, and earlier ones remain")
    func failure() async throws {
        try await withEmpty { _, client in
            let bad = Migration(
                "0002-bad", sql: Array("create table half (n int); select 1 / 0; create table rest (n int);".utf8))
            let error = await #expect(throws: PostgresError.self) {
                try await client.withConnection { try await migrator([first, bad]).migrate($0) }
            }
            #expect(error?.sqlState == "22012")
            #expect(try await migrator([first, bad]).pending(on: client) == ["0002-bad"])
            let row = try #require(
                try await client.first(
                    "select to_regclass('directory.half') is null as gone, to_regclass('directory.person') is null as lost"
                ))
            #expect(try row["gone"] == true)
            #expect(try row["lost"] == false)
            let fixed = try await client.withConnection { try await migrator([first, second]).migrate($0) }
            #expect(fixed == ["0002-rows"])
        }
    }

    @Test("of several concurrent runners one applies, and the others find it done")
    func concurrency() async throws {
        try await withEmpty { _, client in
            let slow = Migration("0003-slow", sql: Array("select pg_sleep(0.3); create table slow (n int);".utf8))
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await client.withConnection { try await migrator([first, second, slow]).migrate($0) }
                    }
                }
                return try await group.reduce(into: [String]()) { $0 += $1 }
            }
            #expect(applied == ["0001-person", "0002-rows", "0003-slow"])
        }
    }

    @Test("the runtime role writes in its own schema, and nowhere else")
    func rights() async throws {
        let other = Migrator(
            schema: "events", migrations: [Migration("0001-event", sql: Array("create table event (id int);".utf8))],
            runtimeRole: "events")
        try await withDatabase(migratedBy: [migrator([first, second]), other]) { database in
            try await database.withClient(as: "directory") { client in
                try await client.execute("insert into person values (2, 'two')")
                try await client.execute("update person set name = 'zwei' where id = 2")
                try await client.execute("delete from person where id = 1")
                try await client.query("select answer(), nextval('ticket')")
                #expect(try await migrator([first, second]).pending(on: client).isEmpty)
                for statement: SQL in [
                    "select * from events.event", "insert into events.event values (1)", "create table mine (n int)",
                    "alter table person add column extra int", "drop table person", "truncate person",
                    "delete from schema_migration", "create schema mine", "create table public.mine (n int)",
                ] {
                    let error = await #expect(throws: PostgresError.self) { try await client.execute(statement) }
                    #expect(error?.sqlState == SQLState.insufficientPrivilege, "\(statement.text)")
                }
            }
            // Tables of a later migration are granted as well.
            let third = Migration("0003-later", sql: Array("create table later (n int);".utf8))
            try await database.withClient(as: "migrator") { client in
                _ = try await client.withConnection { try await migrator([first, second, third]).migrate($0) }
            }
            try await database.withClient(as: "directory") { try await $0.execute("insert into later values (1)") }
        }
    }

    @Test("a migration can restrict the runtime role's rights on a table, however often migrations run")
    func restricted() async throws {
        let log = Migration(
            "0003-log", sql: Array("create table entry (n int, note text);".utf8),
            rights: [TableRights("entry", "select, insert (n)")])
        try await withDatabase(migratedBy: [migrator([first, log])]) { database in
            try await database.withClient(as: "migrator") { client in
                _ = try await client.withConnection { try await migrator([first, log]).migrate($0) }
            }
            try await database.withClient(as: "directory") { client in
                try await client.execute("insert into entry (n) values (1)")
                #expect(try await client.query("select * from entry").count == 1)
                for statement: SQL in [
                    "insert into entry (n, note) values (2, 'x')", "update entry set n = 2", "delete from entry",
                    "truncate entry",
                ] {
                    let error = await #expect(throws: PostgresError.self) { try await client.execute(statement) }
                    #expect(error?.sqlState == SQLState.insufficientPrivilege, "\(statement.text)")
                }
            }
        }
    }

    @Test("objects of an extension are not granted, and work all the same")
    func extensionsFunctions() async throws {
        let search = Migration(
            "0001-search", sql: Array("create extension unaccent with schema directory;".utf8))
        let answer = Migration(
            "0002-answer",
            sql: Array("create function answer() returns int language sql as $$ select 42; $$;".utf8))
        try await withDatabase(migratedBy: [migrator([search, answer])]) { database in
            try await database.withClient(as: "directory") { client in
                let row = try await client.first("select unaccent('é') as plain, answer() as n")
                #expect(try row?["plain"] == "e")
            }
            let granted = try await database.withClient { client in
                try await client.query(
                    """
                    select proname::text as name from pg_proc
                    where pronamespace = 'directory'::regnamespace and proacl::text like '%directory=X%'
                    """
                ).map { try $0["name", as: String.self] }
            }
            #expect(granted == ["answer"])
        }
    }

    @Test("each test has a database of its own, cloned from one template")
    func templates() async throws {
        try await withDatabase(migratedBy: [migrator([first])]) { one in
            try await withDatabase(migratedBy: [migrator([first])]) { two in
                #expect(one.name != two.name)
                try await one.withClient(as: "directory") { try await $0.execute("insert into person values (1, 'a')") }
                let rows = try await two.withClient(as: "directory") { try await $0.query("select from person") }
                #expect(rows.isEmpty)
            }
        }
    }
}
