import ClubProtocol
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import Postgres
import ServiceLifecycle
import TestKit

@testable import ServiceKit

/// The ticket service on a database of its own: in process, and on a port if a test asks for one.
struct TicketFixture: Sendable {
    let responder: Responder
    let desk: TicketDesk
    let keys: TestKeys
    let database: PostgresClient

    static let migrators = [
        Migrator(schema: "events", migrations: ServiceMigrations.all + [TicketDesk.migration], runtimeRole: "events")
    ]
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(database: PostgresClient, limits: HTTPLimits, logger: Logger = quiet) throws {
        keys = try TestKeys()
        desk = TicketDesk()
        self.database = database
        let routes = desk.routes(on: database)
        try routes.validate(against: TicketDesk.endpoints)
        responder = try Responder(
            routes: routes, database: database,
            verifier: TokenVerifier(trustFile: keys.trustFile, audience: .events),
            links: SignedLinks(key: KeyFile(path: keys.signingKeyFile(of: .events))), limits: limits,
            openAPI: Array(#"{"openapi":"3.1.0"}"#.utf8), jwks: Array(#"{"keys":[]}"#.utf8), logger: logger)
    }

    /// Sends one request in process; without a token if `role` is nil.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, by role: Role? = .operator,
        type: String? = "application/json", _ fields: [String: String] = [:]
    ) async throws -> RawAnswer {
        try await send(method, path, bytes: body.map { Array($0.utf8) } ?? [], by: role, type: type, fields)
    }

    /// - Parameters:
    ///   - organization: the organization in the token.
    ///   - address: the address that the request comes from.
    func send(
        _ method: HTTPRequest.Method, _ path: String, bytes: [UInt8], by role: Role? = .operator,
        organization: Organization.ID? = nil, from address: String = "127.0.0.1",
        type: String? = "application/json", _ fields: [String: String] = [:]
    ) async throws -> RawAnswer {
        var head = HTTPRequest(method: method, scheme: "http", authority: "test", path: path)
        if let role {
            let token = try keys.token(role, organization: organization, for: .events)
            head.headerFields[.authorization] = "Bearer \(token)"
        }
        if !bytes.isEmpty {
            head.headerFields[.contentType] = type
            head.headerFields[.contentLength] = String(bytes.count)
        }
        for (name, value) in fields { head.headerFields[HTTPField.Name(name)!] = value }
        let (answer, body) = await responder.respond(to: head, body: bytes, address: address)
        let headers = answer.headerFields.map { ($0.name.canonicalName, $0.value) }
        return RawAnswer(
            status: answer.status.code, headers: Dictionary(headers, uniquingKeysWith: { "\($0), \($1)" }), body: body)
    }

    func send(_ method: HTTPRequest.Method, _ path: String, _ fields: [String: String]) async throws -> RawAnswer {
        try await send(method, path, bytes: [], fields)
    }

    func makeTicket(_ title: String) async throws -> Ticket {
        try await send(.post, "/v1/tickets", #"{"title": "\#(title)"}"#).decode(Ticket.self)
    }

    func count() async throws -> Int {
        try await database.query("select count(*) as n from ticket").first!["n", as: Int.self]
    }

    /// Runs the listener while `body` runs.
    func listening(
        on host: String = "127.0.0.1", _ loops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        _ body: (Int) async throws -> Void
    ) async throws {
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let server = APIServer(
            responder: responder, host: host, port: 0, eventLoopGroup: loops, logger: Self.quiet
        ) { bound.yield($0) }
        let group = ServiceGroup(services: [server], logger: Self.quiet)
        let running = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { return }
        do {
            try await body(port)
        } catch {
            running.cancel()
            _ = await running.result
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }
}

/// Runs a ticket service while `body` runs.
func withTickets(
    on cluster: TestCluster? = nil, limits adjust: (inout HTTPLimits) -> Void = { _ in },
    _ body: (TicketFixture) async throws -> Void
) async throws {
    var limits = HTTPLimits()
    adjust(&limits)
    try await withDatabase(migratedBy: TicketFixture.migrators, on: cluster) { database in
        try await database.withClient(as: "events") { client in
            try await body(TicketFixture(database: client, limits: limits))
        }
    }
}
