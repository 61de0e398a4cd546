package import ClubProtocol
import Foundation
import Postgres
package import ServiceKit

/// Several services of one test that know each other's addresses.
package struct TestServices: Sendable {
    package let services: [TestService]
    package let keys: TestKeys
    package let database: TestDatabase

    /// The first one with this name.
    package subscript(_ name: ServiceName) -> TestService {
        guard let service = services.first(where: { $0.name == name }) else {
            preconditionFailure("the test has not started \(name.rawValue)")
        }
        return service
    }

    /// All replicas with this name.
    package func all(_ name: ServiceName) -> [TestService] { services.filter { $0.name == name } }
}

/// Runs one service on a migrated database of its own while `body` runs.
///
/// - Parameters:
///   - peers: the addresses of its peers; by default nothing responds there.
///   - cluster: the shared one unless the test has its own.
///   - adjust: changes the configuration before the start.
@discardableResult package func withService<App: ServiceApplication, T>(
    _: App.Type, peers: [ServiceName: String] = [:], on cluster: TestCluster? = nil,
    adjust: (inout ServiceConfiguration) -> Void = { _ in }, _ body: (TestService) async throws -> T
) async throws -> T {
    try await withServices([App.self], peers: peers, on: cluster, adjust: adjust) { try await body($0.services[0]) }
}

/// Runs several services on one migrated database, with one schema each, while `body` runs. A service that is listed
/// twice has two replicas; the others call the first.
@discardableResult package func withServices<T>(
    _ applications: [any ServiceApplication.Type], peers: [ServiceName: String] = [:],
    on cluster: TestCluster? = nil, adjust: (inout ServiceConfiguration) -> Void = { _ in },
    _ body: (TestServices) async throws -> T
) async throws -> T {
    var migrators: [Migrator] = []
    for application in applications {
        let migrator = application.migrator(runtimeRole: application.name.rawValue)
        if !migrators.contains(where: { $0.schema == migrator.schema }) { migrators.append(migrator) }
    }
    return try await withDatabase(migratedBy: migrators, on: cluster) { database in
        let keys = try TestKeys()
        var services: [TestService] = []
        do {
            services = try await start(applications, peers: peers, keys: keys, database: database, adjust: adjust)
            for service in services { try await service.untilReady() }
            let value = try await body(TestServices(services: services, keys: keys, database: database))
            try await stop(services)
            return value
        } catch {
            try? await stop(services)
            throw error
        }
    }
}

/// Starts them on free ports. If another process takes one before we bind it, everything is tried again.
private func start(
    _ applications: [any ServiceApplication.Type], peers: [ServiceName: String], keys: TestKeys,
    database: TestDatabase, adjust: (inout ServiceConfiguration) -> Void
) async throws -> [TestService] {
    var attempt = 0
    while true {
        var services: [TestService] = []
        do {
            // A single service needs no address in advance, and binds any free port.
            let ports = applications.count == 1 ? [0] : try applications.map { _ in try FreePort.next() }
            var addresses = peers
            for (application, port) in zip(applications, ports) where addresses[application.name] == nil && port != 0 {
                addresses[application.name] = "http://127.0.0.1:\(port)"
            }
            for (application, port) in zip(applications, ports) {
                var configuration = try configuration(of: application, addresses, keys, database)
                configuration.port = port
                adjust(&configuration)
                services.append(
                    try await start(application, configuration: configuration, keys: keys, database: database))
            }
            return services
        } catch {
            try? await stop(services)
            attempt += 1
            let isTaken = (error as? ConfigurationProblem)?.reason.hasPrefix("cannot listen") ?? false
            guard isTaken, attempt < 3 else { throw error }
        }
    }
}

private func start<App: ServiceApplication>(
    _ application: App.Type, configuration: ServiceConfiguration, keys: TestKeys, database: TestDatabase
) async throws -> TestService {
    try await TestService.start(application, configuration: configuration, keys: keys, database: database)
}

private func stop(_ services: [TestService]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for service in services { group.addTask { try await service.stop() } }
        try await group.waitForAll()
    }
}

/// The configuration, read from environment variables as in a deployment.
private func configuration(
    of application: any ServiceApplication.Type, _ addresses: [ServiceName: String], _ keys: TestKeys,
    _ database: TestDatabase
) throws -> ServiceConfiguration {
    var environment = [
        "DATABASE_URL": database.url(as: application.name.rawValue), "PORT": "0", "OPERATOR_PORT": "0",
        "SIGNING_KEY_FILE": keys.signingKeyFile(of: application.name), "TRUST_FILE": keys.trustFile,
        "SENDER_FILE": keys.senderFile,
        "DRAIN_SECONDS": "0", "DATABASE_LEASED_CONNECTIONS": "6",
    ]
    for name in application.peers {
        // Port 9 is "discard": nothing responds there.
        environment["\(name.rawValue.uppercased())_URL"] = addresses[name] ?? "http://127.0.0.1:9"
    }
    var configuration = try ServiceConfiguration(
        service: application.name, calling: application.peers, environment: environment)
    // Most tests make up their callers; tests of the check itself, and all that run the executables, enable it.
    configuration.checksCallers = false
    return configuration
}
