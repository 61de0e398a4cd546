import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@Suite("The chosen server") struct ServerChoiceTests {
    private func url(_ hosts: [String], _ parameters: String = "") -> String {
        "postgres://postgres@\(hosts.joined(separator: ","))/postgres\(parameters)"
    }

    private func withClient(
        _ url: String, adjust: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (PostgresClient) async throws -> Void
    ) async throws {
        var configuration = try PostgresConfiguration(url: url)
        configuration.applicationName = "test"
        adjust(&configuration)
        try await withPostgresClient(configuration, logger: Logger(label: "test"), body)
    }

    private func write(_ client: PostgresClient) async throws {
        try await client.execute("create table if not exists thing (n int)")
    }

    @Test("is the one that accepts writes, at any place in the list of hosts, and the new one after a failover")
    func failover() async throws {
        try await TestCluster.private { primary in
            try await primary.withStandby { standby in
                let hosts = [standby, primary].map { "\($0.host):\($0.port)" }
                try await withClient(url(hosts)) { client in
                    try await write(client)
                    #expect(try await client.query("select pg_is_in_recovery() as is")[0]["is", as: Bool.self] == false)
                    #expect(try await client.serverRole() == .primary)
                    try primary.stop(.immediate)
                    try standby.promote()
                    try await eventually("the new one takes writes") { (try? await write(client)) != nil }
                    #expect(try await client.serverRole() == .primary)
                }
            }
        }
    }

    @Test("is none while there is only a standby; that is used once it is promoted")
    func standbyOnly() async throws {
        try await TestCluster.private { primary in
            try await primary.withStandby { standby in
                let host = "\(standby.host):\(standby.port)"
                try await withClient(url([host])) { client in
                    let error = await #expect(throws: PostgresError.self) { try await write(client) }
                    #expect(error?.isUnavailable == true)
                    await #expect(throws: PostgresError.self) { try await client.serverRole() }
                    // A caller that asks for any server gets it, and is told what it is.
                    try await withClient(url([host], "?target_session_attrs=any")) { careless in
                        #expect(try await careless.query("select 1").count == 1)
                        let refused = await #expect(throws: PostgresError.self) { try await write(careless) }
                        #expect(refused?.sqlState == SQLState.readOnlyTransaction)
                        #expect(try await careless.serverRole() == .standby)
                        try standby.promote()
                        try await eventually("both write") {
                            let outcomes = [try? await write(client), try? await write(careless)]
                            return outcomes.allSatisfy { $0 != nil }
                        }
                        try await eventually("it says so") { try await careless.serverRole() == .primary }
                        #expect(try await client.serverRole() == .primary)
                    }
                }
            }
        }
    }

    @Test("became read-only: the client reports it, and its connections are discarded")
    func readOnly() async throws {
        try await TestCluster.private { cluster in
            let host = "\(cluster.host):\(cluster.port)"
            try await withClient(url([host], "?target_session_attrs=any")) { client in
                try await write(client)
                #expect(try await client.serverRole() == .primary)
                let pid: SQL = "select pg_backend_pid() as pid"
                let before = try await client.transaction { try await $0.first(pid)?["pid", as: Int.self] }
                let administration = try cluster.administration()
                try await administration.withConnection { connection in
                    try await connection.execute("set default_transaction_read_only = off")
                    try await connection.execute(
                        script: Array("alter system set default_transaction_read_only = on".utf8))
                    try await connection.execute("select pg_reload_conf()")
                }
                try await eventually("it is refused") {
                    do {
                        try await client.execute("create table if not exists other (n int)")
                        return false
                    } catch let error as PostgresError where error.sqlState == SQLState.readOnlyTransaction {
                        return true
                    }
                }
                try await eventually("it says so") { try await client.serverRole() == .readOnly }
                let after = try await client.transaction { try await $0.first(pid)?["pid", as: Int.self] }
                #expect(before != after)
            }
        }
    }

    @Test("follows a silent host in the list: each has its own timeout, and a second attempt need not wait for it")
    func silentHost() async throws {
        let cluster = try TestCluster.shared()
        let silent = try FaultyNetwork(to: cluster.port) { _ in .lost }
        defer { silent.stop() }
        let hosts = ["127.0.0.1:\(silent.port)", "127.0.0.1:\(cluster.port)"]
        // Through the limit of the first host alone, and through the second attempt alone.
        for (limit, delay) in [
            (Duration.milliseconds(300), Duration.seconds(3_600)), (.seconds(3_600), .milliseconds(100)),
        ] {
            try await withClient(
                url(hosts),
                adjust: {
                    $0.connectTimeout = limit
                    $0.companionDelay = delay
                    $0.acquireTimeout = .seconds(30)
                }
            ) { client in
                try await eventually("it works") { (try? await client.query("select 1")) != nil }
                // Whichever event loop they reach, of which only one may have a connection.
                for _ in 0..<10 { try await client.query("select 1") }
                let count = try await client.transaction { try await $0.query("select 1").count }
                #expect(count == 1)
            }
        }
        // The negative control: alone, it never responds.
        try await withClient(url([hosts[0]]), adjust: { $0.connectTimeout = .milliseconds(200) }) { client in
            await #expect(throws: PostgresError.self) { try await client.query("select 1") }
        }
        #expect(silent.count > 2)
    }

    @Test("hangs after it was chosen: reads and writes go to the next host")
    func frozen() async throws {
        let next = try TestCluster.shared()
        try await TestCluster.private { first in
            let hosts = [first, next].map { "127.0.0.1:\($0.port)" }
            try await withClient(
                url(hosts),
                adjust: {
                    $0.statementTimeout = .milliseconds(300)
                    $0.connectTimeout = .milliseconds(300)
                }
            ) { client in
                func port() async throws -> Int {
                    try await client.query("select inet_server_port() as port")[0]["port"]
                }
                try await eventually("it works") { (try? await port()) == first.port }
                _ = try await client.transaction { try await $0.query("select 1").count }
                try first.freeze()
                try await eventually("the next one answers") { (try? await port()) == next.port }
                try await eventually("for transactions as well") {
                    (try? await client.transaction { try await $0.query("select 1").count }) == 1
                }
                #expect(try await client.serverRole() == .primary)
                try first.thaw()
            }
        }
    }

    @Test("is found by a name resolved earlier, while the name service is down")
    func names() async throws {
        let cluster = try TestCluster.shared()
        let asked = Mutex(0)
        try await withClient(
            "postgres://postgres@database.test:\(cluster.port)/postgres",
            adjust: {
                $0.acquireTimeout = .seconds(30)
                $0.resolve = { host in
                    let number = asked.withLock { asked in
                        asked += 1
                        return asked
                    }
                    return number == 1 && host == "database.test" ? ["127.0.0.1"] : []
                }
            }
        ) { client in
            try await eventually("it works") { (try? await client.query("select 1")) != nil }
            for _ in 0..<3 {
                _ = try await cluster.administration().query(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where application_name = 'test' and datname = 'postgres' and pid <> pg_backend_pid()
                    """)
                try await eventually("it works again") {
                    (try? await client.transaction { try await $0.query("select 1").count }) == 1
                }
            }
        }
        try await withClient(
            "postgres://postgres@database.test:\(cluster.port)/postgres", adjust: { $0.resolve = { _ in [] } }
        ) { client in
            let error = await #expect(throws: PostgresError.self) { try await client.query("select 1") }
            #expect(error?.isUnavailable == true)
        }
    }
}
