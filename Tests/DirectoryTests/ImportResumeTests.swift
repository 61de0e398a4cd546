import ClubProtocol
import NIOCore
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("following and resuming an import")
struct ImportResumeTests {
    @Test("an import allows only the transitions of its life cycle", arguments: ImportState.allCases)
    func states(from state: ImportState) {
        let next: [ImportState: Set<ImportState>] = [
            .running: [.running, .interrupted, .refused, .completed],
            .interrupted: [.running],
            .refused: [.running],
            .completed: [],
        ]
        #expect(Set(ImportState.allCases.filter(state.allows)) == next[state])
    }

    private static func file(_ count: Int) -> String {
        var file = "name,email,type,postalCode,commune\n"
        for number in 1...count { file += "Agence \(number),a\(number)@example.org,agence,64000,Pau\n" }
        return file
    }

    private func imported(_ id: Import.ID, in directory: TestService) async throws -> Import {
        try await directory.client(.operator).send(GetImport.request(path: id))
    }

    @Test("a file that broke off is resumed after the last chunk, with nothing duplicated or missing")
    func interrupted() async throws {
        try await withDirectory { directory in
            let id = Import.ID()
            let client = try directory.client(.operator)
            let request = ImportExperts.request(query: .init(import: id, mode: .apply, rejects: .skipRow))
            let file = Self.file(3300)
            let torn = TornFile(text: String(file.prefix(file.count * 3 / 4))) {
                for _ in 0..<1000 {
                    let rows = (try? await imported(id, in: directory))?.rows
                    if rows == 2000 { return }
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            await #expect(throws: (any Error).self) { try await client.upload(request, body: torn) }
            var now = try await imported(id, in: directory)
            for _ in 0..<300 where now.state == .running {
                try await Task.sleep(for: .milliseconds(20))
                now = try await imported(id, in: directory)
            }
            #expect((now.state, now.rows, now.created) == (ImportState.interrupted, 2000, 2000))
            #expect(now.reason != nil)

            // A different file: nothing of it is imported.
            let query = "?mode=apply&rejects=skipRow&import=\(id)"
            let other = try await directory.imports(Array(Self.file(3300).replacing("Pau", with: "Dax").utf8), query)
            #expect(try other.problem().type.hasSuffix("another-file"))

            let report = try await directory.report(file, query)
            #expect((report.rows, report.created, report.applied) == (3300, 3300, true))
            // Sent once more, it is already done.
            #expect(try await directory.report(file, query) == report)
            try await directory.database.withClient(as: "directory") { client in
                let row = try await client.first(
                    """
                    select (select count(*) from expert) as experts, (select count(*) from import_row) as rows,
                        (select count(distinct record) from import_row) as records, (select count(*) from change) as changes
                    """)
                for name in ["experts", "rows", "records", "changes"] {
                    #expect(try row?[name, as: Int.self] == 3300, "\(name)")
                }
            }
        }
    }

    @Test("sending a file again takes over from an attempt that seems to be running")
    func takingOver() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(as: "directory") { client in
                let order = ImportLedger.Order(
                    id: Import.ID(), key: nil, actor: "test", records: .experts, mode: .apply, rejects: .skipRow,
                    existing: .update)
                let first = try await client.transaction { try await ImportLedger.claim(order, in: $0) }
                let second = try await client.transaction { try await ImportLedger.claim(order, in: $0) }
                #expect((first.attempt, second.attempt) == (1, 2))
                var outcome = ImportOutcome()
                outcome.add(1, .skipped, Identifier())
                let chunk = outcome
                let advance = ImportLedger.Advance(rows: 1, digest: 7, unknownColumns: [])
                await #expect(throws: Problem.self) {
                    try await client.transaction { try await ImportLedger.advance(first, to: advance, chunk, in: $0) }
                }
                try await client.transaction { try await ImportLedger.advance(second, to: advance, chunk, in: $0) }
                let third = try await client.transaction { try await ImportLedger.claim(order, in: $0) }
                #expect((third.rows, third.digest, third.attempt) == (1, 7, 3))
            }
        }
    }

    @Test("each row of a file can be inspected, page by page, also after a dry run")
    func rows() async throws {
        try await withDirectory { directory in
            let old = try await directory.expert("Ancien") { $0.email = "ancien@example.org" }
            let file =
                "name,email,type,postalCode,commune\nNeuf,,agence,64000,Pau\nAncien,ancien@example.org,,,Dax\n"
                + "Ancien,ancien@example.org,,,\nMauvais,nicht,agence,64000,Pau\n"
            let client = try directory.client(.operator)
            let dry = try await directory.report(file, "")
            let path = dry.import
            let rows = try await client.send(ListImportRows.request(path: path, query: .init(), body: Empty()))
                .items
            #expect(rows.map(\.outcome) == [.created, .updated, .skipped, .rejected])
            #expect(rows.map(\.record?.text) == [nil, old.id.text, old.id.text, nil])
            #expect(rows.last?.errors.first?.column == "email")
            #expect(try await imported(dry.import, in: directory).state == .completed)

            let refused = try await directory.report(file)
            #expect(try await imported(refused.import, in: directory).state == .refused)
            let rejects = "/v1/imports/\(refused.import)/rows?outcome=rejected"
            #expect(try await directory.ask(rejects).json()["items"]?.array?.count == 1)
            // A corrected file under the same identifier.
            let mended = try await directory.report(
                file.replacing("nicht", with: "gut@example.org"), "?mode=apply&import=\(refused.import)")
            #expect(mended.applied && mended.created == 2 && mended.errors == [])

            let first = try await directory.ask("/v1/imports/\(mended.import)/rows?limit=3").json()
            let next = try #require(first["next"]?.string)
            let second = try await directory.ask("/v1/imports/\(mended.import)/rows?limit=3&cursor=\(next)")
            #expect(first["items"]?.array?.count == 3)
            #expect(try second.json()["items"]?.array?.count == 1)
            #expect(try await directory.ask("/v1/imports?limit=1").items("id") == [mended.import.text])
            #expect(try await directory.ask("/v1/imports/\(Import.ID())").status == 404)
            #expect(try await directory.ask("/v1/imports/\(Import.ID())/rows").status == 404)
            #expect(try await directory.ask("/v1/imports", as: .editor).status == 403)
        }
    }

    @Test("an existing record is changed, filled or left, as requested")
    func existing() async throws {
        try await withDirectory { directory in
            let expert = try await directory.expert("Un") {
                $0.email = "un@example.org"
                $0.topics = ["cloud"]
                $0.consents = .init(flashInfo: false)
            }
            let file =
                "name,email,commune,website,topics,brands,flashInfo,partnerOffers\n"
                + "Uno,un@example.org,PAU,un.example,hosting,HP,oui,oui\n"
            #expect(try await directory.report(file, "?mode=apply&existing=skip").skipped == 1)
            #expect(try await directory.ask("/v1/experts/\(expert.id)").json()["version"] == .integer(1))

            #expect(try await directory.report(file, "?mode=apply&existing=fill").updated == 1)
            let client = try directory.client(.operator)
            let filled = try await client.send(GetExpert.request(path: expert.id))
            #expect(filled.name == "Un" && filled.commune == "Pau" && filled.topics == ["cloud"])
            #expect(filled.website == "https://un.example" && filled.brands == ["HP"])
            #expect(filled.consents.flashInfo?.agreed == false && filled.consents.partnerOffers?.agreed == true)
            #expect(try await directory.report(file, "?mode=apply&existing=fill").skipped == 1)

            #expect(try await directory.report(file, "?mode=apply").updated == 1)
            let changed = try await client.send(GetExpert.request(path: expert.id))
            #expect(changed.name == "Uno" && changed.topics == ["hosting"] && changed.version == 3)
            #expect(changed.commune == "PAU" && changed.consents.flashInfo?.agreed == false)
        }
    }
}
