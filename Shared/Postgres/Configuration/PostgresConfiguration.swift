import FoundationEssentials
package import NIOCore
import NIOPosix

/// How to reach the database, and which limits apply.
package struct PostgresConfiguration: Sendable {
    /// The number of connections that multiplex read-only autocommit statements. By default one for each event loop,
    /// within what a PostgreSQL server accepts from some services in two copies (`max_connections`).
    package var sharedConnections = max(2, min(4, System.coreCount))
    /// The maximum number of connections for transactions, statements that write and session-level use. A
    /// connection whose caller has given up counts until the server has responded or closed it, so the server never
    /// has more.
    package var leasedConnections = 8
    /// How many of these are kept open; the others are opened on demand.
    package var leasedMinimum = 2
    /// How long a caller waits for a leased connection.
    package var acquireTimeout: Duration = .seconds(2)
    /// The server's time limit for a statement, on every connection. The client waits one second longer; then it
    /// considers the server dead, fails the statement and reconnects.
    package var statementTimeout: Duration = .seconds(10)
    /// How long a transaction may be idle between statements before the server ends the session. Our transactions
    /// never wait for anything external.
    package var idleInTransactionTimeout: Duration = .seconds(30)
    /// The time limit to connect to each host, and to resolve its name. A `connect_timeout` in the URL takes
    /// precedence, in whole seconds.
    package var connectTimeout: Duration = .seconds(2)
    /// A connection attempt slower than this gets a second one in parallel.
    package var companionDelay: Duration = .milliseconds(300)
    /// Resolves a host name to numeric addresses, possibly none. May block. By default the system's resolver.
    package var resolve: @Sendable (_ host: String) -> [String] = Resolver.system
    /// Shown in the server's `pg_stat_activity`.
    package var applicationName: String
    /// The schemas in which names are looked up.
    package var searchPath: String?
    /// The number of prepared statements kept on each connection.
    package var statementCacheSize = 256
    /// The event loops that the connections belong to: those that handle requests.
    package var eventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    /// The role set after connecting (`SET ROLE`); for tests.
    package var role: String?

    /// The password file is not read, because others than its owner can access it.
    package let ignoredPasswordFile: String?

    private let settings: ConnectionSettings
    /// The hosts to connect to, at least one.
    let hosts: [PostgresHost]
    /// Without what depends on the host and on the properties above.
    private let session: SessionParameters
    private let passwords: PasswordFile?

    /// Like libpq, takes from the environment (`PGHOST`, …) what the URL does not give, and the password from the
    /// password file if neither has one.
    ///
    /// - Parameter url: a libpq URL (`postgres://user:password@host:port/database?sslmode=…`) or `key=value` string.
    package init(url: String) throws(InvalidURL) {
        try self.init(url: url, .process)
    }

    init(url: String, _ surroundings: Surroundings) throws(InvalidURL) {
        settings = try ConnectionSettings(
            url: try ConnectionString.parse(url), environment: surroundings.environment)
        let directory = surroundings.socketDirectory
        let hosts = try PostgresHost.list(settings, directory: directory)
        // One order for all connections: the client stays with a host that works.
        self.hosts = settings["load_balance_hosts"] == "random" ? hosts.shuffled() : hosts
        session = try SessionParameters(settings, hosts: hosts, surroundings)
        (passwords, ignoredPasswordFile) = PasswordFile.find(settings, directory: directory, surroundings)
        if let seconds = try settings.integer("connect_timeout"), (1...3_600).contains(seconds) {
            connectTimeout = .seconds(seconds)
        }
        applicationName =
            settings["application_name"] ?? settings["fallback_application_name"]
            ?? ProcessInfo.processInfo.processName
    }

    /// How to open a session on one of the hosts. Values in the URL take precedence over our defaults, except for
    /// those of the session: the server applies `options` before the other start-up parameters.
    ///
    /// - Parameter readsOnly: whether the server refuses writes (25006), unless a transaction overrides it.
    func session(for host: PostgresHost, readsOnly: Bool) -> SessionParameters {
        var session = session
        if host.socketPath != nil { session.tls = .disable }
        session.password =
            session.password ?? passwords?.password(for: host, database: session.database, user: session.user)
        session.startup = startup(readsOnly: readsOnly)
        return session
    }

    /// As start-up parameters rather than `SET`, so that they are the session's defaults, to which `discard all`
    /// returns.
    private func startup(readsOnly: Bool) -> [(name: String, value: String)] {
        var startup = [
            (name: "application_name", value: applicationName),
            ("client_encoding", "UTF8"),
            ("TimeZone", "UTC"),
            ("DateStyle", "ISO"),
            ("IntervalStyle", "iso_8601"),
            ("statement_timeout", String(statementTimeout.wholeMilliseconds)),
            ("idle_in_transaction_session_timeout", String(idleInTransactionTimeout.wholeMilliseconds)),
            // JIT compilation of a statement with a high cost estimate takes 700 ms, and a service's statements take
            // little time.
            ("jit", "off"),
        ]
        if let searchPath { startup.append(("search_path", searchPath)) }
        if let role { startup.append(("role", role)) }
        if readsOnly { startup.append(("default_transaction_read_only", "on")) }
        if let options = settings["options"] { startup.append(("options", options)) }
        return startup
    }

    /// The acceptable servers in libpq's terms (`target_session_attrs`), preferred first: unless the URL says
    /// otherwise, the one that accepts writes. A standby would refuse them until it is promoted.
    ///
    /// - Parameter readsOnly: whether the session sets `default_transaction_read_only`. It would then not count as
    ///   `read-write`, so the primary is requested instead.
    func wantedServers(readsOnly: Bool) -> [WantedServer] {
        switch settings["target_session_attrs"] {
        case nil, "read-write": [readsOnly ? .primary : .readWrite]
        // libpq tries all hosts for a standby before it accepts another server; here each host is a separate attempt.
        case "prefer-standby": [.standby, .any]
        case let other?: [other].compactMap(WantedServer.init)
        }
    }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    }

    /// Nanoseconds, clamped to between 0 and some centuries.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 1_000_000_000 else { return 1_000_000_000_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
