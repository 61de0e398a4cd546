package import ArgumentParser
import ClubProtocol
import FoundationEssentials
import Logging
import Postgres

/// `migrate`: brings the service's schema up to date and exits.
package struct Migrate<App: ServiceApplication>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "migrate",
            abstract: "Brings the schema \(App.name.rawValue) up to date.",
            discussion: """
                Connects as the role that owns the schemas (MIGRATE_DATABASE_URL or MIGRATE_DATABASE_URL_FILE), \
                creates the schema if it does not exist, applies the pending migrations in order, and grants the \
                runtime role the use of the schema. Can be run at any time, and several times at once.
                """)
    }

    @Option(help: "The database, as the role that owns the schemas: a libpq URL.") var databaseURL: String?
    @Option(help: "A file that contains this URL.") var databaseURLFile: String?
    @Option(help: "The role that the service runs as.") var role: String?
    @Option(help: "A JSON file with any of these values.") var config: String?

    package init() {}

    package func run() async throws {
        let given = [
            "MIGRATE_DATABASE_URL": databaseURL, "MIGRATE_DATABASE_URL_FILE": databaseURLFile, "RUNTIME_ROLE": role,
            "CONFIG_FILE": config,
        ]
        do {
            let configuration = try MigrateConfiguration(
                service: App.name, flags: given.compactMapValues { $0 },
                environment: ProcessInfo.processInfo.environment)
            Observability.bootstrapLogging(
                service: App.name.rawValue, level: configuration.logLevel, format: configuration.logFormat)
            let logger = Logger(label: "migrate")
            let migrator = App.migrator(runtimeRole: configuration.runtimeRole)
            let applied = try await withPostgresClient(configuration.database, logger: logger) { client in
                try await client.withConnection { try await migrator.migrate($0) }
            }
            logger.info(
                "schema up to date",
                metadata: ["schema": "\(migrator.schema)", "applied": .array(applied.map { "\($0)" })])
        } catch let problem as ConfigurationProblem {
            try CommandFailure.end(App.name, "\(problem)", CommandFailure.badConfiguration)
        } catch {
            try CommandFailure.end(App.name, "migrate: \(error)", CommandFailure.failed)
        }
    }
}
