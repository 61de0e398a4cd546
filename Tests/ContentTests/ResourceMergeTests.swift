import ClubProtocol
import Foundation
import Postgres
import TestKit
import Testing

@testable import Content
@testable import ServiceKit

@Suite("Merges of the directory's organizations")
struct ResourceMergeTests {
    @Test("a resource follows its organization and moves back on undo; one added since stays")
    func follow() async throws {
        let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await withService(ContentApplication.self, adjust: { $0.mailURL = "maildir:\(mail)" }) { content in
            let client = try content.client(.editor)
            let (own, other, merge) = (Organization.ID(), Organization.ID(), Merge.ID())
            func file(_ organization: Organization.ID) async throws -> Resource.ID {
                try await client.send(
                    CreateResource.request(
                        body: .init(kind: .article, title: "Dossier", organization: organization))
                ).id
            }
            func organization(_ id: Resource.ID) async throws -> Organization.ID? {
                try await client.send(GetResource.request(path: id)).organization
            }
            func apply(_ state: Merge.State) async throws {
                let notice = MergeNotice(
                    id: merge, kind: .organization, survivor: .init(own.uuid), merged: .init(other.uuid), state: state)
                let change = Change(
                    cursor: try Cursor(validating: "1.1"), entity: .merge, id: merge.text, action: .created,
                    version: 1,
                    at: .now, data: try LenientJSON.decode(JSONValue.self, from: WireJSON.encode(notice)))
                try await content.backend.database.transaction {
                    try await ContentApplication.merges.apply([change], in: $0)
                }
            }
            let (kept, moved) = (try await file(own), try await file(other))
            for _ in 1...2 { try await apply(.done) }
            #expect(try await organization(moved) == own)
            let added = try await file(own)
            for _ in 1...2 { try await apply(.undone) }
            #expect(try await organization(moved) == other)
            #expect(try await organization(kept) == own)
            #expect(try await organization(added) == own)
        }
    }
}
