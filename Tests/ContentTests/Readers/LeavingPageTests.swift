import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("the page behind the link to leave", .serialized)
struct LeavingPageTests {
    @Test("opening it changes nothing, neither by GET nor by HEAD; its one button leaves")
    func opening() async throws {
        try await ReaderRig.run { rig in
            let (token, mail) = (try rig.token(.eventInvitations, of: UUID()), try await rig.mail())
            let named = try rig.token(.eventInvitations, of: mail)
            for token in [token, named] {
                let page = try await rig.content.raw(.get, ReaderLink.leaving(token))
                #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
                #expect(page.headers["referrer-policy"] == "no-referrer" && page.headers["cache-control"] == "no-store")
                #expect(
                    page.text.split(separator: "<form").count == 2 && page.text.split(separator: "<button").count == 2)
                #expect(page.text.contains("<form method=\"post\" action=\"/v1/preferences/\(token)\">"))
                #expect(page.text.contains("Ne plus recevoir les invitations du Club"))
                #expect(try await rig.content.raw(.head, ReaderLink.leaving(token)).status == 200)
                #expect(try await rig.page(token).status == 200)
                #expect(try await rig.page(token, .head).status == 200)
            }
            #expect(try await rig.suppressed() == [])
            #expect(try await rig.preferences() == [])
            #expect(try await rig.departures() == [])
            let done = try await rig.submit(named, "action=leave&purpose=eventInvitations")
            #expect(done.status == 200 && done.text.contains("Vous ne recevez plus les invitations du Club"))
            #expect(done.text.contains("name=\"action\" value=\"return\""))
            #expect(try await rig.suppressed() == ["zoe@agence.example eventInvitations unsubscribed"])
            #expect(try await rig.departures() == ["\(mail.uuidString.lowercased()) t t"])
            // From then on it says so.
            let again = try await rig.content.raw(.get, ReaderLink.leaving(token))
            #expect(again.text.contains("Vous ne recevez plus les invitations du Club"))
        }
    }

    @Test("no page has an address in full, a script, or anything from elsewhere")
    func pages() async throws {
        try await ReaderRig.run("zoe.quettehou@agence-quettehou.example") { rig in
            let token = try rig.token()
            let pages = [
                try await rig.content.raw(.get, ReaderLink.leaving(token)), try await rig.page(token),
                try await rig.submit(token, "action=save"), try await rig.submit(token, "action=leave"),
                try await rig.page(token), try await rig.submit(token, "action=return"),
                try await rig.submit(token, "action=leaveAll"),
            ]
            for page in pages {
                #expect(page.text.contains("z…@a….example"))
                #expect(!page.text.lowercased().contains("quettehou") && !page.text.contains("zoe"))
                #expect(!page.text.contains("<script") && !page.text.contains("http"))
                #expect(page.text.contains("prefers-color-scheme:dark") && page.text.contains("width=device-width"))
                #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            }
        }
    }

    @Test("who left comes back within thirty days; the feed says so for the directory's ledger")
    func back() async throws {
        try await ReaderRig.run { rig in
            let token = try rig.token()
            #expect(try await rig.click(token).status == 200)
            try await rig.leave(daysAgo: 29)
            let answer = try await rig.submit(token, "action=return")
            #expect(answer.status == 200 && answer.text.contains("vous recevez de nouveau le Flash info"))
            #expect(try await rig.suppressed() == [])
            // Asked twice, it is one return.
            #expect(try await rig.submit(token, "action=return").status == 200)
            let changes = try await rig.changes(of: .consentReturn)
            #expect(changes.map(\.action) == [.created])
            let back = try #require(try changes.first?.data?.decoded(as: ConsentReturn.self))
            #expect(back.email == rig.email && back.purpose == .flashInfo && back.id.text == changes.first?.id)
            let day = 86_400.0
            #expect(abs(Double(back.returnedAt.microseconds - back.leftAt.microseconds) / 1e6 - 29 * day) < 60)
            #expect(try await rig.changes(of: .suppression).map(\.action) == [.created, .deleted])
        }
    }

    @Test("after thirty days, and from anything but having left, the link brings nobody back")
    func tooLate() async throws {
        try await ReaderRig.run { rig in
            let token = try rig.token()
            #expect(try await rig.click(token).status == 200)
            #expect(try await rig.click(rig.token(.eventInvitations)).status == 200)
            try await rig.leave(daysAgo: 30)
            let answer = try await rig.submit(token, "action=return")
            #expect(answer.status == 409 && answer.text.contains("écrivez au Club"))
            let page = try await rig.page(token)
            #expect(!page.text.contains("value=\"return\"") && page.text.contains("écrivez au Club"))
            #expect(try await rig.content.raw(.get, ReaderLink.leaving(token)).text.contains("écrivez au Club"))
            // Nor by ticking the box again.
            let ticked = try await rig.submit(token, "action=save&kinds=product&eventInvitations=true")
            #expect(ticked.status == 422 && ticked.text.contains("écrivez au Club"))
            #expect(try await rig.suppressed().count == 2)
            for reason in [Suppression.Reason.bounced, .complaint, .manual] {
                try await rig.database.execute("delete from suppression")
                _ = try await rig.content.client(.operator).send(
                    CreateSuppression.request(body: .init(email: rig.email, reason: reason)))
                _ = try await rig.submit(token, "action=return")
                #expect(try await rig.suppressed() == ["zoe@agence.example \(reason.rawValue)"])
                #expect(try await rig.page(token).text.contains("Le Club n’écrit plus à cette adresse"))
            }
            #expect(try await rig.changes(of: .consentReturn).isEmpty)
        }
    }

    @Test("coming back to one thing does not bring back another")
    func one() async throws {
        try await ReaderRig.run { rig in
            let token = try rig.token()
            #expect(try await rig.submit(token, "action=leaveAll").status == 200)
            #expect(try await rig.suppressed().count == 2)
            _ = try await rig.submit(rig.askedToken(), "action=return&purpose=eventInvitations")
            #expect(try await rig.suppressed() == ["zoe@agence.example flashInfo unsubscribed"])
        }
    }
}
