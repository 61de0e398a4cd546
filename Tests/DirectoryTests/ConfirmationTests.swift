import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("yearly confirmation", .serialized)
struct ConfirmationTests {
    @Test(
        "each record that is due is mailed once, however often it is called; only a POST to the link confirms"
    )
    func round() async throws {
        try await withNetwork(replicas: 2) { network in
            let directory = network.directory
            for number in 1...12 {
                _ = try await directory.expert(Line(validating: "Agence \(number)")) {
                    $0.email = try? EmailAddress(validating: "a\(number)@agence.example")
                }
            }
            _ = try await directory.expert("Sans adresse")
            let recent = try await directory.expert("Récent") { $0.email = "r@agence.example" }
            let ana = try await directory.person("Ana", "Bidart", email: "ana@conseil.example")
            _ = try await directory.client(.operator).send(CreateAmbassador.request(body: .init(person: ana.id)))
            try await network.change(
                "update expert set confirmed_at = now() - interval '11 months 1 day' where id <> \(recent.id)")
            try await network.change("update ambassador set confirmed_at = now() - interval '11 months 1 day'")

            let asked = try await call(network, times: 6)
            #expect(asked.reduce(0) { $0 + $1.experts } == 12)
            #expect(asked.reduce(0) { $0 + $1.ambassadors } == 1)
            let mails = try await network.mails(13)
            #expect(Set(mails.map(\.recipient)).count == 13 && mails.count == 13)
            #expect(mails.allSatisfy { $0.subject == "Votre fiche est-elle à jour\u{202F}?" })

            // A GET, as sent by programs that check mails, confirms nothing.
            let mail = try #require(mails.first { $0.recipient == "a7@agence.example" })
            let path = try #require(mail.path)
            let page = try await directory.raw(.get, path)
            #expect(page.status == 200 && page.text.contains("Agence 7") && page.text.contains("Je confirme"))
            #expect(page.text.contains(#"<html lang="fr">"#) && !page.text.contains("<script"))
            #expect(try await due(network) == 13)
            let posted = try await network.post("\(path)/confirmation")
            #expect(posted.status == 303)
            let thanks = try await directory.raw(.get, try #require(posted.headers["location"]))
            #expect(thanks.text.contains("votre fiche est confirmée"))
            #expect(try await due(network) == 12)
        }
    }

    @Test("reminders follow at growing intervals, three at most, and stop with the answer")
    func reminders() async throws {
        try await withNetwork { network in
            let expert = try await network.directory.expert("Agence") { $0.email = "a@agence.example" }
            try await network.change("update expert set confirmed_at = now() - interval '11 months 1 day'")
            var sent = 0
            for (days, more) in [(0, 1), (13, 0), (1, 1), (27, 0), (1, 1), (55, 0), (1, 1), (300, 0)] {
                try await network.change(
                    "update confirmation_request set asked_at = asked_at - make_interval(days => \(days)::integer)")
                let asked = try await call(network, times: 2)
                #expect(asked.reduce(0) { $0 + $1.experts } == more, "after \(days) more days")
                sent += more
                let mails = try await network.mails(sent)
                #expect(mails.count == sent)
            }
            #expect(try await network.mails(4).filter { $0.subject.hasPrefix("Rappel") }.count == 3)
            // The answer ends the round: another begins eleven months later.
            _ = try await network.directory.ask(.post, "/v1/experts/\(expert.id)/confirmations", json: "{}")
            #expect(try await call(network, times: 1)[0].experts == 0)
            try await network.change("update expert set confirmed_at = now() - interval '11 months 2 days'")
            #expect(try await call(network, times: 1)[0].experts == 1)
            #expect(try await network.mails(5).count == 5)
        }
    }

    @Test("a letter is not written if the answer came first")
    func overtaken() async throws {
        try await withDirectory { directory in
            // Content does not respond here: the job waits.
            let expert = try await directory.expert("Agence") { $0.email = "a@agence.example" }
            try await directory.database.withClient(searchPath: "directory") { client in
                _ = try await client.execute("update expert set confirmed_at = now() - interval '1 year'")
                let request = try await client.transaction { transaction in
                    try await ConfirmationStore.ask("expert", limit: 10, in: transaction)
                }
                let id = try #require(request.first)
                #expect(try await ConfirmationStore.open(id, on: client)?.expert == expert.id)
                _ = try await directory.ask(.post, "/v1/experts/\(expert.id)/confirmations", json: "{}")
                #expect(try await ConfirmationStore.open(id, on: client) == nil)
            }
        }
    }

    @Test("without the constraint two concurrent calls ask the same expert twice")
    func withoutConstraint() async throws {
        try await withDirectory { directory in
            _ = try await directory.expert("Agence") { $0.email = "a@agence.example" }
            try await directory.database.withClient(searchPath: "directory") { client in
                _ = try await client.execute("update expert set confirmed_at = now() - interval '1 year'")
                @Sendable func ask() async throws -> Int {
                    try await client.transaction { transaction in
                        // Both have read before either has written: the second reads while the first is still open.
                        let found = try await ConfirmationStore.ask("expert", limit: 10, in: transaction)
                        try await Task.sleep(for: .milliseconds(300))
                        return found.count
                    }
                }
                @Sendable func both() async throws -> Int {
                    async let first = ask()
                    async let second = ask()
                    return try await first + second
                }
                #expect(try await both() == 1)
                _ = try await client.execute("delete from confirmation_request")
                _ = try await client.execute(
                    "alter table confirmation_request drop constraint confirmation_request_expert_once")
                #expect(try await both() == 2)
            }
        }
    }

    // MARK: Steps

    /// Calls on every replica at once.
    private func call(_ network: Network, times: Int) async throws -> [ConfirmationCall] {
        let clients = try network.services.all(.directory).map { try $0.client(.operator) }
        return try await withThrowingTaskGroup(of: ConfirmationCall.self) { group in
            for number in 0..<times {
                group.addTask { try await clients[number % clients.count].send(RequestConfirmations.request()) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// How many records with an address have not been confirmed for eleven months.
    private func due(_ network: Network) async throws -> Int {
        try await network.services.database.withClient(searchPath: "directory") { client in
            try await client.first(
                """
                select (select count(*) from expert where email is not null and confirmed_at < now() - interval '11 months')
                    + (select count(*) from ambassador where confirmed_at < now() - interval '11 months') as count
                """)?["count"] ?? -1
        }
    }
}
