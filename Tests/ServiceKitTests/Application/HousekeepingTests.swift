import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("Housekeeping")
struct HousekeepingTests {
    @Test("what is left of an old feed still tells of every thing")
    func compaction() async throws {
        try await withDatabase(migratedBy: [NoteService.migrator(runtimeRole: "content")]) { database in
            try await database.withClient(as: "content") { client in
                try await client.execute(
                    """
                    insert into change (entity, subject, action, at)
                    select 'note', subject, action, now() - days * interval '1 day'
                    from (values
                        ('a', 'created', 90), ('a', 'changed', 60), ('a', 'changed', 40),
                        ('b', 'created', 90), ('b', 'changed', 10), ('b', 'changed', 5),
                        ('c', 'created', 90), ('c', 'deleted', 80)
                    ) as made (subject, action, days)
                    """)
                try await Housekeeping.compactFeed(client)
                let rows = try await client.query(
                    "select subject || ' ' || action || ' ' || (now()::date - at::date) as line from change order by xid, id"
                )
                #expect(
                    try rows.map { try $0["line", as: String.self] }
                        == ["a changed 40", "b changed 10", "b changed 5", "c deleted 80"])
            }
        }
    }
}
