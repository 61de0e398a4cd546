import ClubProtocol
import Directory
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

/// Issues from the first draft to the last mail.
@Suite("issues")
struct IssueTests {
    @Test("numbers increase, the list shows the newest first, page after page")
    func numbers() async throws {
        try await withContent { service, editor in
            #expect(try await editor.send(ListIssues.request(query: .init())).items.isEmpty)
            for number in 1...5 {
                let issue = try await editor.send(
                    CreateIssue.request(body: .init(title: Line(validating: "Flash info \(number)"))))
                #expect(issue.number == number)
                #expect(issue.state == .draft)
                #expect(issue.items.isEmpty)
            }
            let first = try await editor.send(ListIssues.request(query: .init(limit: 3)))
            #expect(first.items.map(\.number) == [5, 4, 3])
            let second = try await editor.send(ListIssues.request(query: .init(limit: 3, cursor: first.next)))
            #expect(second.items.map(\.number) == [2, 1])
            #expect(second.next == nil)
            _ = service
        }
    }

    @Test("numbers are assigned once, however many issues are created at the same time")
    func concurrentNumbers() async throws {
        try await withContent { _, editor in
            let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<30 {
                    group.addTask { try await editor.send(CreateIssue.request(body: .init(title: "Flash"))).number }
                }
                var numbers: [Int] = []
                for try await number in group { numbers.append(number) }
                return numbers
            }
            #expect(numbers.sorted() == Array(1...30))
        }
    }

    @Test("an issue without an item for each audience is not sent, and a sent one accepts no more")
    func guards() async throws {
        try await withContent { _, editor in
            let issue = try await editor.send(CreateIssue.request(body: .init(title: "Flash")))
            let path = issue.id
            await expect(.issueNotReady) {
                try await editor.send(TransitionIssue.request(path: path, body: .init(to: .sending)))
            }
            _ = try await editor.send(
                AddIssueItem.request(
                    path: path, body: .init(kind: .technical, title: "T", text: "t", audiences: [.experts])))
            await expect(.issueNotReady) {
                try await editor.send(TransitionIssue.request(path: path, body: .init(to: .sending)))
            }
            await expect(.transitionNotAllowed) {
                try await editor.send(TransitionIssue.request(path: path, body: .init(to: .sent)))
            }
            let cancelled = try await editor.send(TransitionIssue.request(path: path, body: .init(to: .cancelled)))
            #expect(cancelled.state == .cancelled)
            await expect(.issueNotDraft) {
                try await editor.send(
                    AddIssueItem.request(path: path, body: .init(kind: .product, title: "P", text: "p")))
            }
        }
    }

    @Test("a resource under embargo or expired is not shown")
    func embargo() async throws {
        try await withContent { _, editor in
            let issue = try await editor.send(CreateIssue.request(body: .init(title: "Flash")))
            let hour = Duration.seconds(3600)
            let later = try await editor.send(
                CreateResource.request(
                    body: .init(kind: .article, title: "Demain", embargoUntil: .now.advanced(by: hour))))
            let past = try await editor.send(
                CreateResource.request(
                    body: .init(kind: .article, title: "Hier", expiresAt: .now.advanced(by: .zero - hour))))
            for resource in [later, past] {
                await expect(.resourceEmbargoed) {
                    try await editor.send(
                        AddIssueItem.request(
                            path: issue.id,
                            body: .init(kind: .product, title: "P", text: "p", resource: resource.id)))
                }
            }
            let changed = try await editor.exchange(
                ChangeResource.request(
                    path: later.id, body: .init(embargoUntil: .some(nil)), ifMatch: later.version))
            #expect(changed.value.embargoUntil == nil)
            #expect(changed.value.title == "Demain")
            _ = try await editor.send(
                AddIssueItem.request(
                    path: issue.id,
                    body: .init(kind: .product, title: "P", text: "p", resource: later.id)))
        }
    }

    @Test("each consenting reader gets one mail, of the right edition; suppressed readers and refusals get none")
    func sending() async throws {
        let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await withServices(
            [DirectoryApplication.self, ContentApplication.self], adjust: { $0.mailURL = "maildir:\(mail)" }
        ) { services in
            let directory = try services[.directory].client(.operator)
            let editor = try services[.content].client(.editor)
            try await enrol(
                ambassadors: ["anne@conseil.example", "bruno@conseil.example"], refusing: ["cecile@conseil.example"],
                experts: ["agence@web.example", "ferme@web.example", "anne@conseil.example"], in: directory)
            _ = try await editor.send(
                CreateSuppression.request(body: .init(email: "ferme@web.example", reason: .bounced)))
            let issue = try await write(with: editor)
            _ = try await editor.send(TransitionIssue.request(path: issue, body: .init(to: .sending)))
            let sent = try await untilSent(issue, editor)

            let messages = try FileManager.default.contentsOfDirectory(atPath: "\(mail)/new").map {
                try String(contentsOfFile: "\(mail)/new/\($0)", encoding: .utf8)
            }
            let recipients = messages.map { message in
                message.components(separatedBy: "\r\n").first { $0.hasPrefix("To: ") }?
                    .split(separator: "<").last.map(String.init) ?? ""
            }
            #expect(recipients.sorted() == ["agence@web.example>", "anne@conseil.example>", "bruno@conseil.example>"])
            #expect(sent.editions.reduce(0) { $0 + $1.counts.sent } == 3)
            #expect(sent.editions.reduce(0) { $0 + $1.counts.suppressed } == 1)
            #expect(sent.sentAt != nil)
            let technical = messages.filter { $0.contains("Pour les experts") }
            #expect(technical.count >= 1)
            #expect(messages.allSatisfy { $0.contains("List-Unsubscribe: <mailto:") })

            let deliveries = try await editor.send(
                ListDeliveries.request(path: issue, query: .init(.init(state: .suppressed)), body: Empty()))
            #expect(deliveries.items.map(\.email) == ["ferme@web.example"])
        }
    }

    @Test("using the link in a mail unsubscribes the address; a link for another purpose does nothing")
    func unsubscribing() async throws {
        try await withContent { service, editor in
            let links = service.backend.links
            let expires = Timestamp.now.advanced(by: .seconds(60))
            let token = links.token(
                purpose: Suppression.Purpose.flashInfo.tokenPurpose, subject: "luc@web.example", expires: expires)
            let answer = try await service.raw(
                .post, "/v1/unsubscriptions/\(token)",
                headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: Array("List-Unsubscribe=One-Click".utf8))
            #expect(answer.status == 200)
            let list = try await editor.send(ListSuppressions.request(query: .init()))
            #expect(list.items.map(\.email) == ["luc@web.example"])
            #expect(list.items.map(\.reason) == [.unsubscribed])
            let other = links.token(purpose: "confirm", subject: "luc@web.example", expires: expires)
            let refused = try await service.raw(.post, "/v1/unsubscriptions/\(other)")
            #expect(refused.status == 404)
        }
    }

    // MARK: Steps

    private func withContent(
        _ body: @escaping (TestService, ServiceClient) async throws -> Void
    ) async throws {
        let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await withService(
            ContentApplication.self, peers: [.directory: "http://127.0.0.1:9"],
            adjust: { $0.mailURL = "maildir:\(mail)" }
        ) { service in
            try await body(service, service.client(.editor))
        }
    }

    private func expect(_ type: ProblemType, _ body: () async throws -> some Any) async {
        let error = await #expect(throws: ServiceClientError.self) { _ = try await body() }
        guard case .problem(let document)? = error else {
            Testing.Issue.record("\(String(describing: error))")
            return
        }
        #expect(document.slug == type.slug)
    }

    private func enrol(
        ambassadors: [EmailAddress], refusing: [EmailAddress], experts: [EmailAddress], in directory: ServiceClient
    ) async throws {
        for email in ambassadors + refusing {
            let person = try await directory.send(
                CreatePerson.request(
                    body: .init(
                        givenName: "Anne", familyName: "Petit", email: email,
                        consents: .init(flashInfo: !refusing.contains(email)))))
            _ = try await directory.send(
                CreateAmbassador.request(body: .init(person: person.id, departements: ["64"])))
        }
        for (number, email) in experts.enumerated() {
            _ = try await directory.send(
                CreateExpert.request(
                    body: .init(
                        subKind: .webAgency, name: Line(validating: "Agence \(number)"), email: email,
                        postalCode: "64000", commune: "Pau", consents: .init(flashInfo: true))))
        }
    }

    private func write(with editor: ServiceClient) async throws -> FlashInfo.ID {
        let issue = try await editor.send(CreateIssue.request(body: .init(title: "Flash info de l'été")))
        for (title, audiences) in [
            ("Pour tous", nil), ("Pour les experts", [Edition.Audience.experts]),
        ] as [(Line, [Edition.Audience]?)] {
            _ = try await editor.send(
                AddIssueItem.request(
                    path: issue.id,
                    body: .init(kind: .technical, title: title, text: "Du texte.", audiences: audiences)))
        }
        return issue.id
    }

    private func untilSent(_ issue: FlashInfo.ID, _ editor: ServiceClient) async throws -> FlashInfo {
        for _ in 0..<300 {
            let now = try await editor.send(GetIssue.request(path: issue))
            if now.state == .sent { return now }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Problem(.conflict, "the issue is not sent after half a minute")
    }
}
