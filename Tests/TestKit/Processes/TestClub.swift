package import AsyncHTTPClient
package import ClubProtocol
import Foundation
import Postgres
package import ServiceKit

/// A whole club on free ports: a database with one role per service, keys, and the real executables.
package final class TestClub: Sendable {
    package let database: TestDatabase
    package let folder: String
    package let services: [ServiceName: ServiceProcess]
    private let replicas: [ServiceProcess]
    private let operatorKey: KeyFile
    private let environment: [String: String]

    private init(
        database: TestDatabase, folder: String, services: [ServiceName: ServiceProcess], replicas: [ServiceProcess],
        operatorKey: KeyFile, environment: [String: String]
    ) {
        self.database = database
        self.folder = folder
        self.services = services
        self.replicas = replicas
        self.operatorKey = operatorKey
        self.environment = environment
    }

    /// Sets up a club, runs `body`, and tears everything down again.
    ///
    /// - Parameters:
    ///   - names: the services to start.
    ///   - replicas: services with a second process on the same schema.
    ///   - cluster: a server of the test's own that it can stop; by default the shared one.
    ///   - settings: additional environment for the services.
    package nonisolated(nonsending) static func run<Result>(
        _ names: [ServiceName] = ServiceName.allCases, replicas: [ServiceName] = [], on cluster: TestCluster? = nil,
        settings: [String: String] = [:], _ body: (TestClub) async throws -> Result
    ) async throws -> Result {
        let club = try await TestClub.make(names, replicas: replicas, on: cluster, settings: settings)
        do {
            for name in names { try await club[name].start() }
            for replica in club.replicas { try await replica.start() }
            let result = try await body(club)
            await club.remove()
            return result
        } catch {
            await club.remove()
            throw error
        }
    }

    private static func make(
        _ names: [ServiceName], replicas: [ServiceName], on cluster: TestCluster?, settings: [String: String]
    ) async throws -> TestClub {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("club-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let database = try await TestDatabase.create(on: cluster)
        try await TestRoles.create([TestRoles.migrator] + TestRoles.services, on: database.cluster)

        let operatorKey = try KeyFile.generate(kid: "operator")
        var trusted = [TrustFile.Key(operatorKey, speaksFor: [.people])]
        try operatorKey.write(to: "\(folder)/operator.json")
        for name in ServiceName.allCases {
            let key = try KeyFile.generate(kid: name.rawValue)
            try key.write(to: "\(folder)/\(name.rawValue).json")
            trusted.append(TrustFile.Key(key, speaksFor: [.service(name)]))
        }
        try TrustFile(keys: trusted).write(to: "\(folder)/trust.json")

        var ports: [ServiceName: (Int, Int)] = [:]
        var common = [
            "TRUST_FILE": "\(folder)/trust.json", "MAIL_URL": "maildir:\(folder)/mail",
            "SENDER_FILE": try SenderFile.write(in: folder), "DRAIN_SECONDS": "0",
        ]
        for name in ServiceName.allCases {
            ports[name] = (try FreePort.next(), try FreePort.next())
            common["\(name.rawValue.uppercased())_URL"] = "http://127.0.0.1:\(ports[name]?.0 ?? 0)"
            common["\(name.rawValue.uppercased())_OPERATOR_URL"] = "http://127.0.0.1:\(ports[name]?.1 ?? 0)"
        }
        common.merge(settings) { $1 }
        func process(_ name: ServiceName, _ ports: (Int, Int), _ log: String) -> ServiceProcess {
            var own = common
            own["DATABASE_URL"] = database.url(as: name.rawValue)
            own["SIGNING_KEY_FILE"] = "\(folder)/\(name.rawValue).json"
            return ServiceProcess(
                name, port: ports.0, operatorPort: ports.1, environment: own, log: "\(folder)/\(log).log")
        }
        var services: [ServiceName: ServiceProcess] = [:]
        for name in names {
            let migrated = try await Executable(name.rawValue).run(
                ["migrate"], environment: ["MIGRATE_DATABASE_URL": database.url(as: TestRoles.migrator)])
            guard migrated.status == 0 else {
                throw ServiceProcess.Failure(description: "\(name.rawValue) migrate: \(migrated.errors)")
            }
            services[name] = process(name, ports[name] ?? (0, 0), name.rawValue)
        }
        let others = try replicas.map { name in
            process(name, (try FreePort.next(), try FreePort.next()), "\(name.rawValue)-2")
        }
        common["OPERATOR_KEY_FILE"] = "\(folder)/operator.json"
        return TestClub(
            database: database, folder: folder, services: services, replicas: others, operatorKey: operatorKey,
            environment: common)
    }

    private func remove() async {
        for process in Array(services.values) + replicas { await process.destroy() }
        try? await database.drop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    package subscript(_ name: ServiceName) -> ServiceProcess {
        guard let process = services[name] else { preconditionFailure("\(name) is not part of this test") }
        return process
    }

    /// The second process of a service.
    package func replica(of name: ServiceName) -> ServiceProcess {
        guard let process = replicas.first(where: { $0.name == name }) else {
            preconditionFailure("\(name) has no replica in this test")
        }
        return process
    }

    /// Every process of a service.
    package func processes(of name: ServiceName) -> [ServiceProcess] {
        [self[name]] + replicas.filter { $0.name == name }
    }

    package func token(
        _ role: Role = .operator, organization: Organization.ID? = nil, person: Person.ID? = nil
    ) throws -> String {
        try TokenSigner.personToken(
            key: operatorKey, subject: "\(role.rawValue)@test", role: role, organization: organization, person: person,
            ttl: .seconds(3600))
    }

    /// A client for a service, for a person with this role.
    package func client(
        _ process: ServiceProcess, _ role: Role = .operator, http: HTTPClient = .shared
    ) throws -> ServiceClient {
        var policy = ServiceClient.Policy()
        policy.timeout = .seconds(60)
        policy.streamTimeout = .seconds(300)
        policy.maximumInFlight = 2000
        return ServiceClient(
            name: process.name, url: process.url, credentials: .bearer(try token(role)), http: http, policy: policy)
    }

    package func client(_ name: ServiceName, _ role: Role = .operator) throws -> ServiceClient {
        try client(self[name], role)
    }

    /// Runs `club` with the settings of this club.
    package func club(_ arguments: String...) async throws -> Executable.Result {
        try await Executable("club").run(arguments, environment: environment)
    }

    /// Runs `demo` with the settings of this club.
    package func demo() async throws -> Executable.Result {
        try await Executable("demo").run([], environment: environment)
    }
}
