import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

/// The directory dies in the middle of a file.
@Suite("import crash", .serialized)
struct ImportCrashTests {
    private static let rows = 20_000

    @Test("kill -9 in the middle of an import, which then continues: nothing duplicated, nothing missing")
    func killed() async throws {
        try await TestClub.run([.directory]) { club in
            var file = "type,name,email,postalCode,commune\n"
            for number in 1...Self.rows {
                file += "agence,Agence \(number),agence.\(number)@agence.example,64000,Pau\n"
            }
            let text = file
            let id = Import.ID()
            let request = ImportExperts.request(query: .init(import: id, mode: .apply, rejects: .skipRow))
            let sending = try club.client(.directory)
            let upload = Task { try await sending.upload(request, body: OneChunk(text: text)) }

            // Observed from outside while it is running.
            let watching = try club.client(.directory)
            var rows = 0
            for _ in 0..<6000 where rows == 0 {
                try await Task.sleep(for: .milliseconds(5))
                rows = (try? await watching.send(GetImport.request(path: id)))?.rows ?? 0
            }
            club[.directory].signal(SIGKILL)
            await club[.directory].waitForExit()
            _ = await upload.result
            let before = try await count("select count(*) as count from directory.expert", in: club)
            #expect(before > 0 && before < Self.rows && before.isMultiple(of: 1000))

            try await club[.directory].start()
            let client = try club.client(.directory)
            #expect(try await client.send(GetImport.request(path: id)).state == .running)
            let report = try await client.upload(request, body: OneChunk(text: text))
            #expect(report.applied && report.rows == Self.rows && report.created == Self.rows)
            for query: SQL in [
                "select count(*) as count from directory.expert",
                "select count(distinct email) as count from directory.expert",
                "select count(distinct subject) as count from directory.change where entity = 'expert'",
                "select count(*) as count from directory.change where entity = 'expert'",
                "select count(distinct record) as count from directory.import_row",
            ] {
                #expect(try await count(query, in: club) == Self.rows)
            }
        }
    }

    private func count(_ query: SQL, in club: TestClub) async throws -> Int {
        try await club.database.withClient { client in try await client.first(query)?["count"] ?? 0 }
    }
}
