package import ClubProtocol
import FoundationEssentials
package import Logging
package import Postgres

/// A service's whole configuration, checked.
package struct ServiceConfiguration: Sendable {
    /// Where the API listens. Port 0 picks a free one.
    package var host: String
    package var port: Int
    /// Where health and metrics are served; never to the public.
    var operatorHost: String
    package var operatorPort: Int
    /// The service's own database, with its runtime role.
    package var database: PostgresConfiguration
    /// Where the other services are.
    package var peers: [ServiceName: String]
    /// The service's private key.
    package var signingKeyFile: String
    /// The trust file: whose tokens each key may sign.
    package var trustFile: String
    /// How long a person's token is valid, whatever its `exp`.
    var tokenLifetime: Duration
    /// Whether each caller's record is checked. Not configurable from outside: tests turn it off, because their callers
    /// may be made up.
    package var checksCallers = true
    /// `maildir:PATH`, `smtp://…` or `smtps://…`, as parsed by the service that sends mail.
    package var mailURL: String?
    /// The same for letters, if they have a mail server of their own.
    package var letterMailURL: String?
    /// How the service presents itself to mail servers: a fully qualified domain name. Nil for its address.
    package var mailName: String?
    /// Changes to what mailbox providers are sent, as parsed by the service that sends mail.
    package var mailLimitsFile: String?
    /// The keys that mails are signed with, as parsed by the service that sends mail.
    package var dkimKeysFile: String?
    /// Where what comes back goes, as parsed by the service that sends mail. Nil for the sender of mails.
    package var mailReturn: String?
    /// The Maildir in which that arrives.
    package var mailInbox: String?
    /// The DNS servers to ask, separated by commas, instead of this machine's. Not configurable from outside: for tests.
    package var nameServers: String?
    /// Who sends the mails, as each of them says, as parsed by the service that sends mail.
    package var senderFile: String?
    /// Whom the service that sends mail writes to about what only people can decide.
    package var editorsEmail: EmailAddress?
    /// Where the public reaches this service: the prefix of links in mails.
    package var publicURL: String?
    /// What letters to members say about how to pay: the club's IBAN.
    package var paymentDetails: String?
    /// The lines under the club's name on calls and receipts: street, town, SIREN.
    package var issuerDetails: String?
    /// What calls and receipts say about value added tax (CGI, annexe II, article 242 nonies A).
    package var vatMention: String
    package var logLevel: Logger.Level
    var logFormat: LogFormat
    package var limits: HTTPLimits
    package var webhooks = WebhookSettings()
    /// How long readiness reports 503 before the API stops accepting: the time a load balancer needs to notice.
    var drain: Duration
    /// The longest a graceful shutdown may take, drain included.
    var shutdownLimit: Duration

    /// - Parameters:
    ///   - service: determines the default ports and the schema.
    ///   - calls: the services it calls, which must therefore have an address.
    ///   - flags: by the name of their environment variable.
    /// - Throws: the first error found.
    package init(
        service: ServiceName, calling calls: [ServiceName] = [], flags: [String: String] = [:],
        environment: [String: String]
    ) throws(ConfigurationProblem) {
        let layers = try ConfigurationLayers(flags: flags, environment: environment, known: Self.keys)
        host = try layers.text("HOST") ?? "127.0.0.1"
        port = try layers.integer("PORT", in: 0...65_535, default: service.standardPort)
        operatorHost = try layers.text("OPERATOR_HOST") ?? "127.0.0.1"
        operatorPort = try layers.integer("OPERATOR_PORT", in: 0...65_535, default: service.standardOperatorPort)
        if port != 0, port == operatorPort {
            throw ConfigurationProblem("OPERATOR_PORT", "must not be the port of the API")
        }
        let url = try layers.required("DATABASE_URL", "a libpq URL, postgres://…")
        do {
            database = try PostgresConfiguration(url: url)
        } catch {
            throw ConfigurationProblem("DATABASE_URL", "is \(error)")
        }
        database.applicationName = service.rawValue
        database.searchPath = service.rawValue
        database.sharedConnections = try layers.integer(
            "DATABASE_SHARED_CONNECTIONS", in: 1...64, default: database.sharedConnections)
        database.leasedConnections = try layers.integer("DATABASE_LEASED_CONNECTIONS", in: 4...256, default: 8)
        var addresses: [ServiceName: String] = [:]
        for name in ServiceName.allCases {
            let key = ConfigurationKey("\(name.rawValue)_URL")
            addresses[name] = try layers.webAddress(key)
            if calls.contains(name), addresses[name] == nil {
                throw ConfigurationProblem(key.variable, "is missing: \(service.rawValue) calls this service")
            }
        }
        peers = addresses
        guard let keyFile = try layers.path("SIGNING_KEY_FILE") else {
            throw ConfigurationProblem(
                "SIGNING_KEY_FILE", "is missing: the service's private key, made by `club keys init`")
        }
        signingKeyFile = keyFile
        guard let trustFile = try layers.path("TRUST_FILE") else {
            throw ConfigurationProblem("TRUST_FILE", "is missing: the public keys, made by `club keys init`")
        }
        self.trustFile = trustFile
        tokenLifetime = .seconds(
            3600 * (try layers.integer("MAX_TOKEN_LIFETIME_HOURS", in: 1...(24 * 366), default: 24)))
        mailURL = try layers.text("MAIL_URL")
        letterMailURL = try layers.text("LETTER_MAIL_URL")
        mailName = try layers.text("MAIL_NAME")
        if let mailName, DomainName.ascii(mailName.utf8)?.hasSameBytes(as: mailName) != true {
            throw ConfigurationProblem("MAIL_NAME", "must be a domain name, such as mail.example.org")
        }
        mailLimitsFile = try layers.path("MAIL_LIMITS_FILE")
        dkimKeysFile = try layers.path("DKIM_KEYS_FILE")
        mailReturn = try layers.text("MAIL_RETURN")
        mailInbox = try layers.path("MAIL_INBOX")
        senderFile = try layers.path("SENDER_FILE")
        editorsEmail = try Self.email(layers, "EDITORS_EMAIL")
        publicURL = try layers.webAddress("PUBLIC_URL")
        paymentDetails = try layers.text("PAYMENT_DETAILS")
        issuerDetails = try layers.text("ISSUER_DETAILS")
        vatMention = try layers.text("VAT_MENTION") ?? "TVA non applicable, article\u{A0}293\u{A0}B du CGI."
        logLevel = try layers.choice("LOG_LEVEL", default: .info)
        logFormat = try layers.choice("LOG_FORMAT", default: .json)
        limits = try Self.limits(layers)
        webhooks.allowsPrivate = try layers.flag("WEBHOOK_ALLOW_PRIVATE", default: false)
        drain = try layers.seconds("DRAIN_SECONDS", in: 0...10, default: 1)
        shutdownLimit = try layers.seconds("SHUTDOWN_SECONDS", in: 1...25, default: 20)
    }

    private static func email(
        _ layers: ConfigurationLayers, _ key: ConfigurationKey
    ) throws(ConfigurationProblem) -> EmailAddress? {
        guard let text = try layers.text(key) else { return nil }
        do {
            return try EmailAddress(validating: text)
        } catch {
            throw ConfigurationProblem(key.variable, error.reason)
        }
    }

    private static func limits(_ layers: ConfigurationLayers) throws(ConfigurationProblem) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.maxBodyBytes = try layers.integer(
            "MAX_BODY_BYTES", in: 1024...(256 << 20), default: limits.maxBodyBytes)
        limits.maxUploadBytes = try layers.integer(
            "MAX_UPLOAD_BYTES", in: 1024...(4 << 30), default: limits.maxUploadBytes)
        limits.inFlight = try layers.integer("MAX_IN_FLIGHT", in: 1...100_000, default: limits.inFlight)
        let anonymous = Double(
            try layers.integer(
                "ANONYMOUS_REQUESTS_PER_SECOND", in: 1...1_000_000, default: Int(limits.anonymousRate.perSecond)))
        limits.anonymousRate = RateLimit(perSecond: anonymous, burst: anonymous * 10)
        limits.connections = try layers.integer("MAX_CONNECTIONS", in: 1...1_000_000, default: limits.connections)
        limits.connectionsPerAddress = try layers.integer(
            "MAX_CONNECTIONS_PER_ADDRESS", in: 1...1_000_000, default: max(1, limits.connections / 4))
        limits.bufferedBytes = try layers.integer(
            "MAX_BUFFERED_BYTES", in: (64 << 10)...(64 << 30), default: limits.bufferedBytes)
        // The last quarter is reserved for short bodies.
        guard limits.maxBodyBytes <= limits.bufferedBytes / 4 * 3 else {
            throw ConfigurationProblem(
                "MAX_BODY_BYTES",
                "must be at most \(limits.bufferedBytes / 4 * 3), three quarters of MAX_BUFFERED_BYTES")
        }
        limits.waiting = try layers.integer("MAX_WAITING", in: 1...100_000, default: limits.waiting)
        limits.waitingPerCaller = try layers.integer(
            "MAX_WAITING_PER_CALLER", in: 1...100_000, default: limits.waitingPerCaller)
        limits.trustedProxies = try trustedProxies(layers)
        return limits
    }

    private static func trustedProxies(_ layers: ConfigurationLayers) throws(ConfigurationProblem) -> TrustedProxies {
        let key: ConfigurationKey = "TRUSTED_PROXIES"
        guard let text = try layers.text(key) else { return TrustedProxies() }
        var networks: [IPNetwork] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = String(part.trimmingBlanks)
            guard let network = IPNetwork(name) else {
                throw ConfigurationProblem(
                    key.variable,
                    "must be addresses or networks separated by commas, such as 10.0.0.0/8, 2001:db8::1")
            }
            networks.append(network)
        }
        return TrustedProxies(networks)
    }

    /// Everything that can be configured, by environment variable.
    static let keys: [ConfigurationKey] =
        [
            "HOST", "PORT", "OPERATOR_HOST", "OPERATOR_PORT", "DATABASE_URL", "DATABASE_SHARED_CONNECTIONS",
            "DATABASE_LEASED_CONNECTIONS", "SIGNING_KEY_FILE", "TRUST_FILE", "MAIL_URL", "LETTER_MAIL_URL",
            "MAIL_NAME", "MAIL_LIMITS_FILE", "DKIM_KEYS_FILE", "MAIL_RETURN", "MAIL_INBOX", "SENDER_FILE",
            "EDITORS_EMAIL", "PUBLIC_URL",
            "PAYMENT_DETAILS", "ISSUER_DETAILS", "VAT_MENTION",
            "LOG_LEVEL", "LOG_FORMAT", "DRAIN_SECONDS", "SHUTDOWN_SECONDS", "MAX_BODY_BYTES", "MAX_UPLOAD_BYTES",
            "MAX_IN_FLIGHT", "MAX_TOKEN_LIFETIME_HOURS",
            "MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS", "MAX_BUFFERED_BYTES", "MAX_WAITING",
            "MAX_WAITING_PER_CALLER", "TRUSTED_PROXIES", "ANONYMOUS_REQUESTS_PER_SECOND", "MIGRATE_DATABASE_URL",
            "RUNTIME_ROLE",
            "WEBHOOK_ALLOW_PRIVATE",
        ] + ServiceName.allCases.map { ConfigurationKey("\($0.rawValue)_URL") }
}

extension ServiceName {
    /// The default port of the API.
    package var standardPort: Int {
        switch self {
        case .directory: 7001
        case .events: 7002
        case .content: 7003
        case .lobbying: 7004
        }
    }

    /// The default operator port.
    package var standardOperatorPort: Int { standardPort + 100 }
}

/// The configuration of `migrate`.
struct MigrateConfiguration: Sendable {
    var database: PostgresConfiguration
    /// The role that the service runs as, which is granted the use of the schema.
    var runtimeRole: String
    var logLevel: Logger.Level
    var logFormat: LogFormat

    init(
        service: ServiceName, flags: [String: String] = [:], environment: [String: String]
    ) throws(ConfigurationProblem) {
        let layers = try ConfigurationLayers(
            flags: flags, environment: environment, known: ServiceConfiguration.keys)
        let url = try layers.required("MIGRATE_DATABASE_URL", "a libpq URL of the role that owns the schemas")
        do {
            database = try PostgresConfiguration(url: url)
        } catch {
            throw ConfigurationProblem("MIGRATE_DATABASE_URL", "is \(error)")
        }
        database.applicationName = "\(service.rawValue) migrate"
        database.sharedConnections = 1
        // The database server may still be starting at the same time.
        database.acquireTimeout = .seconds(10)
        // A migration may rewrite a table.
        database.statementTimeout = .seconds(3600)
        runtimeRole = try layers.text("RUNTIME_ROLE") ?? service.rawValue
        logLevel = try layers.choice("LOG_LEVEL", default: .info)
        logFormat = try layers.choice("LOG_FORMAT", default: .json)
    }
}
