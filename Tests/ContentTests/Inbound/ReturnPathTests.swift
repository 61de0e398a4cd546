import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("return paths")
struct ReturnPathTests {
    private func links() throws -> SignedLinks { SignedLinks(key: try KeyFile.generate(kid: "content-1")) }

    @Test("a token of 40 characters names its mail, in either case, and nothing of the reader")
    func token() throws {
        let path = try ReturnPath("return@club.example", links: links())
        for _ in 0..<200 {
            let mail = MailMessage.ID()
            let address = try path.address(of: mail).text
            let token = String(address.dropFirst("return+".count).prefix { $0 != "@" })
            #expect(token.count == 40)
            #expect(address.hasSuffix("@club.example"))
            #expect(token == token.lowercased())
            #expect(path.mail(of: token) == mail)
            #expect(path.mail(of: token.uppercased()) == mail)
        }
    }

    @Test("a token that was changed, cut, or made by others is none")
    func forged() throws {
        let path = try ReturnPath("return@club.example", links: links())
        let mail = MailMessage.ID()
        let token = Array(try path.address(of: mail).text.dropFirst("return+".count).prefix(40))
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == "0" ? "1" : "0"
            #expect(path.mail(of: String(changed)) == nil)
        }
        #expect(path.mail(of: String(token.dropLast())) == nil)
        #expect(path.mail(of: String(token) + "0") == nil)
        #expect(path.mail(of: "") == nil)
        #expect(path.mail(of: String(repeating: "z", count: 40)) == nil)
        #expect(try ReturnPath("return@club.example", links: links()).mail(of: String(token)) == nil)
    }

    @Test(
        "an address that is none, or not return@, stops the start with one line",
        arguments: ["", "x", "club@club.example"])
    func invalid(address: String) throws {
        let links = try links()
        #expect(throws: MailReturnInvalid.self) { try ReturnPath(address, links: links) }
    }

    @Test("mails have it as envelope sender, and as the address of List-Unsubscribe")
    func envelope() async throws {
        try await ScriptedMailServer.run { server in
            try await Mailroom.run(
                mailURL: "smtp://127.0.0.1:\(server.port)?starttls=never&from=club@club.example",
                adjust: { $0.mailReturn = "return@back.club.example" }
            ) { room, _ in
                let issue = try await room.issue(to: ["zoe@agence.example"])
                try await room.until(issue, is: .sent)
                let mail: MailMessage.ID = try #require(
                    try await room.database.first("select id from delivery")?["id"])
                let address = try ReturnPath("return@back.club.example", links: room.content.backend.links)
                    .address(of: mail).text
                let message = try #require(server.accepted.first)
                #expect(message.sender == address)
                #expect(message.header("List-Unsubscribe")?.contains("mailto:\(address)?subject=") == true)
                #expect(message.header("From")?.contains("club@club.example") == true)
            }
        }
    }
}
