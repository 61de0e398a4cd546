import ClubProtocol
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

/// ServiceKit's tables in a schema of their own, and a client with the service's role.
struct ServiceDatabase: Sendable {
    static let schema = "events"
    static let migrator = Migrator(schema: schema, migrations: ServiceMigrations.all, runtimeRole: schema)

    let database: TestDatabase
    let client: PostgresClient
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    var queue: JobQueue { JobQueue(database: client) }

    /// Runs `body` as the owner of the tables, to prepare or tamper with data.
    @discardableResult func owner<T: Sendable>(_ body: (PostgresClient) async throws -> T) async throws -> T {
        try await database.withClient(as: "migrator", searchPath: Self.schema, body)
    }

    /// The jobs that are no longer retried.
    func dead() async throws -> [DeadJob] {
        try await client.query(
            """
            select id, kind, attempt as attempts, created_at as "createdAt", died_at as "diedAt", last_error as reason
            from job where state = 'dead' order by id
            """
        ).decode(DeadJob.self)
    }

    func revive(_ id: Int64) async throws {
        try await client.transaction { try await DeadJobStore.revive(id, in: $0) }
    }

    func count(_ sql: SQL) async throws -> Int {
        try await client.first(sql)?["count"] ?? 0
    }
}

@discardableResult func withServiceDatabase<T: Sendable>(
    adjust: (inout PostgresConfiguration) -> Void = { _ in }, _ body: (ServiceDatabase) async throws -> T
) async throws -> T {
    try await withDatabase(migratedBy: [ServiceDatabase.migrator]) { database in
        try await database.withClient(as: ServiceDatabase.schema, adjust: adjust) { client in
            try await body(ServiceDatabase(database: database, client: client))
        }
    }
}

/// Runs a service while `body` runs.
@discardableResult func running<T: Sendable>(
    _ run: @escaping @Sendable () async throws -> Void, _ body: () async throws -> T
) async throws -> T {
    let task = Task { try await run() }
    do {
        let value = try await body()
        task.cancel()
        _ = await task.result
        return value
    } catch {
        task.cancel()
        _ = await task.result
        throw error
    }
}

/// What the handlers have seen.
final class Seen<Value: Sendable>: Sendable {
    private let list = Mutex<[Value]>([])

    func add(_ value: Value) { list.withLock { $0.append(value) } }
    var values: [Value] { list.withLock { $0 } }
    var count: Int { list.withLock { $0.count } }
}

/// Opens once; tasks that arrive before wait.
actor Door {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func pass() async {
        if isOpen { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}

struct TestFailure: Error {}
