import ClubProtocol
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

/// The service follows its own feed here, as if it were a peer's.
@Suite struct FeedFollowerTests {
    private func prepare(_ kit: ServiceDatabase) async throws -> ChangeFeed {
        try await kit.owner { owner in
            try await owner.execute("create table applied (id text primary key, times integer not null)")
            try await owner.execute("grant all on applied to events")
        }
        var settings = ChangeFeed.Settings()
        settings.poll = .milliseconds(10)
        return ChangeFeed(
            database: kit.client, schema: ServiceDatabase.schema, snapshots: [], settings: settings, logger: kit.logger)
    }

    private var settings: FeedFollower.Settings {
        var settings = FeedFollower.Settings()
        settings.wait = 1
        settings.limit = 10
        settings.backOff = BackOff(first: .milliseconds(1), longest: .milliseconds(10))
        return settings
    }

    private static func count(_ changes: [Change], in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            insert into applied select id, 1 from unnest(\(changes.map(\.id))) id
            on conflict (id) do update set times = applied.times + 1
            """)
    }

    private func write(_ kit: ServiceDatabase, _ count: Int) async throws {
        for _ in 0..<count { try await kit.record(.created, RecordedID()) }
    }

    @Test("two concurrent followers apply every change once, in order")
    func twoFollowers() async throws {
        try await withServiceDatabase { kit in
            let feed = try await prepare(kit)
            let order = Seen<[String]>()
            let make = {
                FeedFollower(
                    peer: .directory, name: "things", database: kit.client, settings: settings, logger: kit.logger,
                    fetch: { try await feed.read($0) },
                    apply: { changes, transaction in
                        try await Self.count(changes, in: transaction)
                        order.add(changes.map(\.id))
                    })
            }
            let (first, second) = (make(), make())
            try await running({ try await first.run() }) {
                try await running({ try await second.run() }) {
                    try await write(kit, 120)
                    try await eventually("all applied") { try await kit.count("select count(*) from applied") == 120 }
                }
            }
            #expect(try await kit.count("select count(*) from applied where times <> 1") == 0)
            let written: [String] = try await kit.client.query("select subject from change order by xid, id")
                .map { try $0["subject"] }
            #expect(order.values.flatMap(\.self) == written)
            let cursor = try await kit.client.first("select cursor from feed_cursor")?["cursor", as: String.self]
            let last = try await kit.client.first(
                "select xid || '.' || id as cursor from change order by change.xid desc, change.id desc limit 1")
            #expect(try cursor == last?["cursor"])
        }
    }

    @Test("negative control: two followers that do not compare the cursor apply a batch twice")
    func withoutCursorGuard() async throws {
        try await withServiceDatabase { kit in
            let feed = try await prepare(kit)
            try await write(kit, 5)
            _ = try await kit.feed(feed, count: 5)
            // Both have read the same batch before one of them applies it, as two replicas may.
            let batches = [try await feed.read(ReadChanges.Query()), try await feed.read(ReadChanges.Query())]
            for batch in batches {
                try await kit.client.transaction { transaction in
                    try await Self.count(batch.items, in: transaction)
                    try await transaction.execute(
                        """
                        insert into feed_cursor (peer, name, cursor) values ('directory', 'things', \(batch.next?.text))
                        on conflict (peer, name) do update set cursor = excluded.cursor
                        """)
                }
            }
            #expect(try await kit.count("select count(*) from applied where times = 2") == 5)
        }
    }

    @Test("if two followers have read the same batch, one applies it and the other drops it")
    func sameBatch() async throws {
        try await withServiceDatabase { kit in
            let feed = try await prepare(kit)
            try await write(kit, 5)
            _ = try await kit.feed(feed, count: 5)
            let bothHaveRead = Door()
            let readers = Atomic<Int>(0)
            let follower = FeedFollower(
                peer: .directory, name: "things", database: kit.client, settings: settings, logger: kit.logger,
                fetch: { query in
                    let batch = try await feed.read(query)
                    if readers.add(1, ordering: .relaxed).newValue == 2 { await bothHaveRead.open() }
                    await bothHaveRead.pass()
                    return batch
                },
                apply: { try await Self.count($0, in: $1) })
            async let first = follower.step()
            async let second = follower.step()
            let applied = try await [first, second]
            #expect(applied.sorted() == [0, 5])
            #expect(try await kit.count("select count(*) from applied where times = 1") == 5)
        }
    }

    @Test("a peer that is down and a batch that fails are retried, and nothing is applied in part")
    func troubles() async throws {
        try await withServiceDatabase { kit in
            let feed = try await prepare(kit)
            try await write(kit, 30)
            let calls = Atomic<Int>(0)
            let attempts = Atomic<Int>(0)
            let follower = FeedFollower(
                peer: .directory, name: "things", database: kit.client, settings: settings, logger: kit.logger,
                fetch: { query in
                    if calls.add(1, ordering: .relaxed).newValue % 2 == 1 {
                        throw ServiceClientError.unavailable(.directory, reason: "down")
                    }
                    return try await feed.read(query)
                },
                apply: { changes, transaction in
                    try await Self.count(changes, in: transaction)
                    if attempts.add(1, ordering: .relaxed).newValue % 3 != 0 { throw TestFailure() }
                })
            try await running({ try await follower.run() }) {
                try await eventually("all applied") { try await kit.count("select count(*) from applied") == 30 }
            }
            #expect(try await kit.count("select count(*) from applied where times <> 1") == 0)
        }
    }

    @Test("a follower continues where it stopped, and one with another name starts from the beginning")
    func cursors() async throws {
        try await withServiceDatabase { kit in
            let feed = try await prepare(kit)
            let seen = Seen<String>()
            func follow(_ name: String, until count: Int) async throws {
                let follower = FeedFollower(
                    peer: .directory, name: name, database: kit.client, settings: settings, logger: kit.logger,
                    fetch: { try await feed.read($0) },
                    apply: { changes, _ in for change in changes { seen.add(name + change.id) } })
                try await running({ try await follower.run() }) {
                    try await eventually("\(count) seen") { seen.count == count }
                }
            }
            try await write(kit, 12)
            try await follow("a", until: 12)
            try await write(kit, 3)
            try await follow("a", until: 15)
            try await follow("b", until: 30)
            #expect(Set(seen.values).count == 30)
        }
    }
}
