import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("what a reader wants", .serialized)
struct PreferenceTests {
    @Test("what is chosen is kept, shown, and recorded once; all kinds are no choice")
    func saved() async throws {
        try await ReaderRig.run("Zoe@agence.example") { rig in
            let token = try rig.token()
            let day = Day.today.adding(days: 365)
            let answer = try await rig.submit(
                token,
                "action=save&kinds=technical&kinds=product&rhythm=monthly&pausedUntil=\(day)&eventInvitations=true")
            #expect(answer.status == 200 && answer.text.contains("vos préférences sont enregistrées"))
            #expect(try await rig.preferences() == ["zoe@agence.example product,technical monthly \(day)"])
            let page = try await rig.page(rig.askedToken()).text
            for kind in IssueItem.Kind.allCases {
                let box = "value=\"\(kind.rawValue)\"\([.technical, .product].contains(kind) ? " checked" : "")>"
                #expect(page.contains(box), "\(kind)")
            }
            #expect(page.contains("value=\"monthly\" checked>") && page.contains("value=\"everyIssue\">"))
            #expect(page.contains("value=\"\(day)\""))
            _ = try await rig.submit(
                token,
                "action=save&kinds=product&kinds=technical&rhythm=monthly&pausedUntil=\(day)&eventInvitations=true")
            #expect(try await rig.changes(of: .readerPreference).map(\.action) == [.created])
            let all = IssueItem.Kind.allCases.map { "kinds=\($0.rawValue)" }.joined(separator: "&")
            _ = try await rig.submit(token, "action=save&\(all)&pausedUntil=&eventInvitations=true")
            #expect(try await rig.preferences() == ["zoe@agence.example all everyIssue"])
            #expect(try await rig.changes(of: .readerPreference).map(\.action) == [.created, .changed])
            #expect(try await rig.changes(of: .readerPreference).allSatisfy { $0.data == nil })
            #expect(try await rig.suppressed() == [])
        }
    }

    @Test(
        "what cannot be is said on the page, next to its field, and nothing is changed",
        arguments: [
            ("", "", "Choisissez au moins une sorte"), ("product", "demain", "Cette date n’est pas valide"),
            ("product", "2020-02-30", "Cette date n’est pas valide"), ("product", "2020-02-28", "un jour à venir"),
            ("product", "9999-12-31", "dans l’année qui vient"),
        ])
    func errors(kind: String, day: String, error: String) async throws {
        try await ReaderRig.run { rig in
            let form = "action=save&\(kind.isEmpty ? "" : "kinds=\(kind)&")rhythm=monthly&pausedUntil=\(day)"
            let answer = try await rig.submit(rig.token(), form)
            #expect(answer.status == 422 && answer.headers["content-type"] == "text/html; charset=utf-8")
            #expect(answer.text.contains(error) && answer.text.contains("Rien n’a été enregistré"))
            #expect(answer.text.contains("value=\"monthly\" checked>"))
            #expect(try await rig.preferences() == [])
            #expect(try await rig.suppressed() == [])
        }
    }

    @Test("the first day of a pause is tomorrow, the last a year from now")
    func pause() {
        func fault(_ day: Day) -> String? {
            var body = ChangePreferences.Body(action: .save, kinds: [.product])
            body.pausedUntil = day.text
            return PreferenceForm(body, today: "2027-03-14").errors["pausedUntil"]
        }
        #expect(fault("2027-03-14") != nil && fault("2027-03-15") == nil)
        #expect(fault("2028-03-13") == nil && fault("2028-03-14") != nil)
    }

    @Test("a form that no browser sends is refused, with a page")
    func refused() async throws {
        try await ReaderRig.run { rig in
            let token = try rig.token()
            for (form, status) in [
                ("", 422), ("action=steal", 422), ("action=save&kinds=everything", 422), ("action=leave&x=1", 400),
                ("action=return&purpose=partnerOffers", 422), ("action=save&action=leave", 400),
            ] {
                let answer = try await rig.submit(token, form)
                #expect(answer.status == status, "\(form)")
                #expect(answer.text.contains("La demande n’a pas été comprise"), "\(form)")
            }
            let json = try await rig.content.raw(.post, "/v1/preferences/\(token)", json: "{}")
            #expect(json.status == 415)
            #expect(try await rig.suppressed() == [])
        }
    }

    @Test(
        "the invitations are left and had back by their box; leaving them by another mail's link is no departure by it")
    func invitations() async throws {
        try await ReaderRig.run { rig in
            let mail = try await rig.mail()
            let token = try rig.token(.flashInfo, of: mail)
            _ = try await rig.submit(token, "action=save&kinds=product")
            #expect(try await rig.suppressed() == ["zoe@agence.example eventInvitations unsubscribed"])
            #expect(try await rig.departures() == [])
            _ = try await rig.submit(token, "action=save&kinds=product&eventInvitations=true")
            #expect(try await rig.suppressed() == [])
            #expect(try await rig.changes(of: .consentReturn).count == 1)
            _ = try await rig.submit(token, "action=leaveAll")
            #expect(try await rig.suppressed().count == 2)
            #expect(try await rig.departures() == ["\(mail.uuidString.lowercased()) t t"])
        }
    }

    @Test("a link changes what is wanted at its own address only, and a new consent in the directory changes nothing")
    func own() async throws {
        try await ReaderRig.run { rig in
            let other = ReaderRig(content: rig.content, maildir: rig.maildir, email: "luc@agence.example")
            _ = try await other.submit(other.token(), "action=save&kinds=marketing&eventInvitations=true")
            _ = try await rig.submit(rig.token(), "action=save&kinds=product&rhythm=monthly")
            let wanted = ["luc@agence.example marketing everyIssue", "zoe@agence.example product monthly"]
            #expect(try await rig.preferences() == wanted)
            try await rig.database.transaction { transaction in
                try await SuppressionStore.lift(
                    Suppression.Purpose.allCases.map { .init(email: rig.email, purpose: $0, agreedAt: .now) },
                    in: transaction)
            }
            #expect(try await rig.suppressed() == [])
            #expect(try await rig.preferences() == wanted)
        }
    }
}
