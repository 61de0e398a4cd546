import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("leaving with one click", .serialized)
struct OneClickTests {
    private static let multipart = """
        --b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n
        """

    @Test(
        "any body leaves at once: 200 without content",
        arguments: [
            ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
            ("multipart/form-data; boundary=b", Self.multipart), ("application/json", "{"), ("text/nonsense", "x"),
            ("application/x-www-form-urlencoded", ""), (nil, nil),
        ] as [(String?, String?)])
    func bodies(type: String?, body: String?) async throws {
        try await ReaderRig.run { rig in
            let answer = try await rig.click(
                rig.token(), headers: type.map { ["Content-Type": $0] } ?? [:], body: body)
            #expect(answer.status == 200 && answer.body.isEmpty)
            #expect(answer.headers["location"] == nil && answer.headers["content-length"] == "0")
            #expect(try await rig.suppressed() == ["zoe@agence.example flashInfo unsubscribed"])
        }
    }

    @Test("a body in chunks leaves, too")
    func chunks() async throws {
        try await ReaderRig.run { rig in
            let socket = try RawSocket(port: rig.content.apiPort)
            let path = ReaderLink.leaving(try rig.token(.eventInvitations))
            await socket.send(
                "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n1a\r\nList-Unsubscribe=One-Click\r\n0\r\n\r\n")
            #expect(await socket.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
            #expect(try await rig.suppressed() == ["zoe@agence.example eventInvitations unsubscribed"])
        }
    }

    @Test("five hundred at once from one machine: none is refused; what is no link counts as any request")
    func many() async throws {
        try await ReaderRig.run(adjust: { $0.limits.anonymousRate = RateLimit(perSecond: 0.001, burst: 3) }) { rig in
            let paths = try (0..<500).map { number in
                let email = try EmailAddress(validating: "lecteur\(number)@agence.example")
                return ReaderLink.leaving(
                    try ReaderLink(to: email, in: UUID(), leaving: .flashInfo).token(at: .now, rig.links))
            }
            let statuses = await withTaskGroup(of: Int.self) { group in
                for path in paths {
                    group.addTask {
                        await rig.content.respond(
                            to: HTTPRequest(method: .post, scheme: "http", authority: "a", path: path)
                        ).0.status.code
                    }
                }
                return await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 500])
            #expect(try await rig.suppressed().count == 500)
            // The same over sockets, from the same machine.
            for path in paths.prefix(20) { #expect(try await rig.content.raw(.post, path).status == 200) }
            var refused: [Int] = []
            for _ in 0..<5 { refused.append(try await rig.click("nonsense").status) }
            #expect(refused == [404, 404, 404, 429, 429])
            #expect(try await rig.click(rig.token()).status == 200)
            // The exemption is for leaving, not for everything that a link opens.
            #expect(try await rig.page(rig.token()).status == 429)
        }
    }

    @Test("a link that is cut, expired, asked for, or another service's is 404: a problem, or a page in a browser")
    func refused() async throws {
        try await ReaderRig.run { rig in
            let old = try ReaderLink(to: rig.email, in: UUID(), leaving: .flashInfo).token(
                at: .now.advanced(by: .seconds(-1100 * 86_400)), rig.links)
            let other = try rig.links.sealedToken(
                purpose: "confirm", subject: rig.email.text, expires: .now.advanced(by: .seconds(60)))
            let tokens = [String(try rig.token().dropLast(3)), old, other, try rig.askedToken(), "x"]
            for token in tokens {
                let answer = try await rig.click(token, headers: ["Accept": "*/*"])
                #expect(answer.status == 404 && answer.headers["content-type"] == "application/problem+json")
                let browser = try await rig.click(
                    token, headers: ["Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"])
                #expect(browser.status == 404)
                #expect(browser.headers["content-type"] == "text/html; charset=utf-8")
                #expect(browser.headers["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(
                    browser.text.contains("<html lang=\"fr\">") && browser.text.contains("Ce lien n’est pas valable"))
                let page = try await rig.content.raw(.get, ReaderLink.leaving(token))
                #expect(page.status == 404 && page.text.contains("Ce lien n’est pas valable"))
            }
            #expect(try await rig.suppressed() == [])
        }
    }

    @Test("a link is good for three years, and those of the first kind still work: they name no mail")
    func old() async throws {
        try await ReaderRig.run { rig in
            let links = rig.links
            let aged = try ReaderLink(to: rig.email, in: UUID(), leaving: .flashInfo).token(
                at: .now.advanced(by: .seconds(-1090 * 86_400)), links)
            #expect(try await rig.click(aged).status == 200)
            let expires = Timestamp.now.advanced(by: .seconds(400 * 86_400))
            for (email, purpose) in [
                ("luc@a.example", "unsubscribe"), ("eva@a.example", "unsubscribe-event-invitations"),
            ] {
                let sealed = try links.sealedToken(purpose: purpose, subject: email, expires: expires)
                #expect(try await rig.click(sealed).status == 200)
                #expect(try await rig.page(sealed).status == 200)
                let readable = links.token(purpose: purpose, subject: email, expires: expires)
                #expect(try await rig.click(readable).status == 200)
            }
            #expect(
                try await rig.suppressed() == [
                    "eva@a.example eventInvitations unsubscribed", "luc@a.example flashInfo unsubscribed",
                    "zoe@agence.example flashInfo unsubscribed",
                ])
            #expect(try await rig.departures() == [])
        }
    }

    @Test(
        "leaving is noted once beside the mail's state, with whether it had been accepted, and works without the mail")
    func departure() async throws {
        try await ReaderRig.run { rig in
            let (sent, failed) = (try await rig.mail(.sent), try await rig.mail(.failed))
            for mail in [sent, failed, UUID(), sent] {
                #expect(try await rig.click(rig.token(.eventInvitations, of: mail)).status == 200)
            }
            let noted = [sent: "t", failed: "f"].map { "\($0.uuidString.lowercased()) \($1) t" }.sorted()
            #expect(try await rig.departures() == noted)
            try await rig.database.execute("delete from outgoing_mail")
            #expect(try await rig.click(rig.token(.eventInvitations, of: sent)).status == 200)
            #expect(try await rig.departures() == [])
            #expect(try await rig.suppressed() == ["zoe@agence.example eventInvitations unsubscribed"])
        }
    }

    @Test("of an erased reader nothing is stored: the click is taken, and the pages say so")
    func erased() async throws {
        try await ReaderRig.run { rig in
            try await rig.database.transaction { transaction in
                try await ErasedReaders.add([], at: [rig.email.text], in: transaction)
            }
            let (token, mail) = (try rig.token(), try await rig.mail())
            #expect(try await rig.click(rig.token(.eventInvitations, of: mail)).status == 200)
            for form in ["action=save&kinds=product", "action=leave", "action=leaveAll", "action=return"] {
                let answer = try await rig.submit(token, form)
                #expect(answer.status == 410 && answer.text.contains("Le Club n’écrit plus à cette adresse"))
            }
            #expect(try await rig.page(token).status == 410)
            #expect(try await rig.content.raw(.get, ReaderLink.leaving(token)).status == 410)
            #expect(try await rig.suppressed() == [])
            #expect(try await rig.preferences() == [])
            #expect(try await rig.departures() == [])
        }
    }
}
