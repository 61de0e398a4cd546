import ArgumentParser
import ClubProtocol
import CommandKit
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Operator

private typealias FlashInfo = ClubProtocol.Issue

/// A content service that has three issues, and lists one on a page.
private enum ThreeIssues: ServiceApplication {
    static let name = ServiceName.content
    static let title = "Three issues"
    static let endpoints: [any Endpoint.Type] = [ListIssues.self]
    static let peers: [ServiceName] = []
    static let migrations: [Migration] = []
    static let identifiers: [Int: FlashInfo.ID] = [1: .init(), 2: .init(), 3: .init()]

    static func assemble(_: Backend, into builder: inout ServiceBuilder) throws {
        builder.routes.read(ListIssues.self) { call in
            let after = call.page.after?.first.flatMap { Int($0) } ?? 4
            let items = try identifiers.filter { $0.key == after - 1 }.map { number, id in
                try JSONDecoder().decode(
                    IssueSummary.self,
                    from: Data(
                        """
                        {"id": "\(id)", "number": \(number), "title": "Flash info", "state": "draft", "version": 1,
                         "createdAt": "2027-03-14T09:30:00Z", "updatedAt": "2027-03-14T09:30:00Z"}
                        """.utf8))
            }
            let next = after > 2 ? try call.page.next(after: "\(after - 1)") : nil
            return .value(Page(items: items, next: next))
        }
    }
}

@Suite("the command club issue")
struct IssueCommandTests {
    private static let id = "6f1c2f0e-0000-4000-8000-000000000001"

    private static func issue(_ fields: String, items: String = "") throws -> FlashInfo {
        try JSONDecoder().decode(
            FlashInfo.self,
            from: Data(
                """
                {"id": "\(id)", "number": 12, "title": "Flash info de l’été", "items": [\(items)], "version": 3, "contentVersion": 1,
                 "createdAt": "2027-03-14T09:30:00Z", "updatedAt": "2027-03-14T09:30:00Z", \(fields)}
                """.utf8))
    }

    private static func edition(_ audience: String, resolved: Bool = true, sent: Int, failed: Int = 0) -> String {
        """
        {"audience": "\(audience)", "resolved": \(resolved), "counts": {"pending": 2, "sending": 1, "sent": \(sent),
         "failed": \(failed), "uncertain": 0, "suppressed": 0, "cancelled": 0, "skipped": 1}}
        """
    }

    /// The words of a line, however wide the terminal is.
    private static func words(_ text: String) -> [[String]] {
        text.components(separatedBy: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    // MARK: Which issue

    @Test("an issue is named by its number or its identifier, and by nothing else")
    func reference() throws {
        #expect(IssueReference(argument: "12") == .number(12))
        #expect(IssueReference(argument: Self.id) == .id(try FlashInfo.ID(validating: Self.id)))
        for wrong in ["", "0", "-1", "12a", "summer", "99999999999999999999"] {
            #expect(IssueReference(argument: wrong) == nil, "\(wrong)")
        }
    }

    @Test("a number is found on whichever page it is; an unknown one is said so")
    func number() async throws {
        try await withService(ThreeIssues.self) { service in
            let content = try service.client(.operator)
            for (number, id) in ThreeIssues.identifiers {
                #expect(try await IssueReference.number(number).id(from: content) == id)
            }
            let failure = await #expect(throws: CommandFailure.self) {
                try await IssueReference.number(4).id(from: content)
            }
            #expect(failure?.description == "there is no issue with the number 4; see `club issue list`")
            let unasked = FlashInfo.ID()
            #expect(try await IssueReference.id(unasked).id(from: content) == unasked)
        }
    }

    // MARK: What is accepted

    @Test(
        "each subcommand takes an issue, and the options that it needs",
        arguments: [
            (["list"], true), (["show", "12"], true), (["show"], false), (["show", "soon"], false),
            (["send", "12"], true), (["send", "12", "--at", "2027-03-14T09:30:00Z"], true),
            (["send", "12", "--at", "tomorrow"], false), (["pause", "12"], true), (["resume", "12"], true),
            (["cancel", Self.id], true), (["cancel"], false), (["missed", "12"], true),
            (["missed", "12", "--reason", "addressGone", "--csv"], true),
            (["missed", "12", "--reason", "bad weather"], false), (["missed", "12", "--csv", "--excel"], true),
            (["missed", "12", "--excel"], false), (["resend", "12"], false), (["resend", "12", "--reason"], false),
            (["resend", "12", "--reason", "refused", "expired", "--dry-run"], true),
            (["resend", "12", "--reason", "refused", "--reason", "uncertain"], true), (["check", "12"], true),
            (["test", "12", "a@club.example", "b@club.example", "--edition", "experts"], true),
            (["test", "12", "--edition", "experts"], false), (["test", "12", "a@club.example"], false),
            (["test", "12", "not an address", "--edition", "experts"], false),
            (["edit", "12", "--title", "Flash info"], true), (["edit", "12"], false),
            (["edit", "12", "--text", "Du texte."], false),
            (["edit", "12", "--item", "2", "--text", "Du texte."], true),
            (["edit", "12", "--item", "2", "--remove"], true),
            (["edit", "12", "--item", "2", "--remove", "--title", "T"], false),
            (["correct", "12", "--item", "2", "--text", "Du texte.", "--reason", "une erreur"], true),
            (["correct", "12", "--item", "2", "--text", "Du texte."], false),
            (["correct", "12", "--item", "2", "--reason", "une erreur"], false),
        ])
    func arguments(_ arguments: [String], isTaken: Bool) {
        #expect(((try? IssueCommand.parseAsRoot(arguments)) != nil) == isTaken)
    }

    @Test("the reasons of a resend are all taken, however they are given")
    func reasons() throws {
        for arguments in [["--reason", "refused", "expired"], ["--reason", "refused", "--reason", "expired"]] {
            let command = try #require(
                try IssueCommand.parseAsRoot(["resend", "12"] + arguments) as? IssueCommand.Resend)
            #expect(command.reasons == [.refused, .expired])
        }
    }

    // MARK: What is printed

    @Test("an issue is shown with its editions, and with how to see who has missed it")
    func sheet() throws {
        let issue = try Self.issue(
            """
            "state": "sending", "editions": [\(Self.edition("ambassadors", sent: 1200)),
            \(Self.edition("experts", resolved: false, sent: 4000, failed: 5))]
            """)
        #expect(
            Self.words(IssueSheet(issue).text).filter { $0.first?.hasPrefix("-") != true } == [
                ["issue", "12:", "Flash", "info", "de", "l’été"], ["sending"],
                ["edition", "readers", "sent", "waiting", "failed", "uncertain", "suppressed", "cancelled"],
                ["ambassadors", "1204", "1200", "3", "0", "0", "0", "0"],
                ["experts", "4009+", "4000", "3", "5", "0", "0", "0"],
                ["skipped", "as", "their", "readers", "wish:", "2"],
                ["13", "have", "not", "got", "it;", "see", "`club", "issue", "missed", "12`"],
            ])
    }

    @Test("an issue is shown with its items, by their places, and its findings with where they are")
    func items() throws {
        let item = """
            {"id": "\(Self.id)", "kind": "product", "title": "Une caisse", "text": "Du texte.", "audiences": ["experts"]}
            """
        let issue = try Self.issue(#""state": "draft", "editions": []"#, items: item)
        #expect(
            Self.words(IssueSheet(issue).text).last == ["1", "product", "experts", "Une", "caisse"])
        let finding = IssueFinding(.noLink, "/items/0/link", "It has no link.")
        #expect(
            Self.words(IssueCommand.Check.text(of: [finding])).last
                == ["warning", "noLink", "/items/0/link", "It", "has", "no", "link."])
        #expect(IssueCommand.Check.text(of: []) == "nothing is wrong")
    }

    @Test("an issue that everybody has got, or that nobody gets yet, has nothing to add")
    func complete() throws {
        let draft = try Self.issue(#""state": "draft", "editions": []"#)
        #expect(IssueSheet(draft).text == "issue 12: Flash info de l’été\ndraft")
        let sent = try Self.issue(
            """
            "state": "sent", "sentAt": "2027-03-14T10:00:00Z", "editions": [{"audience": "experts", "resolved": true,
            "counts": {"pending": 0, "sending": 0, "sent": 7, "failed": 0, "uncertain": 0, "suppressed": 0,
            "cancelled": 0, "skipped": 0}}]
            """)
        #expect(IssueSheet(sent).missed == 0)
        #expect(!IssueSheet(sent).text.contains("have not got it"))
    }

    @Test("the figures say plainly that somebody has not got it, and what proves them")
    func figures() {
        var some = DeliveryFigures()
        (some.frozen, some.sent, some.delivered, some.bounced) = (10, 7, 6, 1)
        some.missed = [.init(reason: .refused, count: 2), .init(reason: nil, count: 1)]
        let head = AuditHead(service: .content, seq: 42, hash: "c0ffee")
        func text(_ total: DeliveryFigures) -> String {
            FiguresSheet(
                .init(
                    issue: .init(), number: 12,
                    editions: [
                        .init(
                            audience: .experts, providers: [.init(provider: "orange", figures: total)], total: total)
                    ], total: total, auditHead: head)
            ).text
        }
        let words = Self.words(text(some))
        #expect(words.contains(["experts", "orange", "10", "7", "6", "1", "3", "0", "0"]))
        #expect(words.contains(["total", "10", "7", "6", "1", "3", "0", "0"]))
        #expect(text(some).contains("not everybody has got it: 2 refused, 1 failed, and forgotten since"))
        #expect(text(some).contains("accepted and came back: 1"))
        #expect(text(some).hasSuffix("by the audit trail of content up to entry 42, c0ffee"))
        var all = DeliveryFigures()
        (all.frozen, all.sent, all.delivered) = (10, 10, 10)
        #expect(!text(all).contains("not everybody"))
        #expect(text(DeliveryFigures()) == "")
    }

    @Test(
        "the state is printed with its time or its reason",
        arguments: [
            (#""state": "scheduled", "scheduledFor": "2027-03-15T08:00:00Z""#, "scheduled for 2027-03-15T08:00:00Z"),
            (#""state": "paused", "holdReason": "orange refuses us""#, "paused: orange refuses us"),
            (#""state": "draft", "holdReason": "an embargo""#, "draft: an embargo"), (#""state": "paused""#, "paused"),
            // A time that was decided once and does not matter any more.
            (#""state": "sending", "scheduledFor": "2027-03-15T08:00:00Z""#, "sending"),
        ])
    func state(_ fields: String, expected: String) throws {
        #expect(IssueSheet(try Self.issue(fields + #", "editions": []"#)).state == expected)
    }

    @Test("who has missed an issue is a row each, with the reason first")
    func missed() throws {
        let missed = try JSONDecoder().decode(
            [MissedDelivery].self,
            from: Data(
                """
                [{"id": "\(Self.id)", "audience": "experts", "email": "agence@web.example", "reason": "addressGone",
                  "attempts": 1, "reply": "550 unknown", "updatedAt": "2027-03-14T09:30:00Z"}]
                """.utf8))
        let text = IssueCommand.Missed.table(of: missed).text
        #expect(Self.words(text).last == ["addressGone", "agence@web.example", "experts", "1", "550", "unknown"])
    }

    @Test("a resend says how many get the issue, a dry run how many would")
    func resent() {
        let resent = [ResendIssue.Response.Count(reason: .refused, count: 3)]
        let done = IssueCommand.Resend.text(of: .init(resent: resent, dryRun: false))
        #expect(Self.words(done).first == ["reason", "get", "it"] && Self.words(done).last == ["refused", "3"])
        #expect(IssueCommand.Resend.text(of: .init(resent: resent, dryRun: true)).contains("would get it"))
        #expect(IssueCommand.Resend.text(of: .init(resent: [], dryRun: false)) == "nobody gets it")
    }
}

@Suite("the command club mail")
struct MailCommandTests {
    @Test(
        "lanes are listed, and one is paused or resumed by its code",
        arguments: [
            (["lanes"], true), (["lane", "pause", "orange"], true), (["lane", "resume", "domain:web.example"], true),
            (["check"], true), (["lane", "pause"], false), (["lane", "close", "orange"], false),
        ])
    func arguments(_ arguments: [String], isTaken: Bool) {
        #expect(((try? MailCommand.parseAsRoot(arguments)) != nil) == isTaken)
    }

    @Test("a check is a row: what was looked at, how it is, and what to do")
    func checks() {
        let check = MailCheck(kind: .spf, name: "club.example", result: .wrong, detail: "There is no SPF record.")
        let words = MailCommand.Check.table(of: [check]).text.split(whereSeparator: \.isWhitespace).map(String.init)
        #expect(words.suffix(8) == ["spf", "club.example", "wrong", "There", "is", "no", "SPF", "record."])
    }

    @Test("a lane is a row: what is used of its limits, where it has any, and what it waits for")
    func lanes() throws {
        func row(waitUntil: Timestamp? = nil, reason: String? = nil) -> [String] {
            let lane = MailLane(
                code: "orange", state: .slowed, share: 0.25,
                limits: .init(connections: 2, messagesPerConnection: 100, messagesPerMinute: 300, messagesPerDay: nil),
                connections: 1, inMinute: 40, inDay: 900, waitUntil: waitUntil, reason: reason, updatedAt: .now)
            return MailCommand.Lanes.table(of: [lane]).text.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        #expect(row().suffix(10) == ["orange", "slowed", "25%", "1", "of", "2", "40", "of", "300", "900"])
        let waiting = row(waitUntil: try Timestamp(validating: "2027-03-14T09:30:00Z"), reason: "421 slow")
        // In a narrow terminal the row has several lines.
        #expect(Set(waiting).isSuperset(of: ["2027-03-14T09:30:00Z", "421", "slow"]))
    }
}
