import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("what readers said, and their rights", .serialized)
struct ReaderRightsTests {
    /// Someone who wants something, left, and came back; and their neighbour.
    private func settle(_ rig: ReaderRig) async throws {
        for email in [rig.email, "voisin@agence.example"] {
            let reader = ReaderRig(content: rig.content, maildir: rig.maildir, email: email)
            let token = try reader.token()
            #expect(try await reader.submit(token, "action=save&kinds=product").status == 200)
            #expect(try await reader.submit(token, "action=leave").status == 200)
            #expect(try await reader.submit(token, "action=return").status == 200)
        }
    }

    private func returns(_ rig: ReaderRig) async throws -> [String] {
        try await rig.database.query("select email from consent_return order by email").map { try $0["email"] }
    }

    @Test("the access document tells what was wanted, and who came back")
    func told() async throws {
        try await ReaderRig.run { rig in
            try await settle(rig)
            let directory = try rig.content.keys.token(.service, as: .directory, for: .content)
            let data = try await rig.content.raw(
                .post, "/v1/personal-data", headers: ["Authorization": "Bearer \(directory)"],
                body: WireJSON.encode(ReadPersonalData.Body(entity: .expert, id: .init(), emails: [rig.email]))
            ).text
            #expect(data.contains("\"rhythm\"") && data.contains("product") && data.contains("\"returnedAt\""))
            #expect(!data.contains("voisin"))
        }
    }

    @Test("an erasure deletes both, keeps the neighbour's, and nothing is stored again")
    func erased() async throws {
        try await ReaderRig.run { rig in
            try await settle(rig)
            #expect(try await returns(rig) == ["voisin@agence.example", "zoe@agence.example"])
            _ = try await rig.database.transaction { transaction in
                try await ContentRights(backend: rig.content.backend).erase(
                    ErasureNotice(
                        erasure: .init(), state: .erasing, entity: .expert, subject: .init(), reason: .request,
                        emails: [rig.email]),
                    in: transaction)
            }
            #expect(try await returns(rig) == ["voisin@agence.example"])
            #expect(try await rig.preferences() == ["voisin@agence.example product everyIssue"])
            #expect(try await rig.changes(of: .readerPreference).last?.action == .erased)
            #expect(try await rig.changes(of: .consentReturn).last?.action == .erased)
            #expect(try await rig.submit(rig.token(), "action=save&kinds=product").status == 410)
            #expect(try await rig.preferences().count == 1)
        }
    }

    @Test("after three years what was said is forgotten; what is wanted is kept as long as the address is mailed")
    func retention() async throws {
        try await ReaderRig.run { rig in
            try await settle(rig)
            func due(_ code: Line) async throws -> Int {
                try await rig.content.client(.operator).send(ListRetentionDue.request(path: code, query: .init())).items
                    .count
            }
            #expect(try await due("readerPreferences") == 0)
            #expect(try await due("consentReturns") == 0)
            try await rig.database.execute("update reader_preference set updated_at = now() - interval '37 months'")
            try await rig.database.execute(
                """
                update consent_return set left_at = now() - interval '38 months',
                    returned_at = now() - interval '37 months'
                """)
            #expect(try await due("readerPreferences") == 2)
            #expect(try await due("consentReturns") == 2)
            _ = try await Mailroom(content: rig.content).issue(to: ["ZOE@agence.example"], state: .paused)
            #expect(try await due("readerPreferences") == 1)
        }
    }
}
