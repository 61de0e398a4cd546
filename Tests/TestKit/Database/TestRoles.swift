import Foundation

/// The roles of a deployment: `migrator` owns the schemas, each service has a role of its own.
package enum TestRoles {
    package static let migrator = "migrator"
    package static let services = ["directory", "events", "content", "lobbying"]
    /// For servers that require a password.
    package static let password = "test"

    /// Creates the roles that are missing. Roles belong to the server, not to a database.
    package static func create(_ names: [String], on cluster: TestCluster) async throws {
        let roles = names.map { "'\($0)'" }.joined(separator: ", ")
        // Two test processes may share a server: one creates the roles, the other waits.
        try await cluster.administer(
            """
            begin;
            select pg_advisory_xact_lock(7200);
            do $$
            declare
                name text;
            begin
                foreach name in array array[\(roles)]::text[] loop
                    if not exists (select from pg_roles where rolname = name) then
                        execute format('create role %I login password %L', name, '\(password)');
                    end if;
                end loop;
            end $$;
            commit;
            """)
    }

    /// Creates the roles as a deployment does, with all their settings.
    package static func deploy(on cluster: TestCluster) throws {
        var script = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { script.deleteLastPathComponent() }
        script.append(path: "deploy/postgres/roles.sql")
        // The user that runs PostgreSQL's programs may have no access to the clone.
        let copy = FileManager.default.temporaryDirectory.appending(path: "roles-\(UUID().uuidString).sql")
        try FileManager.default.copyItem(at: script, to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        chmod(copy.path, 0o644)
        try Command.run(
            Command.postgres("psql"),
            ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", cluster.url(database: "postgres")]
                + ([migrator] + services).map { "--set=\($0)_password=\(password)" } + ["--file", copy.path])
    }
}
