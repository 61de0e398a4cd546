import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("The webhooks' tables")
struct WebhookMigrationTests {
    @Test("are added to a database that already has the service's own tables")
    func lateComer() async throws {
        let old = HookedNotes.allMigrations.filter { $0.id < "kit-0005" || !$0.id.hasPrefix("kit-") }
        let before = Migrator(schema: "content", migrations: old, runtimeRole: "content")
        try await withDatabase(migratedBy: [before]) { database in
            try await database.withClient(as: "content") { client in
                try await client.execute("insert into note (id, text) values (gen_random_uuid(), 'before')")
            }
            let now = HookedNotes.migrator(runtimeRole: "content")
            try await database.withClient(as: "migrator") { client in
                let applied = try await client.withConnection { try await now.migrate($0) }
                #expect(applied.last == ServiceMigrations.all.last?.id)
                #expect(applied.allSatisfy { $0.hasPrefix("kit-") })
                #expect(try await now.pending(on: client).isEmpty)
            }
            try await database.withClient(as: "content") { client in
                // The runtime role may use them.
                let deliveries = try await client.query("select from webhook_delivery").count
                let notes = try await client.query("select from note").count
                #expect(deliveries == 0 && notes == 1)
            }
        }
    }
}
