import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("Housekeeping")
struct HousekeepingTests {
    /// Adds changes to the feed, each `days` old, in the order given.
    private func feed(_ database: PostgresClient, _ values: SQL) async throws {
        try await database.execute(
            """
            insert into change (entity, subject, action, at)
            select 'note', subject, action, now() - days * interval '1 day'
            from (values \(values)) as made (subject, action, days)
            """)
    }

    private func lines(_ database: PostgresClient) async throws -> [String] {
        let rows = try await database.query(
            "select subject || ' ' || action || ' ' || (now()::date - at::date) as line from change order by xid, id")
        return try rows.map { try $0["line", as: String.self] }
    }

    @Test("what remains of an old feed still includes every subject")
    func compaction() async throws {
        try await withDatabase(migratedBy: [NoteService.migrator(runtimeRole: "content")]) { database in
            try await database.withClient(as: "content") { client in
                try await feed(
                    client,
                    """
                    ('a', 'created', 90), ('a', 'changed', 60), ('a', 'changed', 40), ('b', 'created', 90),
                    ('c', 'created', 90), ('c', 'deleted', 80), ('b', 'changed', 10), ('b', 'changed', 5)
                    """)
                try await FeedCompaction(database: client).run()
                let left = ["a changed 40", "c deleted 80", "b changed 10", "b changed 5"]
                #expect(try await lines(client) == left)
                try await FeedCompaction(database: client).run()
                #expect(try await lines(client) == left)

                // A change is removed when it is old and has been superseded, whichever happens last.
                try await feed(client, "('a', 'changed', 0), ('d', 'created', 0)")
                try await FeedCompaction(database: client).run()
                #expect(
                    try await lines(client)
                        == ["c deleted 80", "b changed 10", "b changed 5", "a changed 0", "d created 0"])
                try await client.execute("update change set at = at - interval '26 days'")
                try await FeedCompaction(database: client).run()
                #expect(try await lines(client) == ["c deleted 106", "b changed 31", "a changed 26", "d created 26"])
                try await feed(client, "('b', 'deleted', 0)")
                try await client.execute("update change set at = at - interval '30 days'")
                try await FeedCompaction(database: client).run()
                #expect(try await lines(client) == ["c deleted 136", "a changed 56", "d created 56", "b deleted 30"])
            }
        }
    }

    @Test("compaction interleaved with writes in any order leaves what one pass over the whole feed would leave")
    func anyOrder() async throws {
        try await withDatabase(migratedBy: [NoteService.migrator(runtimeRole: "content")]) { database in
            try await database.withClient(as: "content") { client in
                for round in 1...12 {
                    // About forty subjects, changed repeatedly as the days pass.
                    try await client.execute(
                        """
                        insert into change (entity, subject, action)
                        select 'note', (hashint4(\(round)::integer * 1000 + i) & 31)::text, 'changed'
                        from generate_series(1, 30) as i
                        """)
                    try await client.execute("update change set at = at - interval '7 days'")
                    try await FeedCompaction(database: client).run()
                    let tooMuch = try await client.query(
                        """
                        select subject from change as this
                        where at < now() - interval '30 days' and exists (
                            select from change as later
                            where later.subject = this.subject and (later.xid, later.id) > (this.xid, this.id))
                        """)
                    #expect(tooMuch.isEmpty, "round \(round)")
                }
                let row = try await client.first("select count(distinct subject) as things from change")
                #expect(try row?["things", as: Int.self] == 32)
            }
        }
    }

    @Test("the work of compaction depends on new and removed changes, and not on the length of the feed")
    func proportional() async throws {
        try await TestCluster.private { cluster in
            try await cluster.explain("content")
            try await withDatabase(
                migratedBy: [NoteService.migrator(runtimeRole: "content")], on: cluster
            ) { database in
                // As the superuser, whose statements are not explained.
                try await database.withClient(searchPath: "content") { client in
                    try await client.execute(
                        """
                        insert into change (entity, subject, action, at)
                        select 'note', i::text, 'created', now() - interval '60 days' from generate_series(1, 200000) as i
                        """)
                    try await client.execute("analyze change")
                }
                try await database.withClient(as: "content") { client in
                    func read() async throws -> Double {
                        let before = try await plans(on: cluster, client).count
                        try await FeedCompaction(database: client).run()
                        let plans = try await plans(on: cluster, client).dropFirst(before)
                        return plans.flatMap(\.root.all).filter { $0.table == "change" }.reduce(0) { $0 + $1.read }
                    }
                    // Each change is visited in both passes, and its subject is looked up in each.
                    let first = try await read()
                    #expect((400_000...1_000_000).contains(first))
                    #expect(try await read() == 0)
                    for number in [100, 1000] {
                        try await client.execute(
                            """
                            insert into change (entity, subject, action)
                            select 'note', i::text, 'changed' from generate_series(1, \(number)) as i
                            """)
                        let some = try await read()
                        #expect((Double(number)...Double(number) * 6).contains(some), "\(number): \(some)")
                    }
                    let row = try await client.first("select count(*) as count from change")
                    #expect(try row?["count", as: Int.self] == 200_100)

                    // The control: the former query over the whole feed.
                    let before = try await plans(on: cluster, client).count
                    try await client.execute(
                        """
                        delete from change where (xid, id) in (
                            select xid, id from (
                                select xid, id, at, lead(id) over (partition by entity, subject order by xid, id) as later
                                from change) as each
                            where later is not null and at < now() - interval '30 days' limit 10000)
                        """)
                    let whole = try await plans(on: cluster, client).dropFirst(before)
                        .flatMap(\.root.all).filter { $0.table == "change" }.reduce(0) { $0 + $1.read }
                    #expect(whole >= 200_000)
                }
            }
        }
    }

    /// The plans so far, once the log has them all.
    private func plans(on cluster: TestCluster, _ client: PostgresClient) async throws -> [QueryPlan] {
        let marker = "written \(UInt64.random(in: 0...UInt64.max))"
        try await client.withConnection { connection in
            try await connection.execute(script: Array("select '\(marker)' from schedule limit 1".utf8))
        }
        for _ in 1...200 {
            let plans = try cluster.plans()
            if plans.contains(where: { $0.statement.contains(marker) }) { return plans }
            try await Task.sleep(for: .milliseconds(50))
        }
        Testing.Issue.record("the log does not say how statements were run")
        return []
    }

    @Test("stored responses are deleted after a day")
    func purge() async throws {
        try await withServiceDatabase { kit in
            try await kit.client.execute(
                """
                insert into idempotency (subject, operation, key, request_hash, status, headers, body, created_at)
                select 's', 'o', n::text, '', 200, '{}', '', now() - n * interval '1 hour' from generate_series(0, 48) n
                """)
            let schedule = try #require(
                Housekeeping.schedules(kit.client).first { $0.name == "purge-idempotency" })
            var settings = JobRunner.Settings()
            settings.poll = .milliseconds(20)
            let runner = try JobRunner(
                database: kit.client, schema: ServiceDatabase.schema, jobs: [],
                schedules: [schedule], settings: settings, logger: kit.logger)
            try await running({ try await runner.run() }) {
                try await eventually("registered") { try await kit.count("select count(*) from schedule") == 1 }
                try await kit.client.execute("update schedule set next_run = now()")
                try await eventually("purged") { try await kit.count("select count(*) from idempotency") <= 25 }
                #expect(try await kit.count("select count(*) from idempotency") >= 24)
            }
        }
    }
}
