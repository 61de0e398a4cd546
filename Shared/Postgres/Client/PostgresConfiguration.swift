import CLibpq
import FoundationEssentials

/// Where the database is and how much of it may be used.
package struct PostgresConfiguration: Sendable {
    /// The URL was none that libpq understands. It is not repeated: it may hold a password.
    package struct InvalidURL: Error, CustomStringConvertible {
        package var description: String { "not a libpq URL or key=value string" }
    }

    /// Connections that multiplex autocommit statements that read.
    package var sharedConnections = 2
    /// Connections for transactions, statements that write, COPY and session-level use, at most. One whose caller has given up
    /// counts until the server has answered or closed it, so the server never has more.
    package var leasedConnections = 8
    /// Of these, how many are open at all times; the others are opened when needed.
    package var leasedMinimum = 2
    /// How long a caller waits for a leased connection.
    package var acquireTimeout: Duration = .seconds(2)
    /// The server's limit for one statement, on every connection. The client itself waits one second longer: then it takes
    /// the server for dead, fails the statement and connects anew.
    package var statementTimeout: Duration = .seconds(10)
    /// How long the server lets a transaction wait for its next statement before it ends the session: nothing of ours waits for
    /// the world in one.
    package var idleInTransactionTimeout: Duration = .seconds(30)
    /// How long each host may take to let us in, and how long its name may take to be resolved. A `connect_timeout` of the URL has
    /// precedence, in whole seconds.
    package var connectTimeout: Duration = .seconds(2)
    /// A connection that takes longer to be made than this gets a second attempt beside it.
    package var companionDelay: Duration = .milliseconds(300)
    /// The addresses of a host by its name, as numbers; none if there are none. It may block. By default the system's resolver.
    package var resolve: @Sendable (_ host: String) -> [String] = AddressBook.system
    /// Shown by the server in `pg_stat_activity`.
    package var applicationName: String
    /// The schemas statements are looked up in.
    package var searchPath: String?
    /// Prepared statements kept on each connection.
    package var statementCacheSize = 256
    /// The role taken on connecting (`SET ROLE`); for tests.
    package var role: String?

    /// The connection parameters by their libpq keywords.
    let parameters: [String: String]

    /// - Parameter url: a libpq URL (`postgres://user:password@host:port/database?sslmode=…`) or `key=value` string.
    package init(url: String) throws {
        guard !url.utf8.contains(0), let options = unsafe PQconninfoParse(url, nil) else { throw InvalidURL() }
        defer { unsafe PQconninfoFree(options) }
        var parameters: [String: String] = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe parameters[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        self.parameters = parameters
        if let text = parameters["connect_timeout"], let seconds = Int(text), (1...3_600).contains(seconds) {
            connectTimeout = .seconds(seconds)
        }
        applicationName = parameters["application_name"] ?? ProcessInfo.processInfo.processName
    }

    /// The keywords and values of one connection. What the URL says itself has precedence over our defaults.
    ///
    /// - Parameter readsOnly: the server refuses whatever writes (25006), unless a transaction says otherwise.
    func connectionParameters(readsOnly: Bool) -> [String: String] {
        var all = parameters
        func settle(_ keyword: String, _ value: String) {
            if all[keyword] == nil { all[keyword] = value }
        }
        // A peer that vanished without a word is noticed in seconds, not in hours.
        settle("keepalives", "1")
        settle("keepalives_idle", "10")
        settle("keepalives_interval", "3")
        settle("keepalives_count", "3")
        settle("tcp_user_timeout", "10000")
        all["application_name"] = applicationName
        all["client_encoding"] = "UTF8"
        // As start-up options and not as `SET`: so they are the session's defaults, which `discard all` returns to.
        var options = all["options"].map { [$0] } ?? []
        func option(_ name: String, _ value: String) {
            options.append("-c \(name)=\(PostgresConfiguration.escape(value))")
        }
        option("TimeZone", "UTC")
        option("DateStyle", "ISO")
        option("IntervalStyle", "iso_8601")
        option("statement_timeout", String(statementTimeout.wholeMilliseconds))
        option("idle_in_transaction_session_timeout", String(idleInTransactionTimeout.wholeMilliseconds))
        // Compiling a statement takes the server 700 ms, where its estimate is high, and the statements of a service take few.
        option("jit", "off")
        if let searchPath { option("search_path", searchPath) }
        if let role { option("role", role) }
        if readsOnly { option("default_transaction_read_only", "on") }
        all["options"] = options.joined(separator: " ")
        return all
    }

    /// Which servers a connection may be to, in libpq's words (`target_session_attrs`), the preferred first: unless the URL says
    /// otherwise, the one that takes writes. A standby would refuse them for as long as it is one.
    ///
    /// - Parameter readsOnly: the session's own `default_transaction_read_only` would make libpq take the server for one without
    ///   writes, so it is asked for the primary instead.
    func wantedServers(readsOnly: Bool) -> [String] {
        switch parameters["target_session_attrs"] {
        case nil, "read-write": [readsOnly ? "primary" : "read-write"]
        // libpq looks at all hosts for a standby before it takes another server; here each host is an attempt of its own.
        case "prefer-standby": ["standby", "any"]
        case let other?: [other]
        }
    }

    /// Where to connect to: hosts and ports pair up, and one port is for all (PostgreSQL documentation, 34.1.1.3).
    func hosts() -> [PostgresHost] {
        let environment = ProcessInfo.processInfo.environment
        func list(_ keyword: String, _ variable: String) -> [String] {
            guard let text = parameters[keyword] ?? environment[variable], !text.isEmpty else { return [] }
            return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        // A service file knows hosts that we do not.
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

    /// Within `options` a blank or a backslash is escaped with a backslash (PostgreSQL documentation, 34.1.2).
    private static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value {
            if character == " " || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}

/// One of the hosts of a URL; what is nil is libpq's default.
struct PostgresHost: Sendable, Hashable {
    var name: String?
    var address: String?
    var port: String?

    /// The name that has to be resolved: none for an address, and for the folder of a Unix socket.
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

    /// Nanoseconds, not less than 0 and not more than some centuries.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 1_000_000_000 else { return 1_000_000_000_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
