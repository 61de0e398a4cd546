import Foundation
import Logging
package import Postgres
import Synchronization

/// A PostgreSQL server for tests, removed with the process.
///
/// Tests share one (``shared()``), started when it is first needed. `TEST_CLUSTER_URL`, the URL of a superuser, names a
/// server to use instead. Tests that stop or starve a server use one of their own (``private()``).
/// use instead. Tests that stop or starve a server take one of their own (``private()``).
package final class TestCluster: Sendable {
    package enum StopMode: String, Sendable {
        case fast, immediate
    }

    package struct NotOurs: Error, CustomStringConvertible {
        package var description: String { "the server of TEST_CLUSTER_URL is not ours to stop" }
    }

    package let host: String
    package let port: Int
    package let superuser: String
    private let password: String?
    /// Nil for a server that we did not start.
    let directory: String?
    /// The server runs while this is open: a process that holds the other end stops the server when we end, however we
    /// do.
    private let lifeline: FileHandle?
    private let logging: Bool
    let databases = DatabaseTemplates()
    private let administrator = Mutex<PostgresClient?>(nil)
    private let count = Atomic<Int>(0)

    // MARK: - Choosing a server

    private static let common: Result<TestCluster, any Error> = Result {
        if let url = ProcessInfo.processInfo.environment["TEST_CLUSTER_URL"], !url.isEmpty {
            return try TestCluster(url: url)
        }
        return try TestCluster()
    }

    /// The server all tests of this process share.
    package static func shared() throws -> TestCluster {
        try common.get()
    }

    /// A private server, stopped and removed after `body`.
    ///
    /// - Parameter logging: whether the server logs with its default settings.
    package nonisolated(nonsending) static func `private`<T>(
        logging: Bool = false, _ body: (TestCluster) async throws -> T
    ) async throws -> T {
        let cluster = try TestCluster(logging: logging)
        do {
            let value = try await body(cluster)
            await cluster.remove()
            return value
        } catch {
            await cluster.remove()
            throw error
        }
    }

    /// A standby of this server, stopped and removed after `body`. It is reached by its own ``url(database:role:)``.
    package nonisolated(nonsending) func withStandby<T>(_ body: (TestCluster) async throws -> T) async throws -> T {
        let standby = try TestCluster(following: self)
        do {
            let value = try await body(standby)
            await standby.remove()
            return value
        } catch {
            await standby.remove()
            throw error
        }
    }

    /// Uses an existing server.
    private init(url: String) throws {
        guard let parts = URLComponents(string: url), let user = parts.user else {
            throw Command.Failure(program: "TEST_CLUSTER_URL", status: 1, output: "not a URL with a user")
        }
        host = parts.host.flatMap { $0.isEmpty ? nil : $0 } ?? "127.0.0.1"
        port = parts.port ?? 5432
        superuser = user
        password = parts.password
        directory = nil
        lifeline = nil
        logging = true
    }

    /// Creates a server and starts it: an empty one, or a standby of another.
    private init(logging: Bool = false, following primary: TestCluster? = nil) throws {
        let base =
            "/tmp/club-postgres-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        if let user = Command.unprivilegedUser, let entry = getpwnam(user) {
            chown(base, entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
        chmod(base, 0o700)
        directory = base
        host = "127.0.0.1"
        port = try FreePort.next()
        superuser = "postgres"
        password = nil
        self.logging = logging
        lifeline = try TestCluster.watch(base)
        if let primary {
            try Command.run(
                Command.postgres("pg_basebackup"),
                [
                    "-D", "\(base)/data", "-h", primary.host, "-p", "\(primary.port)", "-U", primary.superuser, "-R",
                    "--checkpoint=fast", "--no-sync",
                ])
        } else {
            try Command.run(
                Command.postgres("initdb"),
                [
                    "-D", "\(base)/data", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8",
                    "--locale=C", "--no-instructions",
                ])
        }
        try start()
    }

    /// Starts a process that waits for the end of ours, then stops the server immediately and removes its files.
    private static func watch(_ directory: String) throws -> FileHandle {
        let pipe = Pipe()
        let script = """
            trap '' INT TERM HUP
            read -r _
            if [ -f "$0/data/postmaster.pid" ]; then
                server=$(head -n 1 "$0/data/postmaster.pid")
                kill -CONT "$server" 2>/dev/null
                kill -QUIT "$server" 2>/dev/null
                tries=0
                while kill -0 "$server" 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
            fi
            rm -rf "$0"
            """
        let end = pipe.fileHandleForWriting
        // No other process may keep it open.
        _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        _ = try Command.spawn(
            ["/bin/sh", "-c", script, directory], input: pipe.fileHandleForReading.fileDescriptor, output: nil)
        try pipe.fileHandleForReading.close()
        return end
    }

    // MARK: - Faults

    package func start() throws {
        guard let directory else { throw NotOurs() }
        let options = [
            "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=\(directory)", "fsync=off",
            "max_connections=300", "shared_buffers=64MB", "random_page_cost=1.1", "max_wal_size=2GB",
            "log_min_messages=\(logging ? "warning" : "fatal")",
        ].map { "-c \($0)" }.joined(separator: " ")
        try Command.run(
            Command.postgres("pg_ctl"),
            ["-D", "\(directory)/data", "-w", "-t", "60", "-l", "\(directory)/log", "-o", options, "start"])
    }

    package func stop(_ mode: StopMode) throws {
        guard let directory else { throw NotOurs() }
        try Command.run(
            Command.postgres("pg_ctl"), ["-D", "\(directory)/data", "-w", "-t", "60", "-m", mode.rawValue, "stop"])
    }

    /// Promotes a standby to primary.
    package func promote() throws {
        guard let directory else { throw NotOurs() }
        try Command.run(Command.postgres("pg_ctl"), ["-D", "\(directory)/data", "-w", "-t", "60", "promote"])
    }

    /// Commits wait for a missing synchronous standby while `body` runs; then those waiting continue.
    ///
    /// - Parameter database: where one commit waits from the beginning, to show that they all do.
    package nonisolated(nonsending) func withoutSynchronousStandby<T>(
        in database: TestDatabase, _ body: () async throws -> T
    ) async throws -> T {
        try await database.withClient { try await $0.execute("create table if not exists sign_of_waiting (n int)") }
        try await administer("alter system set synchronous_standby_names = 'gone'")
        try await administer("select pg_reload_conf()")
        // Commits before the server has reloaded its configuration do not wait.
        var configuration = try database.configuration()
        configuration.applicationName = "sign of waiting"
        let client = PostgresClient(configuration: configuration, logger: Logger(label: "test"))
        let sign = Task {
            while !Task.isCancelled { _ = try? await client.execute("insert into sign_of_waiting values (1)") }
        }
        let result: Result<T, any Error>
        do {
            try await eventually("a commit waits") { try await commitsWaiting() > 0 }
            sign.cancel()
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        sign.cancel()
        try await administer("alter system reset synchronous_standby_names")
        try await administer("select pg_reload_conf()")
        try await eventually("no commit waits") { try await commitsWaiting() == 0 }
        await client.shutdown()
        return try result.get()
    }

    /// How many sessions wait for a standby to confirm their commit.
    package func commitsWaiting() async throws -> Int {
        try await administration().query("select from pg_stat_activity where wait_event = 'SyncRep'").count
    }

    /// Freezes every process of the server: connections stay open and nothing responds.
    package func freeze() throws {
        for process in try processes() { suspend(process) }
    }

    package func thaw() throws {
        for process in try processes() { kill(process, SIGCONT) }
    }

    /// The postmaster first, so that it starts no others meanwhile.
    private func processes() throws -> [pid_t] {
        guard let directory else { throw NotOurs() }
        let file = try String(contentsOfFile: "\(directory)/data/postmaster.pid", encoding: .utf8)
        guard let postmaster = file.split(separator: "\n").first.flatMap({ pid_t($0) }) else { return [] }
        let children = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
            .filter { child in
                guard let status = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8),
                    let name = status.lastIndex(of: ")")
                else { return false }
                return status[name...].split(separator: " ").dropFirst(2).first.flatMap { pid_t($0) } == postmaster
            }
        return [postmaster] + children
    }

    /// Cuts all other connections to a database.
    package func terminateAllConnections(_ database: String) async throws {
        _ = try await administration().query(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = \(database) and pid <> pg_backend_pid()
            """)
    }

    private func remove() async {
        let client = administrator.withLock { client in
            defer { client = nil }
            return client
        }
        await client?.shutdown()
        try? thaw()
        try? stop(.immediate)
        try? lifeline?.close()
    }

    // MARK: - Access

    /// The server's log so far.
    package func log() throws -> String {
        guard let directory else { throw NotOurs() }
        return try String(contentsOfFile: "\(directory)/log", encoding: .utf8)
    }

    /// The URL of a database, for the superuser or another role.
    package func url(database: String, role: String? = nil) -> String {
        let secret = role == nil ? password : TestRoles.password
        let user = (role ?? superuser) + (secret.map { ":\($0)" } ?? "")
        return "postgres://\(user)@\(host):\(port)/\(database)"
    }

    /// A client for the superuser, on the database `postgres`.
    package func administration() throws -> PostgresClient {
        try administrator.withLock { client in
            if let client { return client }
            var configuration = try PostgresConfiguration(url: url(database: "postgres"))
            configuration.sharedConnections = 1
            configuration.leasedConnections = 4
            configuration.acquireTimeout = .seconds(60)
            configuration.statementTimeout = .seconds(60)
            let new = PostgresClient(configuration: configuration, logger: Logger(label: "test cluster"))
            client = new
            return new
        }
    }

    /// Runs administrative statements one by one, as `create database` requires.
    func administer(_ script: String) async throws {
        try await administration().withConnection { connection in
            try await connection.execute(script: [UInt8](script.utf8))
        }
    }

    /// A name that no other database of this server has.
    func uniqueName(_ prefix: String) -> String {
        let number = count.add(1, ordering: .relaxed).newValue
        return "\(prefix)_\(ProcessInfo.processInfo.processIdentifier)_\(number)"
    }
}
