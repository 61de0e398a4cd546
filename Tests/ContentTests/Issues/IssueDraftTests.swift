import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("drafts are repaired", .serialized)
struct IssueDraftTests {
    @Test("title and introduction of a draft are changed, by who knows its version")
    func change() async throws {
        try await Mailroom.run { room, _ in
            let editor = try room.editor()
            let issue = try await editor.send(
                CreateIssue.request(body: .init(title: "Flash", introduction: "Bonjour.")))
            let changed = try await editor.exchange(
                ChangeIssue.request(path: issue.id, body: .init(title: "Flash info"), ifMatch: issue.version))
            #expect(changed.value.title == "Flash info" && changed.value.introduction == "Bonjour.")
            #expect(changed.version == issue.version + 1)
            let stale = try await problem {
                try await editor.send(
                    ChangeIssue.request(path: issue.id, body: .init(title: "Autre"), ifMatch: issue.version))
            }
            #expect(stale?.slug == ProblemType.stale.slug)
            let cleared = try await editor.send(
                ChangeIssue.request(
                    path: issue.id, body: .init(introduction: .some(nil)), ifMatch: changed.value.version))
            #expect(cleared.introduction == nil && cleared.title == "Flash info")
            let unknown = try await problem {
                try await editor.send(ChangeIssue.request(path: .init(), body: .init(title: "Autre"), ifMatch: 1))
            }
            #expect(unknown?.slug == ProblemType.notFound.slug)
        }
    }

    @Test("an item is changed and removed; the version that this needs is the issue's")
    func items() async throws {
        try await Mailroom.run { room, _ in
            let editor = try room.editor()
            let id = try await room.draft()
            let issue = try await room.get(id)
            let path = IssueItemPath(issue: id, item: issue.items[0].id)
            let stale = try await problem {
                try await editor.send(
                    ChangeIssueItem.request(path: path, body: .init(title: "Autre"), ifMatch: issue.version - 1))
            }
            #expect(stale?.slug == ProblemType.stale.slug)
            #expect(try await room.get(id) == issue, "a change on a stale version leaves nothing")
            let changed = try await editor.send(
                ChangeIssueItem.request(
                    path: path,
                    body: .init(
                        kind: .technical, title: "Une caisse", link: "https://club.example/caisse",
                        audiences: [.experts]),
                    ifMatch: issue.version))
            #expect(changed.items.count == 1 && changed.version == issue.version + 1)
            let item = changed.items[0]
            #expect(item.kind == .technical && item.title == "Une caisse" && item.text == issue.items[0].text)
            #expect(item.link == "https://club.example/caisse" && item.audiences == [.experts])
            let without = try await editor.send(
                ChangeIssueItem.request(path: path, body: .init(link: .some(nil)), ifMatch: changed.version))
            #expect(without.items[0].link == nil)
            // An item of another issue is none of this one.
            let other = try await room.draft()
            let foreign = try await problem {
                try await editor.send(
                    RemoveIssueItem.request(path: .init(issue: other, item: path.item), ifMatch: 2))
            }
            #expect(foreign?.slug == ProblemType.notFound.slug)
            let removed = try await editor.send(RemoveIssueItem.request(path: path, ifMatch: without.version))
            #expect(removed.items.isEmpty)
        }
    }

    @Test("an item gets no resource that is unknown or under an embargo")
    func resources() async throws {
        try await Mailroom.run { room, _ in
            let editor = try room.editor()
            let closed = try await editor.send(
                CreateResource.request(
                    body: .init(kind: .article, title: "Demain", embargoUntil: .now.advanced(by: .seconds(3600)))))
            let issue = try await room.get(try await room.draft())
            let path = IssueItemPath(issue: issue.id, item: issue.items[0].id)
            for (resource, slug) in [
                (closed.id, ProblemType.resourceEmbargoed.slug), (.init(), ProblemType.invalid.slug),
            ] as [(Resource.ID, String)] {
                let refused = try await problem {
                    try await editor.send(
                        ChangeIssueItem.request(path: path, body: .init(resource: resource), ifMatch: issue.version))
                }
                #expect(refused?.slug == slug)
            }
        }
    }

    @Test(
        "what is no draft any more is not changed",
        arguments: [FlashInfo.State.scheduled, .sending, .paused, .cancelled])
    func frozen(state: FlashInfo.State) async throws {
        try await Mailroom.run { room, _ in
            let editor = try room.editor()
            let id: FlashInfo.ID
            switch state {
            case .scheduled:
                id = try await room.draft()
                try await room.transition(id, to: .scheduled, at: .now.advanced(by: .seconds(3600)))
            case .cancelled:
                id = try await room.draft()
                try await room.transition(id, to: .cancelled)
            default: id = try await room.issue(to: ["one@a.example"], state: state)
            }
            let issue = try await room.get(id)
            let path = IssueItemPath(issue: id, item: issue.items[0].id)
            let refusals = [
                try await problem {
                    try await editor.send(
                        ChangeIssue.request(path: id, body: .init(title: "Autre"), ifMatch: issue.version))
                },
                try await problem {
                    try await editor.send(
                        ChangeIssueItem.request(path: path, body: .init(title: "Autre"), ifMatch: issue.version))
                },
                try await problem {
                    try await editor.send(RemoveIssueItem.request(path: path, ifMatch: issue.version))
                },
            ]
            #expect(refusals.map { $0?.slug } == Array(repeating: ProblemType.issueNotDraft.slug, count: 3))
            #expect(refusals.map { $0?.status } == [409, 409, 409])
        }
    }
}
