import ClubProtocol
import Foundation
package import Postgres
package import ServiceKit
import Testing

/// The actual query plans of every job and schedule of a service, on tables of realistic size.
///
/// Each kind of job that the service handles is run, and each of its schedules. The test fails if a payload is not
/// given here, and if a table is neither filled nor known to stay small.
package struct JobPlans: Sendable {
    /// Fills the service's own tables, as the superuser with its schema as `search_path`; ServiceKit's are filled here.
    package var fill: String
    /// Tables that do not grow with the club, and why.
    package var small: [String: String]
    /// Statements that scan a table, and why; each identified by words that occur in no other.
    package var through: [String: String]
    /// The payloads of jobs by kind, as expressions of type jsonb.
    package var payloads: [String: SQL]
    /// Kinds of jobs that schedules enqueue, and that are waited for.
    package var followed: [String] = []
    /// The minimum number of rows in a table.
    package static let rows = 12_000

    package init(fill: String, small: [String: String], through: [String: String], payloads: [String: SQL]) {
        self.fill = fill
        self.small = small
        self.through = through
        self.payloads = payloads
    }

    private static let smallOfKit = [
        "schema_migration": "one for each migration", "schedule": "one for each",
        "feed_cursor": "one for each feed",
        "feed_compaction": "one row", "audit_head": "one row", "audit_base": "one row",
        "retention_rule": "a handful, by the code",
        "webhook": "32 at the most", "webhook_secret": "two for each webhook",
    ]

    private static let throughOfKit = [
        "count(*) filter (where state = 'queued') as queued":
            "counts what stands in the queue, every fifteen seconds: what is done is not in it"
    ]

    /// Runs a service, and all of its background work. Its peers do not respond: what it does with their responses is
    /// not checked.
    ///
    /// - Parameter adjust: changes the configuration before the start.
    package func check<App: ServiceApplication>(
        _: App.Type, adjust: (inout ServiceConfiguration) -> Void = { _ in }
    ) async throws {
        let schema = App.name.rawValue
        try await TestCluster.private { cluster in
            try await cluster.explain(schema, nested: false)
            try await withService(App.self, on: cluster, adjust: adjust) { service in
                try await service.database.withClient(searchPath: "\(schema), public") { client in
                    // Each in a session of its own.
                    for script in [Self.kit, fill, "analyze"] {
                        try await client.withConnection { try await $0.execute(script: Array(script.utf8)) }
                    }
                }
                let tables = try await grown(service, schema)
                let before = try await written(on: cluster, service, schema).count
                try await work(service, schema)
                let plans = try await written(on: cluster, service, schema).dropFirst(before)
                let allowed = Self.throughOfKit.merging(through) { $1 }
                var faults: Set<String> = []
                for plan in plans {
                    let statement = plan.statement.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                    guard !allowed.keys.contains(where: { statement.contains($0) }) else { continue }
                    for walk in plan.walks(through: tables) { faults.insert("\(walk): \(statement)") }
                }
                for fault in faults.sorted() { Testing.Issue.record("\(fault)") }
                // The check can find something.
                let read = Set(plans.flatMap { $0.root.all.compactMap(\.table) })
                #expect(read.isSuperset(of: ["change", "idempotency", "webhook_delivery", "job"]))
            }
        }
    }

    /// Runs each kind of job once, and waits for its end: done, or given up without a peer.
    private func work(_ service: TestService, _ schema: String) async throws {
        try await service.database.withClient(searchPath: schema) { client in
            for kind in service.jobKinds {
                let isScheduled = kind.hasPrefix("schedule.")
                guard let payload = isScheduled ? "'{}'::jsonb" : payloads[kind] else {
                    Testing.Issue.record("no payload is known for jobs of kind \(kind)")
                    continue
                }
                let row = try await client.first(
                    """
                    with added as (
                        insert into job (kind, payload, unique_key, maximum_attempts)
                        values (\(kind), \(payload), \(isScheduled ? String(kind.dropFirst("schedule.".count)) : nil), 1)
                        on conflict do nothing returning id
                    ), told as (select pg_notify(\(schema + "_job"), \(kind)) from added)
                    select (select id from added) as id, (select count(*) from told) as told
                    """)
                guard let id: Int64 = try row?.optional("id") else { continue }
                for _ in 1...2400 {
                    let open = try await client.first("select from job where id = \(id) and state <> 'dead'")
                    if open == nil { break }
                    try await Task.sleep(for: .milliseconds(25))
                }
            }
            for _ in 1...2400 {
                let open = try await client.first(
                    "select from job where kind = any(\(followed)) and state <> 'dead' and due_at <= now() + interval '1 minute'"
                )
                if open == nil { break }
                try await Task.sleep(for: .milliseconds(25))
            }
        }
    }

    /// The tables that grow, with their numbers of rows.
    private func grown(_ service: TestService, _ schema: String) async throws -> [String: Int] {
        let rows = try await service.database.withClient { client in
            try await client.query(
                """
                select relname::text as name, reltuples::bigint as count from pg_class
                where relnamespace = \(schema)::regnamespace and relkind = 'r'
                """)
        }
        var tables: [String: Int] = [:]
        for row in rows {
            let name: String = try row["name"]
            guard Self.smallOfKit[name] == nil, small[name] == nil else { continue }
            tables[name] = try row["count"]
            #expect(tables[name, default: 0] >= 5000, "\(name) is not filled")
        }
        return tables
    }

    /// The plans so far. A final statement of our own is in the log once all before it are.
    private func written(
        on cluster: TestCluster, _ service: TestService, _ schema: String
    ) async throws -> [QueryPlan] {
        let marker = "written \(UInt64.random(in: 0...UInt64.max))"
        try await service.database.withClient(as: schema) { client in
            try await client.withConnection { connection in
                try await connection.execute(script: Array("select '\(marker)' from schedule limit 1".utf8))
            }
        }
        for _ in 1...200 {
            // Searched, and not decoded, until it appears.
            if try cluster.log().contains(marker) {
                let plans = try cluster.plans()
                if plans.contains(where: { $0.statement.contains(marker) }) { return plans }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        Testing.Issue.record("the log does not say how statements were run")
        return []
    }

    /// Fills ServiceKit's tables: some rows old enough to be deleted, most not.
    private static let kit = """
        set session_replication_role = replica;
        set statement_timeout = '120s';
        create function pg_temp.key(kind text, number bigint) returns uuid language sql immutable
            return md5(kind || number)::uuid;
        insert into change (entity, subject, action, version, at)
        select 'note', (i % 11000)::text, 'changed', 1, now() - (60 - i / 400) * interval '1 day'
        from generate_series(0, \(rows) * 2 - 1) as i;
        alter table audit disable trigger audit_insert;
        alter table audit_head disable trigger audit_head_guard;
        insert into audit (actor, role, action, entity, subject, seq, previous, hash)
        select 'test', 'operator', 'changed', 'note', i::text, i, sha256(i::text::bytea), sha256(i::text::bytea)
        from generate_series(1, \(rows)) as i;
        update audit_head set seq = \(rows), hash = sha256('\(rows)');
        alter table audit enable always trigger audit_insert;
        alter table audit_head enable always trigger audit_head_guard;
        insert into audit_key (entity, subject, pads)
        select 'note', i::text, sha256('a') || sha256('b') || sha256('c') || sha256('d') from generate_series(1, \(rows)) as i;
        insert into idempotency (subject, operation, key, request_hash, status, headers, body, created_at)
        select 'test', 'makeNote', i::text, '', 200, '{}', '', now() - i * interval '6 seconds'
        from generate_series(1, \(rows) + 3000) as i;
        insert into job (kind, payload, state, died_at, maximum_attempts)
        select 'note.' || i % 5, '{}', 'dead', now() - i * interval '1 minute', 1 from generate_series(1, 100) as i;
        insert into job (kind, payload, due_at, maximum_attempts)
        select 'note.' || i % 5, '{}', now() + interval '1 year', 1 from generate_series(1, \(rows)) as i;
        insert into webhook (id, place, url, payload, resume_at)
        select pg_temp.key('webhook', i), i, 'https://127.0.0.1:9/', 'thin', now() + interval '1 hour'
        from generate_series(1, 3) as i;
        insert into webhook_secret (webhook, sealed) select id, '' from webhook;
        insert into webhook_delivery (
            webhook, change_xid, change_id, entity, subject, action, state, total_attempts, attempt, created_at, finished_at, due_at)
        select pg_temp.key('webhook', 1 + i % 4), '1', i, 'note', i::text, 'changed', state, 1, 1,
            now() - (i / 300) * interval '1 day', case when state = 'pending' then null else now() end,
            now() + interval '1 day'
        from generate_series(0, \(rows) - 1) as i
        cross join lateral (select case when i % 50 = 0 then 'pending' else 'delivered' end as state) as of;
        insert into webhook_attempt (delivery, number, milliseconds, status)
        select id, 1, 10, 204 from webhook_delivery;
        """
}
