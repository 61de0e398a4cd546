import ClubProtocol
import Foundation
import Postgres
import TestKit
import Testing

@testable import ServiceKit

/// A subject whose changes the tests record.
enum RecordedThing: Sendable {}
typealias RecordedID = Identifier<RecordedThing>

extension ServiceDatabase {
    static let somebody = Principal.service(.events)

    func record(_ action: Journal.Action, _ id: RecordedID, version: Int? = nil, in transaction: PostgresTransaction)
        async throws
    {
        try await transaction.record(action, .thing, id, version: version, by: Self.somebody)
    }

    func record(_ action: Journal.Action, _ id: RecordedID, version: Int? = nil) async throws {
        try await client.transaction { try await record(action, id, version: version, in: $0) }
    }

    /// Reads the feed page by page until it has `count` changes: transactions of other tests on the same server may
    /// hide some for a moment.
    func feed(_ feed: ChangeFeed, count: Int, after: Cursor? = nil, limit: PageLimit = 200) async throws -> [Change] {
        var (items, cursor) = ([Change](), after)
        try await eventually("\(count) changes") {
            let batch = try await feed.read(ReadChanges.Query(after: cursor, limit: limit))
            items += batch.items
            cursor = batch.next ?? cursor
            return items.count >= count
        }
        return items
    }
}

@Suite struct ChangeFeedTests {
    private func feed(
        _ kit: ServiceDatabase, poll: Duration = .milliseconds(20), _ snapshots: ChangeSnapshot...
    ) -> ChangeFeed {
        var settings = ChangeFeed.Settings()
        settings.poll = poll
        settings.hiddenPoll = .milliseconds(5)
        return ChangeFeed(
            database: kit.client, schema: ServiceDatabase.schema, snapshots: snapshots, settings: settings,
            logger: kit.logger)
    }

    @Test("committed changes are read in order, page by page, and rolled-back ones never appear")
    func order() async throws {
        try await withServiceDatabase { kit in
            let ids = (0..<25).map { _ in RecordedID() }
            for (index, id) in ids.enumerated() {
                await #expect(throws: TestFailure.self) {
                    try await kit.client.transaction { transaction in
                        try await kit.record(.created, RecordedID(), in: transaction)
                        throw TestFailure()
                    }
                }
                try await kit.record(.changed, id, version: index)
            }
            let items = try await kit.feed(feed(kit), count: 25, limit: 7)
            #expect(items.map(\.id) == ids.map(\.text))
            #expect(items.map(\.version) == Array(0..<25))
            #expect(items.allSatisfy { $0.entity == .thing && $0.action == .changed && $0.data == nil })
            let end = try await feed(kit).read(ReadChanges.Query(after: items.last?.cursor))
            #expect(end.items.isEmpty)
            #expect(end.next == items.last?.cursor)
        }
    }

    @Test("an empty feed has no cursor")
    func empty() async throws {
        try await withServiceDatabase { kit in
            let batch = try await feed(kit).read(ReadChanges.Query())
            #expect(batch.items.isEmpty)
            #expect(batch.next == nil)
        }
    }

    @Test("an open older transaction hides newer changes until it has ended, and then none is skipped")
    func hidden() async throws {
        try await withServiceDatabase { kit in
            let feed = feed(kit)
            let (older, newer) = (RecordedID(), RecordedID())
            let cursor = try await kit.client.transaction { transaction in
                try await kit.record(.created, older, in: transaction)
                try await kit.record(.created, newer)
                let batch = try await feed.read(ReadChanges.Query())
                #expect(batch.items.isEmpty)
                return batch.next
            }
            let items = try await kit.feed(feed, count: 2, after: cursor)
            #expect(items.map(\.id) == [older.text, newer.text])
        }
    }

    @Test("negative control: a reader that goes by the number alone skips the older transaction's change")
    func hiddenByNumber() async throws {
        try await withServiceDatabase { kit in
            let (older, newer) = (RecordedID(), RecordedID())
            func readByNumber(after id: Int) async throws -> [(id: Int, subject: String)] {
                try await kit.client.query("select id, subject from change where id > \(id) order by id")
                    .map { (try $0["id"], try $0["subject"]) }
            }
            let first = try await kit.client.transaction { transaction in
                try await kit.record(.created, older, in: transaction)
                try await kit.record(.created, newer)
                return try await readByNumber(after: 0)
            }
            #expect(first.map(\.subject) == [newer.text])
            let rest = try await readByNumber(after: try #require(first.last?.id))
            #expect(rest.isEmpty)
        }
    }

    @Test("a reader sees every change once while many write concurrently")
    func concurrentWriters() async throws {
        try await withServiceDatabase { kit in
            let feed = feed(kit)
            let items = try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<25 {
                            try await kit.client.transaction { transaction in
                                for _ in 0..<Int.random(in: 1...3) {
                                    try await kit.record(.created, RecordedID(), in: transaction)
                                    await Task.yield()
                                }
                            }
                        }
                    }
                }
                // Reads during the writes, and then to the end.
                var (items, cursor) = ([Change](), Cursor?.none)
                func readOn() async throws {
                    let batch = try await feed.read(ReadChanges.Query(after: cursor))
                    items += batch.items
                    cursor = batch.next ?? cursor
                }
                for _ in 0..<50 { try await readOn() }
                try await group.waitForAll()
                let total = try await kit.count("select count(*) from change")
                try await eventually("everything is read") {
                    try await readOn()
                    return items.count >= total
                }
                return items
            }
            let written: [String] = try await kit.client.query("select subject from change order by xid, id")
                .map { try $0["subject"] }
            #expect(items.map(\.id) == written)
        }
    }

    @Test("transactions are ordered by their numbers, not by the numbers' text")
    func orderOfNumbers() async throws {
        try await withServiceDatabase { kit in
            try await kit.client.execute(
                """
                insert into change (xid, entity, subject, action)
                select xid::text::xid8, 'thing', xid::text, 'changed' from unnest(array[100, 9, 99, 10]) xid
                """)
            let items = try await kit.feed(feed(kit), count: 4, limit: 2)
            #expect(items.map(\.id) == ["9", "10", "99", "100"])
        }
    }

    @Test("a waiting reader is woken by a change, and finds one even without a notification", arguments: [true, false])
    func woken(isListening: Bool) async throws {
        try await withServiceDatabase { kit in
            let feed = feed(kit, poll: isListening ? .seconds(3600) : .milliseconds(20))
            try await running({ if isListening { try await feed.run() } }) {
                try await kit.record(.created, RecordedID())
                let first = try await feed.read(ReadChanges.Query(wait: 30))
                // It is listening by now; if not, it looks when it starts to.
                async let second = feed.read(ReadChanges.Query(after: first.next, wait: 30))
                let id = RecordedID()
                try await kit.record(.created, id)
                let items = try await second.items
                #expect(items.map(\.id) == [id.text])
            }
        }
    }

    @Test("a waiting reader returns when draining begins, with what there is")
    func draining() async throws {
        try await withServiceDatabase { kit in
            let feed = feed(kit, poll: .seconds(3600))
            async let batch = feed.read(ReadChanges.Query(wait: 30))
            feed.drain()
            let items = try await batch.items
            #expect(items.isEmpty)
        }
    }

    @Test("no one waits past the caller's deadline")
    func deadline() async throws {
        try await withServiceDatabase { kit in
            let feed = feed(kit)
            let batch = try await PostgresDeadline.$current.withValue(.now + .seconds(2)) {
                try await feed.read(ReadChanges.Query(wait: 30))
            }
            #expect(batch.items.isEmpty)
        }
    }

    @Test("changes carry the current state, and none for what is gone")
    func snapshots() async throws {
        try await withServiceDatabase { kit in
            try await kit.owner { owner in
                try await owner.execute("create table thing (id uuid primary key, name text not null)")
                try await owner.execute("grant all on thing to events")
            }
            let feed = feed(
                kit,
                ChangeSnapshot(.thing) { ids in
                    "select id, jsonb_build_object('id', id, 'name', name) as data from thing where id = any(\(ids))"
                })
            let (kept, gone) = (RecordedID(), RecordedID())
            for id in [kept, gone] {
                try await kit.client.transaction { transaction in
                    try await transaction.execute("insert into thing values (\(id), 'first')")
                    try await kit.record(.created, id, version: 1, in: transaction)
                }
            }
            try await kit.client.transaction { transaction in
                try await transaction.execute("update thing set name = 'second' where id = \(kept)")
                try await transaction.execute("delete from thing where id = \(gone)")
                try await kit.record(.changed, kept, version: 2, in: transaction)
                try await kit.record(.erased, gone, in: transaction)
            }
            let items = try await kit.feed(feed, count: 4)
            #expect(items.map(\.action) == [.created, .created, .changed, .erased])
            #expect(items.map { $0.data?["name"]?.string } == ["second", nil, "second", nil])
            #expect(items[0].data?["id"]?.string == kept.text)
            // The feed stores nothing of a subject's content.
            let texts: [String] = try await kit.client.query("select change::text as row from change").map {
                try $0["row"]
            }
            #expect(texts.allSatisfy { !$0.contains("first") && !$0.contains("second") })
        }
    }

    @Test(
        "what is not a valid cursor is malformed",
        arguments: ["x", "1", "1.", ".1", "1.2.3", "-1.1", "1.-1", "99999999999999999999.1", "1.1 "])
    func badCursor(text: String) async throws {
        try await withServiceDatabase { kit in
            let cursor = try Cursor(validating: text)
            let problem = await #expect(throws: Problem.self) {
                _ = try await feed(kit).read(ReadChanges.Query(after: cursor))
            }
            #expect(problem?.type == .malformed)
        }
    }

    @Test("a wait outside the allowed range is invalid", arguments: [-1, 31, Int.max])
    func badWait(wait: Int) async throws {
        try await withServiceDatabase { kit in
            let problem = await #expect(throws: Problem.self) {
                _ = try await feed(kit).read(ReadChanges.Query(wait: wait))
            }
            #expect(problem?.type == .invalid)
        }
    }
}
