import AsyncHTTPClient
import ClubProtocol
package import HTTPTypes
package import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// A service, built but not yet running. The executable runs it, the tests use it in their own process.
///
/// ```
///   start: operator port ─ database ─ background (when the schema is ready) ─ API
///   stop:  ready: 503 ─ drain ─ API: stops accepting, finishes requests ─ background ─ database ─ operator port
/// ```
package final class ServiceInstance<App: ServiceApplication>: Service {
    package let configuration: ServiceConfiguration
    package let backend: Backend
    package let health: Health
    /// The kinds of jobs that it handles, including those of its schedules.
    package let jobKinds: [String]
    private let responder: Responder
    private let feed: ChangeFeed?
    private let group: ServiceGroup
    private let http: HTTPClient
    private let ports: Ports
    private let hasRun = Atomic<Bool>(false)

    /// Where it listens.
    struct Ports: Sendable {
        let api = OneShot<Int>()
        let `operator` = OneShot<Int>()
    }

    /// Opens no connection and no port.
    ///
    /// - Throws: ``IdentityFileError``, ``RoutesError``, or an error of the service's own assembly.
    package init(configuration: ServiceConfiguration, logger: Logger? = nil) throws {
        Observability.bootstrap()
        let logger = logger ?? Logger(label: App.name.rawValue)
        let key = try KeyFile(path: configuration.signingKeyFile)
        let signer = TokenSigner(key: key, name: App.name)
        let verifier = try TokenVerifier(
            trustFile: configuration.trustFile, audience: App.name, longestLife: configuration.tokenLifetime)
        let openAPI = try OpenAPI.document(
            service: App.name, title: App.title, version: "1", endpoints: App.endpoints)
        let http = ServiceClient.makeHTTP()
        do {
            let peers = Peers(addresses: configuration.peers, credentials: .service(signer), http: http)
            let database = PostgresClient(configuration: configuration.database, logger: logger)
            let backend = Backend(
                name: App.name, database: database, jobs: JobQueue(database: database),
                peers: peers, links: SignedLinks(key: key), logger: logger, configuration: configuration)
            var builder = ServiceBuilder(backend: backend)
            try App.assemble(backend, into: &builder)
            if App.endpoints.contains(where: { $0 == ShowService.self }) {
                try ServicePage(
                    title: App.title, endpoints: App.endpoints, operatorPort: configuration.operatorPort
                ).mount(on: &builder)
            }
            if App.endpoints.contains(where: { $0 == VerifyAudit.self }) {
                AuditRoutes(backend: backend).mount(on: &builder)
            }
            if App.endpoints.contains(where: { $0 == ListDeadJobs.self }) {
                DeadJobRoutes(backend: backend).mount(on: &builder)
            }
            let feed = Self.mountFeed(into: &builder, backend)
            if App.endpoints.contains(where: { $0 == CreateWebhook.self }) {
                Webhooks(backend, key: key).mount(on: &builder)
            }
            try builder.routes.validate(against: App.endpoints)
            var callers = builder.callers
            if callers == nil, App.peers.contains(.directory) { callers = .asking(try peers[.directory]) }
            let responder = try Responder(
                routes: builder.routes, database: database, verifier: verifier,
                callers: configuration.checksCallers ? callers : nil, links: backend.links,
                limits: configuration.limits, openAPI: openAPI, jwks: try signer.jwks, logger: logger)
            let health = Health(
                service: App.name, database: database, migrator: App.migrator(runtimeRole: nil), logger: logger,
                warnings: { [watches = builder.watches] in
                    watches.reduce(into: verifier.warnings) { all, watch in all.merge(watch.warnings) { $0 + $1 } }
                }
            ) { [calls = App.peers] in
                peers.states().filter { calls.contains($0.key) }
            }
            let ports = Ports()
            self.configuration = configuration
            self.backend = backend
            self.health = health
            jobKinds = builder.jobs.map(\.kind) + (builder.schedules + Housekeeping.schedules(database)).map(\.job.kind)
            self.responder = responder
            self.feed = feed
            self.http = http
            self.ports = ports
            let background = BackgroundServices(
                services: try Self.background(builder, feed, backend), health: health, logger: logger)
            group = Self.makeGroup(
                backend: backend, responder: responder, feed: feed, health: health, background: background,
                watch: TrustFileWatch(verifier: verifier), ports: ports)
        } catch {
            http.shutdown { _ in }
            throw error
        }
        Observability.metrics.gauge("identity_trust_file_unusable") { verifier.trouble == nil ? nil : 1 }
        Observability.metrics.gauge("service_ready") { [health] in health.wasReady ? 1 : 0 }
        Observability.metrics.gauge("http_server_active_requests") { [responder] in Double(responder.inFlight) }
        Observability.metrics.gauge("http_server_waiting_requests") { [responder] in Double(responder.inWaiting) }
        Observability.metrics.gauge("http_server_buffered_bytes") { [responder] in Double(responder.buffered) }
    }

    deinit {
        if !hasRun.load(ordering: .relaxed) { http.shutdown { _ in } }
    }

    // MARK: Parts

    private static func mountFeed(into builder: inout ServiceBuilder, _ backend: Backend) -> ChangeFeed? {
        guard App.endpoints.contains(where: { $0 == ReadChanges.self }) else { return nil }
        let feed = ChangeFeed(
            database: backend.database, schema: App.name.rawValue, snapshots: builder.snapshots, logger: backend.logger)
        builder.routes.read(ReadChanges.self) { call in
            .json(try await feed.json(call.query, for: call.request))
        }
        return feed
    }

    private static func background(
        _ builder: ServiceBuilder, _ feed: ChangeFeed?, _ backend: Backend
    ) throws -> [any Service] {
        let runner = try JobRunner(
            database: backend.database, schema: App.name.rawValue, jobs: builder.jobs,
            schedules: builder.schedules + Housekeeping.schedules(backend.database), logger: backend.logger)
        let sealer = AuditSealer(trail: AuditTrail(database: backend.database), logger: backend.logger)
        var services: [any Service] = [runner, sealer]
        if let feed { services.append(feed) }
        if !App.peers.isEmpty {
            services.append(PeerProbe(peers: backend.peers, names: App.peers, interval: .seconds(5)))
        }
        return services + builder.background
    }

    /// Started together; stopped one after the other, from the last to the first.
    private static func makeGroup(
        backend: Backend, responder: Responder, feed: ChangeFeed?, health: Health, background: BackgroundServices,
        watch: TrustFileWatch, ports: Ports
    ) -> ServiceGroup {
        let configuration = backend.configuration
        let logger = backend.logger
        let operators = OperatorListener(
            host: configuration.operatorHost, port: configuration.operatorPort, health: health,
            metrics: Observability.metrics, logger: logger
        ) { port in
            await ports.operator.settle(.success(port))
        }
        let api = APIServer(
            responder: responder, host: configuration.host, port: configuration.port, logger: logger
        ) { port in
            health.beginListening()
            await ports.api.settle(.success(port))
            logger.notice("listening", metadata: ["port": .stringConvertible(port)])
        }
        let draining = Draining(duration: configuration.drain) {
            logger.notice("shutting down")
            health.beginDraining()
            responder.drain()
            feed?.drain()
        }
        let services: [any Service] = [
            BindErrors(
                variable: "OPERATOR_PORT", host: configuration.operatorHost, port: configuration.operatorPort,
                listener: operators),
            watch, backend.database, background,
            BindErrors(variable: "PORT", host: configuration.host, port: configuration.port, listener: api),
            draining,
        ]
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, serviceName: "\(type(of: $0))") }, logger: logger)
        group.maximumGracefulShutdownDuration = configuration.shutdownLimit
        return ServiceGroup(configuration: group)
    }

    // MARK: Running

    /// Runs until ``stop()``, until the surrounding service group shuts down, or until something in it fails.
    package func run() async throws {
        hasRun.store(true, ordering: .relaxed)
        do {
            try await group.run()
        } catch {
            await clean(after: error)
            throw error
        }
        await clean(after: CancellationError())
        backend.logger.notice("stopped")
    }

    /// Fails the ports that were never bound, for callers that await them.
    private func clean(after end: any Error) async {
        try? await http.shutdown()
        await ports.api.settle(.failure(end))
        await ports.operator.settle(.failure(end))
    }

    /// Begins the graceful shutdown; ``run()`` returns when it is done.
    package func stop() async {
        await group.triggerGracefulShutdown()
    }

    /// The port of the API, once it listens.
    package var apiPort: Int { get async throws { try await ports.api.value } }

    /// The port of health and metrics, once it listens.
    package var operatorPort: Int { get async throws { try await ports.operator.value } }

    /// Handles a request in process: the whole stack except sockets.
    package func respond(
        to request: HTTPRequest, body: [UInt8] = [], address: String = "127.0.0.1"
    ) async -> (HTTPResponse, [UInt8]) {
        await responder.respond(to: request, body: body, address: address)
    }
}
