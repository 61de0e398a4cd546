import ClubProtocol
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("the outcomes of a file's rows")
struct ImportRetentionTests {
    private func file(_ count: Int) -> String {
        var file = "name,email,type,postalCode,commune\n"
        for number in 1...count { file += "Agence \(number),a\(number)@example.org,agence,64000,Pau\n" }
        return file + "Mauvais,nicht,agence,64000,Pau\n"
    }

    private func enforce(in directory: TestService) async throws -> Int? {
        let database = directory.backend.database
        try await database.execute("update retention_rule set last_run = null, last_count = null")
        try await database.execute(
            """
            insert into job (kind, payload, unique_key, maximum_attempts)
            values ('schedule.retention', '{}', 'retention', 3) on conflict do nothing
            """)
        for _ in 1...400 {
            let row = try await database.first("select last_count from retention_rule where code = 'importRows'")
            if let count = try row?.optional("last_count", as: Int.self) { return count }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    @Test("are deleted after three months, and the counts stay")
    func forgotten() async throws {
        try await withDirectory { directory in
            let database = directory.backend.database
            let client = try directory.client(.operator)
            let query = "?mode=apply&rejects=skipRow"
            // More than one batch of the job.
            let old = try await directory.report(file(21_000), query)
            let young = try await directory.report(file(3), query)
            try await database.execute(
                "update import set updated_at = now() - interval '3 months 1 day' where id = \(old.import)")
            let due = try await client.send(
                ListRetentionDue.request(path: "importRows", query: .init(), body: Empty()))
            #expect(due.items.map(\.id.text) == [old.import.text])
            let forgotten = try await enforce(in: directory)
            #expect(forgotten == 1)

            func rows(_ id: Import.ID) async throws -> Int? {
                try await database.first("select count(*) as rows from import_row where import = \(id)")?["rows"]
            }
            let left = (try await rows(old.import), try await rows(young.import))
            #expect(left == (0, 4))
            let now = try await client.send(GetImport.request(path: old.import))
            #expect((now.rows, now.created, now.rejected) == (21_001, 21_000, 1))
            #expect(now.rowsForgottenAt != nil)
            let list = try await client.send(
                ListImportRows.request(path: old.import, query: .init(), body: Empty()))
            #expect(list.items.isEmpty)
            // Nothing is due any more, and the file itself was imported permanently.
            let later = try await enforce(in: directory)
            #expect(later == 0)
            let again = try await directory.report(file(21_000), query + "&import=\(old.import)")
            #expect((again.rows, again.created, again.errors) == (21_001, 21_000, []))
        }
    }

    @Test("are not needed to resume a file: if rows had been waiting, it starts again")
    func waited() async throws {
        try await withDirectory { directory in
            let database = directory.backend.database
            let client = try directory.client(.operator)
            let id = Import.ID()
            let request = ImportOrganizations.request(
                query: .init(.init(import: id, mode: .apply, rejects: .skipRow), .init(kind: .institution)))
            var file = "name;siret;parent\n"
            for branch in 1...1000 { file += "Agence \(branch);;73282932000074\n" }
            let torn = TornFile(text: file) {
                for _ in 0..<1000 {
                    let row = try await database.first("select held from import where id = \(id)")
                    if try row?["held", as: Int.self] == 1000 { return }
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            await #expect(throws: (any Error).self) { try await client.upload(request, body: torn) }
            var state = ImportState.running
            for _ in 0..<500 where state == .running {
                try await Task.sleep(for: .milliseconds(10))
                state = try await client.send(GetImport.request(path: id)).state
            }
            try await database.execute("update import set updated_at = now() - interval '4 months' where id = \(id)")
            let forgotten = try await enforce(in: directory)
            #expect(forgotten == 1)
            let whole = TornFile(text: file, rest: "Tête;73282932000074;\n") {}
            let report = try await client.upload(request, body: whole)
            #expect((report.rows, report.created, report.rejected) == (1001, 1001, 0))
            let now = try await client.send(GetImport.request(path: id))
            #expect(now.state == .completed && now.held == 0)
        }
    }

    @Test("are kept when the file is sent again in the meantime, and it is resumed where it ended")
    func resumed() async throws {
        try await withDirectory { directory in
            let database = directory.backend.database
            let file = file(5)
            let query = "?mode=apply&rejects=skipRow"
            let first = try await directory.report(file, query)
            try await database.execute(
                """
                update import set state = 'interrupted', updated_at = now() - interval '4 months'
                where id = \(first.import)
                """)
            let forgotten = try await enforce(in: directory)
            #expect(forgotten == 1)
            let report = try await directory.report(file, query + "&import=\(first.import)")
            #expect((report.rows, report.created, report.rejected) == (6, 5, 1))
            let now = try await directory.client(.operator).send(
                GetImport.request(path: first.import))
            #expect(now.state == .completed && now.rowsForgottenAt == nil)
        }
    }
}
