import CLibpq
import Foundation

/// Where the database is and how much of it may be used.
package struct PostgresConfiguration: Sendable {
    /// The URL was none that libpq understands. It is not repeated: it may hold a password.
    package struct InvalidURL: Error, CustomStringConvertible {
        package var description: String { "not a libpq URL or key=value string" }
    }

    /// Connections that multiplex autocommit statements.
    package var sharedConnections = 2
    /// Connections for transactions, COPY and session-level use, at most; opened when they are first needed.
    package var leasedConnections = 8
    /// How long a caller waits for a leased connection.
    package var acquireTimeout: Duration = .seconds(2)
    /// The server's limit for one statement, on every connection. The client itself waits one second longer: then it takes
    /// the server for dead, fails the statement and connects anew.
    package var statementTimeout: Duration = .seconds(10)
    /// How long the server lets a transaction wait for its next statement before it ends the session: nothing of ours waits for
    /// the world in one.
    package var idleInTransactionTimeout: Duration = .seconds(30)
    package var connectTimeout: Duration = .seconds(2)
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
        applicationName = parameters["application_name"] ?? ProcessInfo.processInfo.processName
    }

    /// The keywords and values of one connection. What the URL says itself has precedence over our defaults.
    func connectionParameters() -> [(keyword: String, value: String)] {
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
        if let searchPath { option("search_path", searchPath) }
        if let role { option("role", role) }
        all["options"] = options.joined(separator: " ")
        return all.map { (keyword: $0.key, value: $0.value) }
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
