import ClubProtocol
import Foundation
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("bounded times of content")
struct BoundedTimeTests {
    @Test("every day and time that the OpenAPI document allows is refused where it is invalid")
    func document() async throws {
        let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await withService(ContentApplication.self, adjust: { $0.mailURL = "maildir:\(mail)" }) { content in
            let resource = try await content.client(.editor).send(
                CreateResource.request(body: .init(kind: .article, title: "Dossier")))
            let issue = try await content.client(.editor).send(CreateIssue.request(body: .init(title: "Flash info")))
            let scheduled = BodyDays.Request(
                "POST /v1/issues/{issue}/transitions /scheduledFor", at: "/v1/issues/\(issue.id)/transitions",
                as: .editor, ##"{"to":"scheduled","scheduledFor":"#"}"##)
            let requests = ["embargoUntil", "expiresAt"].flatMap { key in
                [
                    BodyDays.Request(
                        "POST /v1/resources /\(key)", at: "/v1/resources", as: .editor,
                        ##"{"kind":"article","title":"Dossier","\##(key)":"#"}"##),
                    BodyDays.Request(
                        "PATCH /v1/resources/{resource} /\(key)", at: "/v1/resources/\(resource.id)", as: .editor,
                        version: resource.version, ##"{"\##(key)":"#"}"##),
                ]
            }
            let letter = #""key":"k","purpose":"invitation","email":"a@x.example","subject":"s","paragraphs":["p"]"#
            let letters = ["notBefore", "expiresAt", "agreedAt"].map { key in
                BodyDays.Request(
                    "POST /v1/letters /\(key)", at: "/v1/letters", as: .operator,
                    ##"{\##(letter),"consent":"eventInvitations","\##(key)":"#"}"##)
            }
            // One that is invalid is answered by itself: `LetterBatchTests`.
            let batched = Dictionary(
                uniqueKeysWithValues: letters.map {
                    ($0.place.replacing("letters /", with: "letter-batches /letters/0/"), "as in a letter")
                })
            let known = BodyDays.questions.merging(BodyDays.told) { first, _ in first }
                .merging(batched) { first, _ in first }
            #expect(try await BodyDays.faults(of: content, requests + letters + [scheduled], any: known) == [])
            // For something without an end, people enter the last day of the century.
            let last = try await content.client(.editor).send(
                CreateResource.request(
                    body: .init(
                        kind: .article, title: "Toujours", expiresAt: Timestamp(validating: "2099-12-31T00:00:00Z"))))
            #expect(last.expiresAt != nil)
        }
    }
}
