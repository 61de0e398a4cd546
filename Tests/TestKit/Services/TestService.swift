import AsyncHTTPClient
package import ClubProtocol
import Foundation
package import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
package import ServiceKit

/// A service that runs in the test's own process.
package final class TestService: Sendable {
    package let name: ServiceName
    package let keys: TestKeys
    /// The database that all services of this test share, with one schema each.
    package let database: TestDatabase
    package let apiPort: Int
    package let operatorPort: Int
    package let backend: Backend
    package let health: Health
    /// The kinds of jobs that it handles, including those of its schedules.
    package let jobKinds: [String]
    private let running: Task<Void, any Error>
    private let stopping: @Sendable () async -> Void
    private let inProcess: @Sendable (HTTPRequest, [UInt8]) async -> (HTTPResponse, [UInt8])

    private static let http = ServiceClient.makeHTTP()

    /// Starts it, and waits until both ports are bound.
    package static func start<App: ServiceApplication>(
        _: App.Type, configuration: ServiceConfiguration, keys: TestKeys, database: TestDatabase
    ) async throws -> TestService {
        let instance = try ServiceInstance<App>(configuration: configuration, logger: logger(App.name))
        let running = Task { try await instance.run() }
        do {
            return TestService(
                instance, running, keys: keys, database: database, apiPort: try await instance.apiPort,
                operatorPort: try await instance.operatorPort)
        } catch {
            await instance.stop()
            _ = await running.result
            throw error
        }
    }

    private init<App: ServiceApplication>(
        _ instance: ServiceInstance<App>, _ running: Task<Void, any Error>, keys: TestKeys, database: TestDatabase,
        apiPort: Int, operatorPort: Int
    ) {
        name = App.name
        backend = instance.backend
        health = instance.health
        jobKinds = instance.jobKinds
        self.running = running
        self.keys = keys
        self.database = database
        self.apiPort = apiPort
        self.operatorPort = operatorPort
        stopping = { await instance.stop() }
        inProcess = { await instance.respond(to: $0, body: $1) }
    }

    /// Silent unless `TEST_LOG_LEVEL` sets a level.
    private static func logger(_ name: ServiceName) -> Logger {
        let variable = ProcessInfo.processInfo.environment["TEST_LOG_LEVEL"]
        guard let level = variable.flatMap({ Logger.Level(rawValue: $0) }) else {
            return Logger(label: name.rawValue) { _ in SwiftLogNoOpLogHandler() }
        }
        return Logger(label: name.rawValue) {
            LineLogHandler(label: $0, service: name.rawValue, level: level, format: .text)
        }
    }

    // MARK: Life cycle

    /// Begins the graceful shutdown, as a signal would.
    package func beginStop() async { await stopping() }

    /// Stops it gracefully, and waits for the end.
    package func stop() async throws {
        await stopping()
        try await running.value
    }

    /// Waits until it is ready.
    ///
    /// - Throws: ``NotReady`` after `limit`, with the last readiness response.
    package func untilReady(_ limit: Duration = .seconds(20)) async throws {
        let end = ContinuousClock.now.advanced(by: limit)
        var report = await health.ready()
        while !report.isServing {
            guard ContinuousClock.now < end else { throw NotReady(service: name, report: report) }
            try await Task.sleep(for: .milliseconds(20))
            report = await health.ready()
        }
    }

    package struct NotReady: Error {
        package let service: ServiceName
        package let report: HealthReport
    }

    // MARK: Requests

    /// A client with a token of this role.
    package func client(
        _ role: Role, subject: String = "test", organization: Organization.ID? = nil, person: Person.ID? = nil,
        policy: ServiceClient.Policy = ServiceClient.Policy()
    ) throws -> ServiceClient {
        let token = try token(role, subject: subject, organization: organization, person: person)
        return ServiceClient(
            name: name, url: "http://127.0.0.1:\(apiPort)", credentials: .bearer(token), http: Self.http,
            policy: policy)
    }

    /// A token with this role that this service accepts.
    package func token(
        _ role: Role, subject: String = "test", organization: Organization.ID? = nil, person: Person.ID? = nil
    ) throws -> String {
        try keys.token(role, subject: subject, organization: organization, person: person, for: name)
    }

    /// Any request, over a socket.
    ///
    /// - Parameters:
    ///   - path: including the query.
    ///   - role: adds a token with this role; nil sends none.
    ///   - body: sent as `application/json` unless `headers` say otherwise.
    ///   - port: by default the API's.
    package func raw(
        _ method: HTTPRequest.Method, _ path: String, role: Role? = nil, headers: [String: String] = [:],
        body: [UInt8]? = nil, port: Int? = nil
    ) async throws -> RawAnswer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port ?? apiPort)\(path)")
        request.method = .init(rawValue: method.rawValue)
        if let role { request.headers.add(name: "Authorization", value: "Bearer \(try token(role))") }
        if let body {
            request.body = .bytes(ByteBuffer(bytes: body))
            if !headers.keys.contains(where: { $0.lowercased() == "content-type" }) {
                request.headers.add(name: "Content-Type", value: "application/json")
            }
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await Self.http.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        var answered: [String: String] = [:]
        for (name, value) in response.headers {
            answered[name.lowercased(), default: ""] += answered[name.lowercased()] == nil ? value : ", \(value)"
        }
        return RawAnswer(status: Int(response.status.code), headers: answered, body: Array(bytes.readableBytesView))
    }

    /// The same with a string as the body.
    package func raw(
        _ method: HTTPRequest.Method, _ path: String, role: Role? = nil, headers: [String: String] = [:],
        json: String
    ) async throws -> RawAnswer {
        try await raw(method, path, role: role, headers: headers, body: Array(json.utf8))
    }

    /// A page of the operator port: `/health/ready`, `/metrics`.
    package func operatorPage(_ path: String) async throws -> RawAnswer {
        try await raw(.get, path, port: operatorPort)
    }

    /// A request through the whole stack except for the sockets.
    package func respond(to request: HTTPRequest, body: [UInt8] = []) async -> (HTTPResponse, [UInt8]) {
        await inProcess(request, body)
    }
}
