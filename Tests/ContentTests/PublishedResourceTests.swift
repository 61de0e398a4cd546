import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("resources that an issue publishes", .serialized)
struct PublishedResourceTests {
    @Test(
        "a resource put under embargo while the issue is sent stops it, and a published one cannot be put under one"
    )
    func embargo() async throws {
        let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await withService(ContentApplication.self, adjust: { $0.mailURL = "maildir:\(mail)" }) { content in
            let client = try content.client(.editor)
            let resource = try await client.send(
                CreateResource.request(body: .init(kind: .article, title: "Dossier")))
            let issue = try await client.send(CreateIssue.request(body: .init(title: "Flash info")))
            _ = try await client.send(
                AddIssueItem.request(
                    path: issue.id,
                    body: .init(kind: .technical, title: "Dossier", text: "Du texte.", resource: resource.id)))
            let later = Timestamp.now.advanced(by: .seconds(86_400))
            func change(_ json: String) async throws -> RawAnswer {
                let version = try await client.send(GetResource.request(path: resource.id)).version
                return try await content.raw(
                    .patch, "/v1/resources/\(resource.id)", role: .editor,
                    headers: ["Content-Type": "application/json", "If-Match": "\"\(version)\""], body: Array(json.utf8))
            }
            func send() async throws -> RawAnswer {
                try await content.raw(
                    .post, "/v1/issues/\(issue.id)/transitions", role: .editor,
                    headers: ["Content-Type": "application/json"], body: Array(#"{"to":"sending"}"#.utf8))
            }
            for json in [
                #"{"embargoUntil":"\#(later.text)"}"#,
                #"{"embargoUntil":null,"expiresAt":"\#(Timestamp.now.advanced(by: .seconds(-60)).text)"}"#,
            ] {
                #expect(try await change(json).status == 200)
                let refused = try await send()
                #expect(refused.status == 409)
                #expect(try refused.problem().slug == "issue-not-ready")
            }
            #expect(try await change(#"{"expiresAt":null}"#).status == 200)
            #expect(try await send().status == 200)
            let refused = try await change(#"{"embargoUntil":"\#(later.text)"}"#)
            #expect(refused.status == 409)
            #expect(try refused.problem().slug == "resource-published")
            #expect(try await change(#"{"title":"Dossier complet","expiresAt":"\#(later.text)"}"#).status == 200)
        }
    }
}
