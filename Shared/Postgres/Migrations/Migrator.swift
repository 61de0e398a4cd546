/// Updates a schema: applies migrations in order, each in its own transaction, with one migrator at a time.
package struct Migrator: Sendable {
    package let schema: String
    package let migrations: [Migration]
    package let runtimeRole: String?

    /// - Parameters:
    ///   - schema: created if it does not exist; owned by the migrating role.
    ///   - migrations: in the order in which they are applied.
    ///   - runtimeRole: the role of the running service. It may read and write the tables of this schema and nothing
    ///     else, with fewer privileges on tables for which a migration says so.
    package init(schema: String, migrations: [Migration], runtimeRole: String?) {
        self.schema = schema
        self.migrations = migrations
        self.runtimeRole = runtimeRole
    }

    /// Applies pending migrations, and grants the runtime role its privileges.
    ///
    /// - Returns: the names of the migrations applied now.
    /// - Throws: `MigrationError`; `PostgresError` if a script fails; only that script is rolled back.
    package func migrate(_ connection: PostgresConnection) async throws -> [String] {
        if let twice = Dictionary(grouping: migrations, by: \.id).first(where: { $0.value.count > 1 }) {
            throw MigrationError.duplicate(twice.key)
        }
        try await lock(connection)
        do {
            let applied = try await migrateAlone(connection)
            try await unlock(connection)
            return applied
        } catch {
            // The lock would be released anyway when the session is reset; unlocking lets another migrator start
            // sooner.
            try? await unlock(connection)
            throw error
        }
    }

    /// The migrations that are not applied yet; for the readiness check.
    package func pending(on executor: any PostgresExecutor) async throws -> [String] {
        let applied = try await checksums(of: executor)
        return migrations.map(\.id).filter { applied[$0] == nil }
    }

    // MARK: - One migrator at a time

    private var lockName: String { "migrate \(schema)" }

    /// Polls for the lock: a wait on the server would end with its statement timeout, and another migrator's scripts
    /// may take longer.
    private func lock(_ connection: PostgresConnection) async throws {
        while true {
            let row = try await connection.first(
                "select pg_try_advisory_lock(hashtextextended(\(lockName), 0)) as taken")
            if try row?["taken", as: Bool.self] == true { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func unlock(_ connection: PostgresConnection) async throws {
        try await connection.execute("select pg_advisory_unlock(hashtextextended(\(lockName), 0))")
    }

    // MARK: - Applying

    private func migrateAlone(_ connection: PostgresConnection) async throws -> [String] {
        try await prepareSchema(connection)
        let known = try await ownChecksums(connection)
        let applied = try await checksums(of: connection)
        if !applied.isEmpty, known.keys.allSatisfy({ applied[$0] == nil }) {
            throw MigrationError.olderThanFirstRelease(schema: schema)
        }
        for (id, checksum) in applied.sorted(by: { $0.key < $1.key }) {
            guard let own = known[id] else { throw MigrationError.unknown(id) }
            guard own == checksum else { throw MigrationError.edited(id) }
        }
        var done: [String] = []
        for migration in migrations where applied[migration.id] == nil {
            try await apply(migration, connection)
            done.append(migration.id)
        }
        try await grant(connection)
        return done
    }

    private func prepareSchema(_ connection: PostgresConnection) async throws {
        // `if not exists` alone needs the privilege to create a schema, even if it exists.
        let exists = try await connection.first("select from pg_namespace where nspname = \(schema)") != nil
        if !exists { try await connection.execute(SQL(control: "create schema \(quoted(schema))")) }
        try await connection.execute(
            SQL(
                control: """
                    create table if not exists \(table) (
                        id text primary key,
                        checksum text not null,
                        applied_at timestamptz not null default now()
                    )
                    """))
    }

    private func apply(_ migration: Migration, _ connection: PostgresConnection) async throws {
        try await connection.transaction(retries: 0) { transaction in
            try await transaction.execute(
                """
                select set_config('search_path', \(quoted(schema) + ", public"), true),
                    set_config('statement_timeout', '0', true)
                """)
            try await connection.execute(script: migration.sql)
            try await transaction.execute(
                SQL(control: "insert into \(table) (id, checksum) values (")
                    + "\(migration.id), encode(sha256(\(migration.sql)), 'hex'))")
        }
    }

    /// The checksums of the applied migrations; empty before the first run.
    private func checksums(of executor: any PostgresExecutor) async throws -> [String: String] {
        let exists = try await executor.query(
            """
            select from pg_tables where schemaname = \(schema) and tablename = 'schema_migration'
            """)
        guard !exists.isEmpty else { return [:] }
        let rows = try await executor.query(SQL(control: "select id, checksum from \(table)"))
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0["id"], try $0["checksum"]) })
    }

    /// The checksums of our migrations, computed by the server's SHA-256.
    private func ownChecksums(_ connection: PostgresConnection) async throws -> [String: String] {
        let rows = try await connection.query(
            """
            select id, encode(sha256(script), 'hex') as checksum
            from unnest(\(migrations.map(\.id)), \(migrations.map(\.sql))::bytea[]) as migration (id, script)
            """)
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0["id"], try $0["checksum"]) })
    }

    // MARK: - Privileges

    /// Grants privileges to the runtime role, on existing objects and on those that this role will create. Never on
    /// another schema.
    private func grant(_ connection: PostgresConnection) async throws {
        guard let runtimeRole else { return }
        let role = quoted(runtimeRole)
        let schema = quoted(schema)
        // Functions of extensions are not ours to grant, and anyone may execute them anyway.
        let routines = try await connection.query(
            """
            select oid::regprocedure::text as signature from pg_proc
            where pronamespace = (select oid from pg_namespace where nspname = \(self.schema))
                and proowner = current_user::regrole
            """
        ).map { try $0["signature", as: String.self] }
        let restricted = migrations.flatMap(\.rights).map { rights in
            let table = "\(schema).\(quoted(rights.table))"
            return "revoke all on \(table) from \(role); grant \(rights.privileges) on \(table) to \(role);"
        }
        let script = """
            grant usage on schema \(schema) to \(role);
            grant select, insert, update, delete on all tables in schema \(schema) to \(role);
            grant usage, select on all sequences in schema \(schema) to \(role);
            \(routines.map { "grant execute on routine \($0) to \(role);" }.joined(separator: "\n"))
            revoke insert, update, delete on \(table) from \(role);
            \(restricted.joined(separator: "\n"))
            alter default privileges in schema \(schema) grant select, insert, update, delete on tables to \(role);
            alter default privileges in schema \(schema) grant usage, select on sequences to \(role);
            alter default privileges in schema \(schema) grant execute on functions to \(role);
            """
        try await connection.execute(script: [UInt8](script.utf8))
    }

    private var table: String { "\(quoted(schema)).schema_migration" }

    private func quoted(_ identifier: String) -> String {
        "\"" + identifier.replacing("\"", with: "\"\"") + "\""
    }
}
