import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("calls and receipts as files", .serialized)
struct ContributionDocumentTests {
    @Test(
        "a call is a page and a file, for its organization and by its letter's link, and the file never changes")
    func call() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let own = try await directory.member("Chambre <du> Béarn")
            let other = try await directory.member("Autre")
            try await network.change(
                """
                update organization set email = 'contact@chambre.example', street = '3, place Royale',
                    postal_code = '64000', commune = 'Pau', siren = '732829320',
                    addresses = '[{"use": "billing", "street": "BP 12", "postalCode": "64001", "commune": "Pau Cedex"}]'
                where id = \(own.id)
                """)
            let contribution = try await called(own.id, directory)
            let path = "/v1/contributions/\(contribution.id)/call"
            let page = try await directory.ask(path, as: .representative, organization: own.id)
            #expect(page.status == 200)
            let texts = [
                "Appel de cotisation n° \(contribution.year)-\(contribution.number)", "Chambre &lt;du&gt; Béarn",
                "BP 12, 64001 Pau Cedex", "732829320", "1\u{202F}200,00\u{A0}€", "TVA non applicable", "\"call.pdf\"",
            ]
            for text in texts { #expect(page.text.contains(text), "\(text)") }
            #expect(try await directory.ask(path, as: .representative, organization: other.id).status == 404)
            #expect(try await directory.ask("\(path).pdf", as: .representative, organization: other.id).status == 404)
            #expect(try await directory.ask("\(path).pdf", as: .expert).status == 403)

            let file = try await directory.ask("\(path).pdf", as: .representative, organization: own.id)
            #expect(file.status == 200 && file.headers["content-type"] == "application/pdf")
            #expect(file.headers["content-disposition"]?.contains("appel-de-cotisation-") == true)
            #expect(file.body.starts(with: Array("%PDF-".utf8)))
            try await network.change("update organization set name = 'Neuf' where id = \(own.id)")
            #expect(try await directory.ask("\(path).pdf").body == file.body)

            _ = try await directory.client(.operator).send(SendContributionReminders.request())
            let mail = try #require(try await network.mails(1).first)
            let link = try #require(mail.path)
            #expect(link.hasPrefix("/v1/contribution-calls/"))
            #expect(try await directory.raw(.get, link).text.contains("Appel de cotisation"))
            #expect(try await directory.raw(.get, "\(link)/call.pdf").body == file.body)
            #expect(try await directory.raw(.get, "/v1/contribution-calls/x/call.pdf").status == 404)
            // The link of a call does not open a receipt.
            let token = try #require(link.split(separator: "/").last)
            #expect(try await directory.raw(.get, "/v1/receipts/\(token)/receipt.pdf").status == 404)
        }
    }

    @Test("a cancelled call asks for no payment, whether or not its file existed before", arguments: [true, false])
    func cancelled(isAskedForBefore: Bool) async throws {
        try await withDirectory { directory in
            let own = try await directory.member("Alpha")
            let contribution = try await called(own.id, directory)
            let path = "/v1/contributions/\(contribution.id)"
            let before = isAskedForBefore ? try await directory.ask("\(path)/call.pdf").body : []
            let documents = ContributionDocuments(backend: directory.backend)
            func text() async throws -> String {
                let call = try await ContributionDocumentStore.call(contribution.id, on: directory.backend.database)
                return String(describing: documents.document(of: try #require(call)))
            }
            #expect(try await text().contains("Montant à régler"))
            #expect(try await directory.ask("\(path)/call").text.contains("comme référence de votre virement"))
            let cancelled = try await directory.ask(.post, "\(path)/cancellation", json: #"{"reason":"Erreur"}"#)
            #expect(cancelled.status == 200)
            let (told, page) = (try await text(), try await directory.ask("\(path)/call").text)
            for asked in ["Montant à régler", "À régler au plus tard", "votre virement", "Votre avoir couvre"] {
                #expect(!told.contains(asked) && (asked == "Montant à régler" || !page.contains(asked)), "\(asked)")
            }
            #expect(told.contains("Cet appel a été annulé le") && page.contains("Cet appel a été annulé le"))
            #expect(page.contains("<strong>0,00\u{A0}€</strong>") && !page.contains("1\u{202F}200,00"))
            let file = try await directory.ask("\(path)/call.pdf")
            #expect(file.status == 200 && file.body.starts(with: Array("%PDF-".utf8)) && file.body != before)
            #expect(try await directory.ask("\(path)/call.pdf").body == file.body)
        }
    }

    @Test("a receipt's file matches its page, is the same for all concurrent requests, and never changes")
    func receipt() async throws {
        try await withDirectory { directory in
            let own = try await directory.member("Alpha")
            try await directory.database.withClient(searchPath: "directory") { client in
                _ = try await client.execute(
                    "update organization set street = '1, rue Haute', siren = '732829320' where id = \(own.id)")
            }
            let contribution = try await called(own.id, directory)
            let path = "/v1/contributions/\(contribution.id)/receipt"
            #expect(try await directory.ask("\(path).pdf").status == 404)
            _ = try await directory.client(.operator).send(
                CreatePayment.request(
                    path: contribution.id,
                    body: .init(amount: contribution.amount, paidOn: .today)))
            let page = try await directory.ask(path).text
            #expect(page.contains("1, rue Haute") && page.contains("732829320") && page.contains("TVA non applicable"))
            let files = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 { group.addTask { try await directory.ask("\(path).pdf").body } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(files).count == 1 && files[0].starts(with: Array("%PDF-".utf8)))
            try await directory.database.withClient(searchPath: "directory") { client in
                for statement in [
                    "update contribution_document set pdf = ''", "delete from contribution_document",
                ] as [SQL] {
                    let error = await #expect(throws: PostgresError.self) { _ = try await client.execute(statement) }
                    #expect(error?.constraint == "contribution_document_final")
                }
            }
        }
    }

    private func called(_ organization: Organization.ID, _ directory: TestService) async throws -> Contribution {
        let operating = try directory.client(.operator)
        _ = try await operating.send(CallContributions.request(body: .init(year: Day.today.year)))
        let list = try await operating.send(ListContributions.request(query: .init(.init(organization: organization))))
        return try #require(list.items.first)
    }
}
