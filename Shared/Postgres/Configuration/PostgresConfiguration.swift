import FoundationEssentials

/// How to reach the database, and which limits apply.
package struct PostgresConfiguration: Sendable {
    /// The number of connections that multiplex read-only autocommit statements.
    package var sharedConnections = 2
    /// The maximum number of connections for transactions, statements that write, COPY and session-level use. A
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
    package var resolve: @Sendable (_ host: String) -> [String] = AddressBook.system
    /// Shown in the server's `pg_stat_activity`.
    package var applicationName: String
    /// The schemas in which names are looked up.
    package var searchPath: String?
    /// The number of prepared statements kept on each connection.
    package var statementCacheSize = 256
    /// The role set after connecting (`SET ROLE`); for tests.
    package var role: String?

    /// The connection parameters by their libpq keywords.
    let parameters: [String: String]

    /// - Parameter url: a libpq URL (`postgres://user:password@host:port/database?sslmode=…`) or `key=value` string.
    package init(url: String) throws(InvalidURL) {
        parameters = try ConnectionString.parse(url)
        if let text = parameters["connect_timeout"], let seconds = Int(text), (1...3_600).contains(seconds) {
            connectTimeout = .seconds(seconds)
        }
        applicationName = parameters["application_name"] ?? ProcessInfo.processInfo.processName
    }

    /// The keywords and values of one connection. Values in the URL take precedence over our defaults.
    ///
    /// - Parameter readsOnly: whether the server refuses writes (25006), unless a transaction overrides it.
    func connectionParameters(readsOnly: Bool) -> [String: String] {
        var all = parameters
        func settle(_ keyword: String, _ value: String) {
            if all[keyword] == nil { all[keyword] = value }
        }
        // Detects within seconds, not hours, that a peer has vanished.
        settle("keepalives", "1")
        settle("keepalives_idle", "10")
        settle("keepalives_interval", "3")
        settle("keepalives_count", "3")
        settle("tcp_user_timeout", "10000")
        all["application_name"] = applicationName
        all["client_encoding"] = "UTF8"
        // As start-up options rather than `SET`, so that they are the session's defaults, to which `discard all`
        // returns.
        var options = all["options"].map { [$0] } ?? []
        func option(_ name: String, _ value: String) {
            options.append("-c \(name)=\(PostgresConfiguration.escape(value))")
        }
        option("TimeZone", "UTC")
        option("DateStyle", "ISO")
        option("IntervalStyle", "iso_8601")
        option("statement_timeout", String(statementTimeout.wholeMilliseconds))
        option("idle_in_transaction_session_timeout", String(idleInTransactionTimeout.wholeMilliseconds))
        // JIT compilation of a statement with a high cost estimate takes 700 ms, and a service's statements take
        // little time.
        option("jit", "off")
        if let searchPath { option("search_path", searchPath) }
        if let role { option("role", role) }
        if readsOnly { option("default_transaction_read_only", "on") }
        all["options"] = options.joined(separator: " ")
        return all
    }

    /// The acceptable servers in libpq's terms (`target_session_attrs`), preferred first: unless the URL says
    /// otherwise, the one that accepts writes. A standby would refuse them until it is promoted.
    ///
    /// - Parameter readsOnly: whether the session sets `default_transaction_read_only`. libpq would then not accept
    ///   it as `read-write`, so the primary is requested instead.
    func wantedServers(readsOnly: Bool) -> [String] {
        switch parameters["target_session_attrs"] {
        case nil, "read-write": [readsOnly ? "primary" : "read-write"]
        // libpq tries all hosts for a standby before it accepts another server; here each host is a separate attempt.
        case "prefer-standby": ["standby", "any"]
        case let other?: [other]
        }
    }

    /// The hosts to connect to: hosts and ports pair up, and a single port applies to all (PostgreSQL documentation,
    /// 34.1.1.3).
    func hosts() -> [PostgresHost] {
        let environment = ProcessInfo.processInfo.environment
        func list(_ keyword: String, _ variable: String) -> [String] {
            guard let text = parameters[keyword] ?? environment[variable], !text.isEmpty else { return [] }
            return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        // A service file may name hosts that are not known here.
        if parameters["service"] != nil && parameters["host"] == nil { return [PostgresHost()] }
        let (names, addresses, ports) = (list("host", "PGHOST"), list("hostaddr", "PGHOSTADDR"), list("port", "PGPORT"))
        func element(_ list: [String], _ index: Int) -> String? {
            guard list.indices.contains(index), !list[index].isEmpty else { return nil }
            return list[index]
        }
        return (0..<max(1, names.count, addresses.count)).map { index in
            PostgresHost(
                name: element(names, index), address: element(addresses, index),
                port: element(ports, ports.count == 1 ? 0 : index))
        }
    }

    /// In `options`, a space or a backslash is escaped with a backslash (PostgreSQL documentation, 34.1.2).
    private static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value {
            if character == " " || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}

/// One of the hosts of a URL; nil means libpq's default.
struct PostgresHost: Sendable, Hashable {
    var name: String?
    var address: String?
    var port: String?

    /// The name to resolve; nil for an address or the directory of a Unix socket.
    var nameToResolve: String? {
        guard address == nil, let name, !name.hasPrefix("/"), !name.hasPrefix("@") else { return nil }
        return AddressBook.isAddress(name) ? nil : name
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
