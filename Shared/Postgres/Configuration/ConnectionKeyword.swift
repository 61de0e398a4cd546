/// What this client does with libpq's keywords (PostgreSQL documentation, 34.1.2).
enum ConnectionKeyword {
    enum Support {
        case any
        /// It makes no difference here.
        case ignored
        /// Any other value is invalid, or would need what this client does not do.
        case only([String])
        case refused
    }

    /// Every keyword of libpq 18. What would connect less securely than asked, or to something else, is refused.
    static let all: [String: Support] = [
        "host": .any, "hostaddr": .any, "port": .any, "dbname": .any, "user": .any, "password": .any,
        "passfile": .any, "connect_timeout": .any, "options": .any, "application_name": .any,
        "fallback_application_name": .any, "keepalives": .any, "keepalives_idle": .any, "keepalives_interval": .any,
        "keepalives_count": .any, "tcp_user_timeout": .any, "require_auth": .any,
        // `auto` asks for the encoding of the locale: texts are UTF-8 here.
        "client_encoding": .only(["UTF8", "UTF-8", "utf8", "utf-8", "auto"]),
        "target_session_attrs": .only(["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]),
        "load_balance_hosts": .only(["disable", "random"]),
        "sslmode": .only(TLSMode.allCases.map(\.rawValue)),
        "sslrootcert": .any, "sslcert": .any, "sslkey": .any,
        "sslcertmode": .only(["disable", "allow"]),
        "sslnegotiation": .only(["postgres"]),
        "sslsni": .only(["1"]),
        // TLS 1.2 is the least here.
        "ssl_min_protocol_version": .only(["TLSv1", "TLSv1.1", "TLSv1.2"]),
        "ssl_max_protocol_version": .only(["TLSv1.3"]),
        // libpq has not compressed since version 14 either.
        "sslcompression": .ignored,
        "sslpassword": .refused, "sslcrl": .refused, "sslcrldir": .refused, "sslkeylogfile": .refused,
        "channel_binding": .only(["disable", "prefer"]),
        "min_protocol_version": .only(["3.0"]),
        "max_protocol_version": .only(["3.0", "3.2", "latest"]),
        "gssencmode": .only(["disable", "prefer"]),
        "gssdelegation": .only(["0"]),
        "krbsrvname": .refused, "gsslib": .refused, "requirepeer": .refused,
        "scram_client_key": .refused, "scram_server_key": .refused,
        "oauth_issuer": .refused, "oauth_client_id": .refused, "oauth_client_secret": .refused,
        "oauth_scope": .refused,
        "replication": .only(["false", "off", "no", "0"]),
        "service": .refused, "servicefile": .refused,
    ]

    /// The environment variables that libpq takes defaults from. Not those of the session (`PGTZ`, `PGDATESTYLE`,
    /// `PGGEQO`, `PGCLIENTENCODING`), which this client sets itself.
    static let variables: [(name: String, keyword: String)] = [
        ("PGHOST", "host"), ("PGHOSTADDR", "hostaddr"), ("PGPORT", "port"), ("PGDATABASE", "dbname"),
        ("PGUSER", "user"), ("PGPASSWORD", "password"), ("PGPASSFILE", "passfile"),
        ("PGCONNECT_TIMEOUT", "connect_timeout"), ("PGOPTIONS", "options"), ("PGAPPNAME", "application_name"),
        ("PGTARGETSESSIONATTRS", "target_session_attrs"), ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
        ("PGSSLMODE", "sslmode"), ("PGSSLROOTCERT", "sslrootcert"), ("PGSSLCERT", "sslcert"), ("PGSSLKEY", "sslkey"),
        ("PGSSLCERTMODE", "sslcertmode"), ("PGSSLNEGOTIATION", "sslnegotiation"), ("PGSSLSNI", "sslsni"),
        ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
        ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"), ("PGSSLCRL", "sslcrl"),
        ("PGSSLCRLDIR", "sslcrldir"), ("PGCHANNELBINDING", "channel_binding"), ("PGREQUIREAUTH", "require_auth"),
        ("PGREQUIREPEER", "requirepeer"), ("PGGSSENCMODE", "gssencmode"),
        ("PGMINPROTOCOLVERSION", "min_protocol_version"), ("PGMAXPROTOCOLVERSION", "max_protocol_version"),
        ("PGSERVICE", "service"),
    ]

    /// Refuses what is not supported.
    ///
    /// - Parameter name: what the error calls it, if not by its keyword.
    static func check(
        _ keyword: String, _ value: String, name: String? = nil
    ) throws(PostgresConfiguration.InvalidURL) {
        guard !value.isEmpty else { return }
        switch all[keyword] {
        case .any, .ignored: return
        case .only(let values) where values.contains(value): return
        case .only: throw PostgresConfiguration.InvalidURL(.wrongValue(of: name ?? keyword))
        case .refused, nil: throw PostgresConfiguration.InvalidURL(.unsupported(name ?? keyword))
        }
    }
}
