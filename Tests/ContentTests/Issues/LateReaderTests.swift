import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import Synchronization
import TestKit
import Testing

@testable import Content

/// A directory whose readers a test changes.
private enum GrowingDirectory: ServiceApplication {
    static let name = ServiceName.directory
    static let title = "A directory that grows"
    static let endpoints: [any Endpoint.Type] = [ResolveAudience.self]
    static let peers: [ServiceName] = []
    static let migrations: [Migration] = []
    static let readers = Mutex<[Audience.Group: [AudienceMember]]>([:])

    static func assemble(_: Backend, into builder: inout ServiceBuilder) throws {
        builder.routes.stream(ResolveAudience.self) { call, lines in
            for reader in readers.withLock({ $0[call.body.audience] ?? [] }) { try await lines.write(reader) }
        }
    }

    static func expert(_ email: String, id: Identifier<AudienceMember> = .init()) throws -> AudienceMember {
        AudienceMember(entity: .expert, id: id, name: "Agence", email: try EmailAddress(validating: email))
    }

    static func ambassador(_ email: String) throws -> AudienceMember {
        AudienceMember(entity: .ambassador, person: .init(), name: "Anne", email: try EmailAddress(validating: email))
    }

    static func list(ambassadors: [AudienceMember] = [], experts: [AudienceMember]) {
        readers.withLock { $0 = [.ambassadors: ambassadors, .experts: experts] }
    }
}

@Suite("who joined after an issue was frozen", .serialized)
struct LateReaderTests {
    private func withRoom(_ body: (Mailroom, String) async throws -> Void) async throws {
        let maildir = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: maildir) }
        try await withServices(
            [GrowingDirectory.self, ContentApplication.self], adjust: { $0.mailURL = "maildir:\(maildir)" }
        ) { try await body(Mailroom(content: $0[.content]), maildir) }
    }

    private func resend(
        _ issue: FlashInfo.ID, _ reasons: MissedDelivery.Reason..., in room: Mailroom, dryRun: Bool? = nil
    ) async throws -> ResendIssue.Response {
        try await room.editor().send(ResendIssue.request(path: issue, body: .init(reasons: reasons, dryRun: dryRun)))
    }

    @Test("who is late is listed when asked for, gets the issue by a resend, and then is not late any more")
    func late() async throws {
        try await withRoom { room, maildir in
            let moved = try GrowingDirectory.expert("old@a.example")
            let first = [try GrowingDirectory.expert("one@a.example"), moved]
            GrowingDirectory.list(experts: first)
            let issue = try await room.draft()
            try await room.transition(issue, to: .sending)
            try await room.until(issue, is: .sent)
            #expect(try await room.missed(issue, .late) == [])
            // One has changed the address, and has it; one is in both audiences, and gets one copy.
            let both = "Both@a.example"
            let erased: EmailAddress = "erased@a.example"
            try await room.database.execute(
                "insert into erased_address (hash) values (address_hash(\(erased.text)))")
            GrowingDirectory.list(
                ambassadors: [try GrowingDirectory.ambassador(both)],
                experts: [
                    first[0], try GrowingDirectory.expert("new@a.example", id: moved.id),
                    try GrowingDirectory.expert("late@a.example"), try GrowingDirectory.expert(both),
                    try GrowingDirectory.expert(erased.text),
                ])
            let late = try await room.missed(issue, .late)
            #expect(late.map(\.email.text) == [both, "late@a.example"])
            #expect(late.map(\.audience) == [.ambassadors, .experts])
            #expect(late.allSatisfy { $0.reason == .late && $0.id == nil && $0.updatedAt == nil && $0.attempts == 0 })
            #expect(try await room.missed(issue) == [], "they are not in the ledger")
            let table = try await room.content.raw(.get, "/v1/issues/\(issue)/missed.csv?reason=late", role: .auditor)
            #expect(
                table.text == "motif,adresse,nom,édition,tentatives,dernière réponse,date\r\n"
                    + "arrivé depuis l’envoi,\(both),Anne,ambassadeurs,0,,\r\n"
                    + "arrivé depuis l’envoi,late@a.example,Agence,experts,0,,\r\n")

            #expect(try await resend(issue, .late, in: room, dryRun: true).resent == [.init(reason: .late, count: 2)])
            #expect(try await room.get(issue).state == .sent)
            #expect(try await resend(issue, .late, .refused, in: room).resent == [.init(reason: .late, count: 2)])
            let mails = try await CaughtMail.wait(for: 4, in: maildir)
            #expect(
                mails.map(\.recipient).sorted() == [both, "late@a.example", "old@a.example", "one@a.example"])
            let sent = try await room.until(issue, is: .sent)
            #expect(sent.editions.map(\.counts.sent) == [1, 3] && sent.editions.allSatisfy(\.resolved))
            #expect(try await room.missed(issue, .late) == [])
            #expect(try await resend(issue, .late, in: room).resent == [])
            #expect(try await room.miscounted() == [])
        }
    }

    @Test("the list comes in pages by address, more than are kept at once, each once")
    func pages() async throws {
        try await withRoom { room, _ in
            GrowingDirectory.list(experts: [])
            let issue = try await room.issue(to: ["one@a.example"], state: .paused)
            let readers = (1...2300).map { "reader\($0)@a.example" }
            GrowingDirectory.list(experts: try readers.shuffled().map { try GrowingDirectory.expert($0) })
            let client = try room.editor()
            var found: [String] = []
            var cursor: Cursor?
            var pages = 0
            repeat {
                let page = try await client.send(
                    ListMissed.request(path: issue, query: .init(.init(reason: .late), limit: 200, cursor: cursor)))
                found += page.items.map(\.email.text)
                cursor = page.next
                pages += 1
            } while cursor != nil
            #expect(found == readers.sorted() && pages == 12)
            let answer = try await room.content.raw(.get, "/v1/issues/\(issue)/missed.csv?reason=late", role: .operator)
            #expect(
                answer.text.components(separatedBy: "\r\n").dropFirst().dropLast().map {
                    String($0.split(separator: ",")[1])
                } == readers.sorted())
            let counted = try await resend(issue, .late, in: room, dryRun: true)
            #expect(counted.resent == [.init(reason: .late, count: 2300)])
        }
    }

    @Test("nobody is late for an issue that is not frozen, and an unknown one has no list")
    func notFrozen() async throws {
        try await withRoom { room, _ in
            GrowingDirectory.list(experts: [try GrowingDirectory.expert("late@a.example")])
            #expect(try await room.missed(try await room.draft(), .late) == [])
            let unknown = try await problem { try await room.missed(.init(), .late) }
            #expect(unknown?.slug == ProblemType.notFound.slug)
        }
    }

    @Test("what was accepted and came back is not sent again")
    func bounced() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: ["one@a.example"], state: .paused)
            let refused = try await problem { try await resend(issue, .bounced, in: room) }
            #expect(refused?.status == 422 && refused?.errors?.map(\.pointer) == ["/reasons"])
            #expect(refused?.errors?.first?.detail.contains("accepted") == true)
        }
    }

    @Test("while the directory is down, who is late cannot be said, and the rest of the list can")
    func down() async throws {
        try await Mailroom.run { room, _ in
            let issue = try await room.issue(to: ["one@a.example"], state: .paused)
            let refused = try await room.content.raw(.get, "/v1/issues/\(issue)/missed?reason=late", role: .editor)
            #expect(refused.status == 503)
            #expect(try await room.missed(issue).map(\.reason) == [.waiting])
        }
    }

    // MARK: Errata

    @Test("an erratum goes to who got an earlier version in the same edition, and still agrees")
    func erratum() async throws {
        try await withRoom { room, maildir in
            let editor = try room.editor()
            let early = ["kept@a.example", "left@a.example", "moved@a.example"].map { try? GrowingDirectory.expert($0) }
                .compactMap { $0 }
            GrowingDirectory.list(
                ambassadors: [try GrowingDirectory.ambassador("anne@a.example")],
                experts: early + [try GrowingDirectory.expert("after@a.example")])
            let issue = try await room.draft()
            let none = try await problem { try await editor.send(CreateErratum.request(path: issue, body: .init())) }
            #expect(none?.slug == ProblemType.issueNotCorrected.slug)
            let other = try await editor.send(
                AddIssueItem.request(
                    path: issue, body: .init(kind: .technical, title: "Le prix", text: "10 €", audiences: [.experts])))
            try await room.transition(issue, to: .sending)
            try await room.until(issue, is: .sent)
            // As if it had been paused before the last one got it.
            try await room.database.execute("update issue set state = 'paused', sent_at = null where id = \(issue)")
            _ = try await editor.send(
                CorrectIssue.request(
                    path: issue, body: .init(item: other.id, text: "12 €", reason: "Le prix a changé.")))
            try await room.database.execute(
                """
                update outgoing_mail set content_version = 2
                where id in (select id from delivery where email = 'after@a.example')
                """)
            let erratum = try await editor.send(CreateErratum.request(path: issue, body: .init()))
            #expect(erratum.state == .draft && erratum.erratumOf == issue && erratum.number == 2)
            #expect(erratum.title == "Erratum\u{A0}: Flash info")
            #expect(erratum.items.map(\.title) == ["Le prix"] && erratum.items.map(\.text) == ["12 €"])
            GrowingDirectory.list(
                ambassadors: [try GrowingDirectory.ambassador("anne@a.example")],
                experts: [
                    early[0], try GrowingDirectory.expert("new@a.example", id: early[2].id),
                    try GrowingDirectory.expert("after@a.example"), try GrowingDirectory.expert("stranger@a.example"),
                ])
            try await room.transition(erratum.id, to: .sending)
            let sent = try await room.until(erratum.id, is: .sent)
            #expect(sent.editions.map(\.counts.total) == [0, 2])
            let mails = try CaughtMail.all(in: maildir).filter { $0.subject.hasPrefix("Erratum") }
            #expect(mails.map(\.recipient).sorted() == ["kept@a.example", "new@a.example"])
            #expect(mails.allSatisfy { $0.text.contains("12 €") })
            #expect(try await room.missed(erratum.id, .late) == [])
        }
    }
}
