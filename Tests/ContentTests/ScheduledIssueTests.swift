import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

/// A directory in which two consented to the Flash info.
private enum TwoReaders: ServiceApplication {
    static let name = ServiceName.directory
    static let title = "A directory with two readers"
    static let endpoints: [any Endpoint.Type] = [ResolveAudience.self]
    static let peers: [ServiceName] = []
    static let migrations: [Migration] = []

    static func assemble(_: Backend, into builder: inout ServiceBuilder) throws {
        builder.routes.stream(ResolveAudience.self) { call, lines in
            switch call.body.audience {
            case .ambassadors:
                try await lines.write(AudienceMember(entity: .ambassador, name: "Anne", email: "anne@orange.fr"))
            default: try await lines.write(AudienceMember(entity: .expert, name: "Agence", email: "agence@free.fr"))
            }
        }
    }
}

@Suite("scheduled issues", .serialized)
struct ScheduledIssueTests {
    private func soon(_ seconds: Int = 2) -> Timestamp { .now.advanced(by: .seconds(seconds)) }

    /// Waits until no job is left that would begin an issue.
    private func untilNothingBegins(in room: Mailroom) async throws {
        try await eventually("no issue will begin") {
            try await room.database.first("select from job where kind = 'issue.start'") == nil
        }
    }

    @Test("an issue is scheduled for a time in the future, and has no time otherwise")
    func times() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.draft()
            for (state, time) in [
                (.scheduled, nil), (.scheduled, .now.advanced(by: .seconds(-1))), (.sending, soon()),
                (.cancelled, soon()),
            ] as [(FlashInfo.State, Timestamp?)] {
                let refused = try await problem { try await room.transition(issue, to: state, at: time) }
                #expect(refused?.status == 422, "\(state)")
                #expect(refused?.errors?.map(\.pointer) == ["/scheduledFor"])
            }
            #expect(try await room.get(issue).state == .draft)
            let time = Timestamp.now.advanced(by: .seconds(3600))
            let scheduled = try await room.transition(issue, to: .scheduled, at: time)
            #expect(scheduled.state == .scheduled && scheduled.scheduledFor == time && scheduled.editions.isEmpty)
            let item = AddIssueItem.request(path: issue, body: .init(kind: .product, title: "Trop tard", text: "t"))
            #expect(try await problem { try await room.editor().send(item) }?.slug == ProblemType.issueNotDraft.slug)
        }
    }

    @Test("it begins by itself at its time, and is sent")
    func begins() async throws {
        let maildir = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: maildir) }
        try await withServices(
            [TwoReaders.self, ContentApplication.self], adjust: { $0.mailURL = "maildir:\(maildir)" }
        ) { services in
            let room = Mailroom(content: services[.content])
            let issue = try await room.draft()
            let time = soon()
            try await room.transition(issue, to: .scheduled, at: time)
            try await eventually("it begins") { try await room.get(issue).state != .scheduled }
            #expect(Timestamp.now >= time)
            let sent = try await room.until(issue, is: .sent)
            #expect(try #require(sent.frozenAt) >= time)
            #expect(sent.holdReason == nil)
            #expect(sent.editions.map(\.counts.sent) == [1, 1])
            #expect(try CaughtMail.all(in: maildir).map(\.recipient).sorted() == ["agence@free.fr", "anne@orange.fr"])
        }
    }

    @Test("one whose resource has come under an embargo is a draft again, with the reason, and can be sent later")
    func embargo() async throws {
        try await Mailroom.run { room, _ in
            let editor = try room.editor()
            let resource = try await editor.send(CreateResource.request(body: .init(kind: .article, title: "Dossier")))
            let issue = try await room.draft(resource: resource.id)
            try await room.transition(issue, to: .scheduled, at: soon())
            let later = Timestamp.now.advanced(by: .seconds(86_400))
            let closed = try await editor.exchange(
                ChangeResource.request(
                    path: resource.id, body: .init(embargoUntil: later), ifMatch: resource.version)
            ).value
            let draft = try await room.until(issue, is: .draft)
            #expect(draft.holdReason?.hasPrefix("The resource of “Pour tous” is under an embargo until ") == true)
            #expect(draft.editions.isEmpty && draft.items.count == 1)
            try await untilNothingBegins(in: room)
            _ = try await editor.send(
                ChangeResource.request(
                    path: resource.id, body: .init(embargoUntil: .some(nil)), ifMatch: closed.version))
            let sending = try await room.transition(issue, to: .sending)
            #expect(sending.state == .sending && sending.holdReason == nil)
        }
    }

    @Test("one in which an audience has no item is a draft again, with the reason")
    func empty() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.draft()
            try await room.transition(issue, to: .scheduled, at: soon())
            try await room.database.execute("update issue_item set audiences = '{experts}'")
            let draft = try await room.until(issue, is: .draft)
            #expect(draft.holdReason == "No item is for ambassadors.")
        }
    }

    @Test("cancelled or set back before its time, it does not begin", arguments: [FlashInfo.State.cancelled, .draft])
    func withdrawn(state: FlashInfo.State) async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.draft()
            try await room.transition(issue, to: .scheduled, at: soon())
            let withdrawn = try await room.transition(issue, to: state)
            try await untilNothingBegins(in: room)
            #expect(try await room.get(issue) == withdrawn)
        }
    }

    @Test("one that is scheduled anew for later does not begin at the earlier time")
    func anew() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.draft()
            try await room.transition(issue, to: .scheduled, at: soon())
            try await room.transition(issue, to: .draft)
            let later = Timestamp.now.advanced(by: .seconds(3600))
            let scheduled = try await room.transition(issue, to: .scheduled, at: later)
            try await eventually("the first time has passed") {
                let row = try await room.database.first(
                    "select count(*) as count from job where kind = 'issue.start'")
                return try row?["count"] == 1
            }
            #expect(try await room.get(issue) == scheduled)
        }
    }
}
