/// Whether and how a session is encrypted (PostgreSQL documentation, 34.19.1).
enum TLSMode: String, Sendable, CaseIterable {
    case disable, allow, prefer, require
    case verifyCA = "verify-ca"
    case verifyFull = "verify-full"
}

/// How the server may ask who the client is. The raw values are those of `require_auth`.
enum AuthenticationMethod: String, Sendable, CaseIterable {
    /// The server does not ask.
    case none
    case password, md5
    case scramSHA256 = "scram-sha-256"
}

/// How a vanished server is detected. 0 stands for the system's default.
struct KeepAlive: Sendable, Equatable {
    var isOn = true
    /// Seconds without traffic until the first probe.
    var idle = 10
    /// Seconds between probes.
    var interval = 3
    /// The number of probes without an answer after which the connection is lost.
    var count = 3
    /// The number of milliseconds that sent data may stay without an acknowledgement (`TCP_USER_TIMEOUT`).
    var userTimeout = 10_000
}

/// Where and as whom one session is opened: for one host of the URL.
struct SessionParameters: Sendable {
    var user: String
    var database: String
    /// Nil if there is none; from the URL, `PGPASSWORD` or the password file.
    var password: String?
    /// A Unix socket never uses TLS.
    var tls: TLSMode
    /// The path of the certificates that the server's is verified with, or `system` for the system's. If there are
    /// any, libpq verifies the chain in the modes `prefer` and `require` as well. Never nil for `verifyCA` and
    /// `verifyFull`.
    var rootCertificates: String?
    /// The path of the client's certificate, which is sent if the server asks for one.
    var clientCertificate: String?
    /// The path of the certificate's key; not nil if there is a certificate.
    var clientKey: String?
    /// The methods that the client accepts (`require_auth`); nil for any.
    var acceptedMethods: Set<AuthenticationMethod>?
    /// The run-time parameters of the start-up message, in order.
    var startup: [(name: String, value: String)] = []
    var keepAlive: KeepAlive
}

extension SessionParameters {
    typealias InvalidURL = PostgresConfiguration.InvalidURL

    /// What all hosts have in common: without password and start-up parameters.
    init(
        _ settings: ConnectionSettings, hosts: [PostgresHost], _ surroundings: Surroundings
    ) throws(InvalidURL) {
        guard let user = settings["user"] ?? surroundings.user else { throw InvalidURL(.missing("user")) }
        self.user = user
        database = settings["dbname"] ?? user
        password = settings["password"]
        acceptedMethods = try SessionParameters.acceptedMethods(settings)
        keepAlive = try KeepAlive(settings)
        let isSystem = settings["sslrootcert"] == "system"
        tls = settings["sslmode"].flatMap(TLSMode.init) ?? (isSystem ? .verifyFull : .prefer)
        // Anyone can get a certificate from one of the system's authorities, for a name of their own.
        guard !isSystem || tls == .verifyFull else { throw settings.wrongValue("sslmode") }
        if tls != .disable, hosts.contains(where: { $0.socketPath == nil }) {
            try setCertificates(settings, surroundings)
        }
    }

    private mutating func setCertificates(
        _ settings: ConnectionSettings, _ surroundings: Surroundings
    ) throws(InvalidURL) {
        func standard(_ name: String) -> String? {
            guard let path = surroundings.home.map({ "\($0)/.postgresql/\(name)" }) else { return nil }
            return surroundings.exists(path) ? path : nil
        }
        rootCertificates = settings["sslrootcert"] ?? standard("root.crt")
        if rootCertificates == nil, tls == .verifyCA || tls == .verifyFull {
            throw InvalidURL(.missing("sslrootcert"))
        }
        // libpq would refuse the certificates that it revokes.
        if rootCertificates != nil, standard("root.crl") != nil {
            throw InvalidURL(.unsupported("~/.postgresql/root.crl"))
        }
        guard settings["sslcertmode"] != "disable" else { return }
        clientCertificate = settings["sslcert"] ?? standard("postgresql.crt")
        guard clientCertificate != nil else { return }
        clientKey = settings["sslkey"] ?? standard("postgresql.key")
        // With a colon it names a key in a device.
        guard let clientKey else { throw InvalidURL(.missing("sslkey")) }
        if clientKey.utf8.contains(UInt8(ascii: ":")) { throw settings.wrongValue("sslkey") }
    }

    /// A list of methods, or of methods that are not accepted, each with an exclamation mark.
    private static func acceptedMethods(
        _ settings: ConnectionSettings
    ) throws(InvalidURL) -> Set<AuthenticationMethod>? {
        let list = settings.list("require_auth").map { $0.utf8 }
        guard let first = list.first else { return nil }
        let isNegated = first.first == UInt8(ascii: "!")
        var named: Set<String> = []
        for element in list {
            let name = String(Substring(isNegated ? element.dropFirst() : element[...]))
            let isKnown = AuthenticationMethod(rawValue: name) != nil || ["gss", "sspi", "oauth"].contains(name)
            guard isKnown, element.starts(with: "!".utf8) == isNegated, named.insert(name).inserted else {
                throw settings.wrongValue("require_auth")
            }
        }
        let accepted = AuthenticationMethod.allCases.filter { named.contains($0.rawValue) != isNegated }
        // Only methods that this client does not have, or none at all.
        guard !accepted.isEmpty else { throw settings.wrongValue("require_auth") }
        return Set(accepted)
    }
}

extension KeepAlive {
    init(_ settings: ConnectionSettings) throws(PostgresConfiguration.InvalidURL) {
        if let number = try settings.integer("keepalives") { isOn = number != 0 }
        if let seconds = try settings.integer("keepalives_idle") { idle = max(0, seconds) }
        if let seconds = try settings.integer("keepalives_interval") { interval = max(0, seconds) }
        if let number = try settings.integer("keepalives_count") { count = max(0, number) }
        if let milliseconds = try settings.integer("tcp_user_timeout") { userTimeout = max(0, milliseconds) }
    }
}
