import Logging
import Postgres

/// Databases migrated once, and cloned for each test.
actor DatabaseTemplates {
    private var templates: [[Migrator.Identity]: Task<String, any Error>] = [:]

    /// The name of a database to which these migrations have been applied.
    func template(of migrators: [Migrator], on cluster: TestCluster) async throws -> String {
        let key = migrators.map(\.identity)
        if let known = templates[key] { return try await known.value }
        let making = Task { try await DatabaseTemplates.make(migrators, on: cluster) }
        templates[key] = making
        do {
            return try await making.value
        } catch {
            templates[key] = nil
            throw error
        }
    }

    private static func make(_ migrators: [Migrator], on cluster: TestCluster) async throws -> String {
        let roles = [TestRoles.migrator] + TestRoles.services + migrators.compactMap(\.runtimeRole)
        try await TestRoles.create(roles, on: cluster)
        let name = cluster.uniqueName("template")
        try await cluster.administer("create database \(name) owner \(TestRoles.migrator)")
        var configuration = try PostgresConfiguration(url: cluster.url(database: name, role: TestRoles.migrator))
        configuration.sharedConnections = 1
        configuration.statementTimeout = .seconds(60)
        try await withPostgresClient(configuration, logger: Logger(label: "test migrations")) { client in
            for migrator in migrators {
                try await client.withConnection { _ = try await migrator.migrate($0) }
            }
        }
        return name
    }
}

extension Migrator {
    struct Identity: Hashable {
        let schema: String
        let migrations: [Migration]
        let role: String?
    }

    var identity: Identity { Identity(schema: schema, migrations: migrations, role: runtimeRole) }
}
