import Testing

@testable import Postgres

@Suite("What a URL and its surroundings say") struct SessionParametersTests {
    typealias InvalidURL = PostgresConfiguration.InvalidURL

    /// Surroundings with these files, all private unless they are listed as exposed.
    private func surroundings(
        _ environment: [String: String] = [:], files: [String: String] = [:], exposed: Set<String> = [],
        user: String? = "me", home: String? = "/home/me"
    ) -> Surroundings {
        Surroundings(
            environment: environment, user: user, home: home,
            read: { path in
                files[path].map { Surroundings.File(bytes: Array($0.utf8), isPrivate: !exposed.contains(path)) }
            },
            exists: { files[$0] != nil })
    }

    private func session(_ url: String, _ surroundings: Surroundings) throws -> SessionParameters {
        let configuration = try PostgresConfiguration(url: url, surroundings)
        return configuration.session(for: try #require(configuration.hosts.first), readsOnly: false)
    }

    private func refusal(_ url: String, _ surroundings: Surroundings) -> InvalidURL.Reason? {
        #expect(throws: InvalidURL.self, "\(url)") { try PostgresConfiguration(url: url, surroundings) }?.reason
    }

    @Test("user, database and password have libpq's defaults")
    func login() throws {
        for (url, environment, user, database, password) in [
            ("", [:], "me", "me", nil),
            ("user=a", [:], "a", "a", nil),
            ("user='' dbname='' password=''", [:], "me", "me", nil),
            ("postgres://a:b@h/c", ["PGUSER": "x", "PGDATABASE": "y", "PGPASSWORD": "z"], "a", "c", "b"),
            ("", ["PGUSER": "x", "PGPASSWORD": "z"], "x", "x", "z"),
            ("user=a", ["PGUSER": "x", "PGDATABASE": "y"], "a", "y", nil),
            ("password=''", ["PGUSER": "", "PGPASSWORD": "z"], "me", "me", "z"),
        ] as [(String, [String: String], String, String, String?)] {
            let session = try session(url, surroundings(environment))
            #expect(session.user == user && session.database == database && session.password == password, "\(url)")
        }
        #expect(refusal("host=a", surroundings(user: nil)) == .missing("user"))
    }

    @Test("hosts, addresses and ports pair up")
    func hosts() throws {
        let debian = surroundings(files: ["/var/run/postgresql": ""])
        for (url, environment, hosts) in [
            ("", [:], [PostgresHost(name: "/tmp")]),
            ("port=1", [:], [PostgresHost(name: "/tmp", port: 1)]),
            ("host=a,b port=1", [:], [PostgresHost(name: "a", port: 1), PostgresHost(name: "b", port: 1)]),
            ("postgres://a:1,b", [:], [PostgresHost(name: "a", port: 1), PostgresHost(name: "b")]),
            ("host=,b", [:], [PostgresHost(name: "/tmp"), PostgresHost(name: "b")]),
            ("host=a hostaddr=::1", [:], [PostgresHost(name: "a", address: "::1")]),
            (
                "hostaddr=127.0.0.1,fe80::1%eth0", [:],
                [PostgresHost(address: "127.0.0.1"), PostgresHost(address: "fe80::1%eth0")]
            ),
            (
                "host=a,b hostaddr=127.0.0.1,", [:],
                [PostgresHost(name: "a", address: "127.0.0.1"), PostgresHost(name: "b")]
            ),
            ("", ["PGHOST": "a", "PGPORT": "1"], [PostgresHost(name: "a", port: 1)]),
            ("host=b", ["PGHOST": "a", "PGPORT": " 1 "], [PostgresHost(name: "b", port: 1)]),
            ("port=+65535", ["PGHOST": "", "PGHOSTADDR": "::1"], [PostgresHost(address: "::1", port: 65_535)]),
        ] as [(String, [String: String], [PostgresHost])] {
            #expect(try PostgresConfiguration(url: url, surroundings(environment)).hosts == hosts, "\(url)")
        }
        #expect(try PostgresConfiguration(url: "", debian).hosts == [PostgresHost(name: "/var/run/postgresql")])
        let random = try PostgresConfiguration(url: "host=a,b,c load_balance_hosts=random", surroundings())
        #expect(Set(random.hosts.map(\.name)) == ["a", "b", "c"] && random.hosts == random.hosts)
        for (url, environment, name) in [
            ("port=0", [:], "port"), ("port=65536", [:], "port"), ("port=a", [:], "port"), ("port='1 2'", [:], "port"),
            ("port=99999999999999999999", [:], "port"), ("port=' '", [:], "port"), ("port=１", [:], "port"),
            ("host=a port=1,2", [:], "port"), ("host=a,b,c port=1,2", [:], "port"),
            ("host=a", ["PGPORT": "1,2"], "PGPORT"), ("hostaddr=::1,::2 host=a", [:], "host"),
            ("hostaddr=localhost", [:], "hostaddr"), ("", ["PGHOSTADDR": "a"], "PGHOSTADDR"),
            ("host=/\(String(repeating: "a", count: 100))", [:], "host"),
        ] as [(String, [String: String], String)] {
            #expect(refusal(url, surroundings(environment)) == .wrongValue(of: name), "\(url)")
        }
    }

    @Test("a host is resolved, an address or a Unix socket")
    func kinds() {
        for (host, name, path) in [
            (PostgresHost(name: "a.example"), "a.example", nil),
            (PostgresHost(name: "a.example", address: "::1"), nil, nil),
            (PostgresHost(name: "127.0.0.1"), nil, nil),
            (PostgresHost(name: "::1"), nil, nil),
            (PostgresHost(address: "::1"), nil, nil),
            (PostgresHost(name: "/tmp"), nil, "/tmp/.s.PGSQL.5432"),
            (PostgresHost(name: "@club", port: 1), nil, "@club/.s.PGSQL.1"),
            (PostgresHost(name: "/\u{301}tmp"), nil, "/\u{301}tmp/.s.PGSQL.5432"),
            (PostgresHost(name: "/tmp", address: "::1"), nil, nil),
        ] as [(PostgresHost, String?, String?)] {
            #expect(host.nameToResolve == name && host.socketPath == path, "\(host)")
        }
    }

    @Test("TLS is as libpq's, and never less than what was asked")
    func tls() throws {
        let files = ["root.crt", "postgresql.crt", "postgresql.key"].reduce(into: [:]) {
            $0["/home/me/.postgresql/\($1)"] = ""
        }
        for (url, environment, mode, root, certificate, key) in [
            ("host=a", [:], .prefer, nil, nil, nil),
            ("host=a sslmode=disable", ["PGSSLMODE": "require"], .disable, nil, nil, nil),
            ("host=a", ["PGSSLMODE": "require"], .require, nil, nil, nil),
            ("host=a", ["PGREQUIRESSL": "1"], .require, nil, nil, nil),
            ("host=a", ["PGREQUIRESSL": "1", "PGSSLMODE": "allow"], .allow, nil, nil, nil),
            ("host=a sslrootcert=/r sslmode=verify-ca", [:], .verifyCA, "/r", nil, nil),
            ("host=a sslmode=verify-full", ["PGSSLROOTCERT": "/r"], .verifyFull, "/r", nil, nil),
            ("host=a sslrootcert=system", [:], .verifyFull, "system", nil, nil),
            ("host=a sslcert=/c sslkey=/k", [:], .prefer, nil, "/c", "/k"),
            ("host=a", ["PGSSLCERT": "/c", "PGSSLKEY": "/k"], .prefer, nil, "/c", "/k"),
            ("host=a sslcert=/c sslcertmode=disable", [:], .prefer, nil, nil, nil),
            ("host=a sslkey=/k", [:], .prefer, nil, nil, nil),
            ("host=/tmp sslmode=verify-full sslcert=/c", [:], .disable, nil, nil, nil),
        ] as [(String, [String: String], TLSMode, String?, String?, String?)] {
            let session = try session(url, surroundings(environment))
            #expect(session.tls == mode && session.rootCertificates == root, "\(url)")
            #expect(session.clientCertificate == certificate && session.clientKey == key, "\(url)")
        }
        let own = try session("host=a sslmode=verify-ca", surroundings(files: files))
        #expect(own.tls == .verifyCA && own.rootCertificates == "/home/me/.postgresql/root.crt")
        #expect(own.clientCertificate == "/home/me/.postgresql/postgresql.crt")
        #expect(own.clientKey == "/home/me/.postgresql/postgresql.key")
        let mixed = try PostgresConfiguration(url: "host=/tmp,a sslmode=require", surroundings())
        #expect(mixed.hosts.map { mixed.session(for: $0, readsOnly: true).tls } == [.disable, .require])
        for (url, environment, reason) in [
            ("host=a sslmode=verify-ca", [:], .missing("sslrootcert")),
            ("host=/tmp,a", ["PGSSLMODE": "verify-full"], .missing("sslrootcert")),
            ("host=a sslrootcert=system sslmode=require", [:], .wrongValue(of: "sslmode")),
            ("host=a sslrootcert=system", ["PGSSLMODE": "verify-ca"], .wrongValue(of: "PGSSLMODE")),
            ("host=a sslcert=/c", [:], .missing("sslkey")),
            ("host=a sslcert=/c sslkey=engine:1", [:], .wrongValue(of: "sslkey")),
            ("host=a", ["PGSSLCRL": "/crl"], .unsupported("PGSSLCRL")),
            ("host=a", ["PGSSLMINPROTOCOLVERSION": "TLSv1.3"], .wrongValue(of: "PGSSLMINPROTOCOLVERSION")),
            ("host=a", ["PGCHANNELBINDING": "require"], .wrongValue(of: "PGCHANNELBINDING")),
            ("host=a", ["PGSERVICE": "s"], .unsupported("PGSERVICE")),
            ("host=a", ["PGREQUIREPEER": "s"], .unsupported("PGREQUIREPEER")),
        ] as [(String, [String: String], InvalidURL.Reason)] {
            #expect(refusal(url, surroundings(environment)) == reason, "\(url)")
        }
        let revoking = surroundings(files: files.merging(["/home/me/.postgresql/root.crl": ""]) { $1 })
        #expect(refusal("host=a", revoking) == .unsupported("~/.postgresql/root.crl"))
        #expect(throws: Never.self) { try session("host=a sslmode=disable", revoking) }
    }

    @Test("only the listed methods of authentication are accepted")
    func methods() throws {
        for (value, methods) in [
            ("scram-sha-256", [.scramSHA256]), ("password,md5", [.password, .md5]),
            ("none,gss,scram-sha-256", [.none, .scramSHA256]), ("!password", [.none, .md5, .scramSHA256]),
            ("!none,!md5,!sspi", [.password, .scramSHA256]),
        ] as [(String, Set<AuthenticationMethod>)] {
            #expect(try session("require_auth=\(value)", surroundings()).acceptedMethods == methods, "\(value)")
            #expect(try session("", surroundings(["PGREQUIREAUTH": value])).acceptedMethods == methods, "\(value)")
        }
        #expect(try session("", surroundings()).acceptedMethods == nil)
        for value in [
            "scram", "SCRAM-SHA-256", "md5,", ",", "md5,md5", "md5,!password", "!md5,password", "!!md5", "!", "gss",
            "!none,!password,!md5,!scram-sha-256", "' md5'",
        ] {
            #expect(refusal("require_auth=\(value)", surroundings()) == .wrongValue(of: "require_auth"), "\(value)")
        }
    }

    @Test("the URL's keep-alive, time limit and name replace ours")
    func connection() throws {
        #expect(try session("", surroundings()).keepAlive == KeepAlive())
        let url = "keepalives=0 keepalives_idle=1 keepalives_interval=2 keepalives_count=-4 tcp_user_timeout=5"
        let keepAlive = try session(url, surroundings()).keepAlive
        #expect(keepAlive == KeepAlive(isOn: false, idle: 1, interval: 2, count: 0, userTimeout: 5))
        for (url, environment, limit) in [
            ("", [:], .seconds(2)), ("connect_timeout=7", ["PGCONNECT_TIMEOUT": "8"], .seconds(7)),
            ("", ["PGCONNECT_TIMEOUT": "8"], .seconds(8)), ("connect_timeout=0", [:], .seconds(2)),
        ] as [(String, [String: String], Duration)] {
            #expect(try PostgresConfiguration(url: url, surroundings(environment)).connectTimeout == limit)
        }
        for (url, environment, name) in [
            ("application_name=a fallback_application_name=b", ["PGAPPNAME": "c"], "a"),
            ("fallback_application_name=b", ["PGAPPNAME": "c"], "c"), ("fallback_application_name=b", [:], "b"),
        ] {
            #expect(try PostgresConfiguration(url: url, surroundings(environment)).applicationName == name)
        }
        for keyword in ["connect_timeout", "keepalives", "keepalives_idle", "tcp_user_timeout"] {
            #expect(refusal("\(keyword)=soon", surroundings()) == .wrongValue(of: keyword))
        }
    }

    @Test("a session starts with its parameters, and with the URL's options as they are")
    func startup() throws {
        var configuration = try PostgresConfiguration(
            url: "host=a options='-c geqo=off -c a.b=c\\\\ d'", surroundings(["PGOPTIONS": "-c jit=on"]))
        configuration.applicationName = "events"
        let common = [
            "application_name=events", "client_encoding=UTF8", "TimeZone=UTC", "DateStyle=ISO",
            "IntervalStyle=iso_8601", "statement_timeout=10000", "idle_in_transaction_session_timeout=30000",
            "jit=off",
        ]
        let options = "options=-c geqo=off -c a.b=c\\ d"
        func startup(_ configuration: PostgresConfiguration, readsOnly: Bool) -> [String] {
            configuration.session(for: configuration.hosts[0], readsOnly: readsOnly).startup.map {
                "\($0.name)=\($0.value)"
            }
        }
        #expect(startup(configuration, readsOnly: false) == common + [options])
        configuration.searchPath = "events, public"
        configuration.role = "events"
        #expect(
            startup(configuration, readsOnly: true) == common + [
                "search_path=events, public", "role=events", "default_transaction_read_only=on", options,
            ])
        let other = try PostgresConfiguration(url: "", surroundings(["PGOPTIONS": "-c jit=on"]))
        #expect(startup(other, readsOnly: false).last == "options=-c jit=on")
    }

    @Test("the wanted server is the one that accepts writes, unless the URL says otherwise")
    func wanted() throws {
        for (url, environment, writing, reading) in [
            ("", [:], ["read-write"], ["primary"]),
            ("target_session_attrs=read-write", [:], ["read-write"], ["primary"]),
            ("target_session_attrs=prefer-standby", [:], ["standby", "any"], ["standby", "any"]),
            ("", ["PGTARGETSESSIONATTRS": "any"], ["any"], ["any"]),
        ] as [(String, [String: String], [String], [String])] {
            let configuration = try PostgresConfiguration(url: url, surroundings(environment))
            #expect(configuration.wantedServers(readsOnly: false).map(\.rawValue) == writing)
            #expect(configuration.wantedServers(readsOnly: true).map(\.rawValue) == reading)
        }
    }
}
