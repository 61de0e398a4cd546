import Logging
package import Postgres

/// The database of one test.
package struct TestDatabase: Sendable {
    package let cluster: TestCluster
    package let name: String

    /// The URL for the superuser.
    package var url: String { cluster.url(database: name) }

    /// The URL for a role: `migrator`, or the name of a service.
    package func url(as role: String) -> String { cluster.url(database: name, role: role) }

    /// The configuration of a small client; `searchPath` is the role's own schema.
    package func configuration(as role: String? = nil, searchPath: String? = nil) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: cluster.url(database: name, role: role))
        configuration.applicationName = "test"
        configuration.searchPath = searchPath ?? role
        configuration.leasedConnections = 6
        return configuration
    }

    /// Creates a database with these migrations, applied by the migration role.
    ///
    /// - Parameter cluster: the shared one unless a test has its own.
    package static func create(
        migratedBy migrators: [Migrator] = [], on cluster: TestCluster? = nil
    ) async throws -> TestDatabase {
        let cluster = try cluster ?? TestCluster.shared()
        let template = try await cluster.databases.template(of: migrators, on: cluster)
        let name = cluster.uniqueName("test")
        try await cluster.administer(
            "create database \(name) template \(template) owner \(TestRoles.migrator) strategy file_copy")
        return TestDatabase(cluster: cluster, name: name)
    }

    package func drop() async throws {
        try await cluster.administer("drop database if exists \(name) with (force)")
    }

    /// Runs `body` with a client, for a role or for the superuser.
    @discardableResult
    package nonisolated(nonsending) func withClient<T>(
        as role: String? = nil, searchPath: String? = nil, adjust: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (PostgresClient) async throws -> T
    ) async throws -> T {
        var configuration = try configuration(as: role, searchPath: searchPath)
        adjust(&configuration)
        return try await withPostgresClient(configuration, logger: Logger(label: "test"), body)
    }
}

/// Gives a test a database of its own, dropped afterwards.
@discardableResult
package nonisolated(nonsending) func withDatabase<T>(
    migratedBy migrators: [Migrator] = [], on cluster: TestCluster? = nil,
    _ body: (TestDatabase) async throws -> T
) async throws -> T {
    let database = try await TestDatabase.create(migratedBy: migrators, on: cluster)
    do {
        let value = try await body(database)
        try await database.drop()
        return value
    } catch {
        try? await database.drop()
        throw error
    }
}
