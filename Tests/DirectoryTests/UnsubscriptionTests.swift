import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("who leaves the Flash info by its link", .serialized)
struct UnsubscriptionTests {
    /// The issue's addresses.
    private func send(_ network: Network) async throws -> [String] {
        let content = try network.services[.content].client(.operator)
        let issue = try await content.send(CreateIssue.request(body: .init(title: "Flash info")))
        _ = try await content.send(
            AddIssueItem.request(
                path: .init(issue: issue.id), body: .init(kind: .technical, title: "Une nouvelle", text: "Du texte.")))
        _ = try await content.send(MoveIssue.request(path: .init(issue: issue.id), body: .init(to: .sending)))
        try await eventually("the issue is sent") {
            try await content.send(GetIssue.request(path: .init(issue: issue.id))).state == .sent
        }
        return try await content.send(
            ListDeliveries.request(path: .init(issue: issue.id), query: .init(state: .sent), body: Empty())
        ).items.map(\.email.text)
    }

    @Test("the ledger says that they took their agreement back; who agrees again is mailed again")
    func withdrawn() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let operating = try directory.client(.operator)
            let expert = try await directory.expert("Atelier") {
                $0.email = "Contact@atelier.example"
                $0.consents = ConsentChoices(flashInfo: true, publicDirectory: true)
            }
            let other = try await directory.expert("Autre") {
                $0.email = "autre@atelier.example"
                $0.consents = ConsentChoices(flashInfo: true)
            }
            #expect(try await send(network) == ["Contact@atelier.example", "autre@atelier.example"])

            let content = network.services[.content]
            let token = content.backend.links.token(
                purpose: "unsubscribe", subject: "contact@atelier.example", expires: .now.advanced(by: .seconds(60)))
            #expect(try await content.raw(.post, "/v1/unsubscriptions/\(token)").status == 204)
            func get(_ expert: Expert) async throws -> Expert {
                try await operating.send(GetExpert.request(path: .init(expert: expert.id)))
            }
            try await eventually("the directory knows") {
                try await get(expert).consents.flashInfo?.agreed == false
            }
            let now = try await get(expert)
            #expect(now.version == 2 && now.consents.publicDirectory?.agreed == true)
            #expect(try await get(other).version == 1)
            let path = ListExpertConsents.Path(expert: expert.id)
            func ledger() async throws -> [ConsentEntry] {
                try await operating.send(
                    ListExpertConsents.request(path: path, query: .init(purpose: .flashInfo), body: Empty())
                ).items
            }
            let line = try #require(try await ledger().first)
            #expect(
                line.source == .own && !line.agreed && line.by == "content" && line.at == now.consents.flashInfo?.at)
            #expect(line.wording?.text.contains("lien de désinscription") == true)
            #expect(try await send(network) == ["autre@atelier.example"])
            let changes = try await content.client(.service).send(ReadChanges.request(query: .init())).items

            _ = try await operating.send(
                AddExpertConsent.request(path: path, body: .init(purpose: .flashInfo, agreed: true)))
            #expect(try await send(network) == ["Contact@atelier.example", "autre@atelier.example"])
            // The feed is read again after a restore: what was answered since stays.
            try await directory.backend.database.transaction { try await Unsubscriptions.apply(changes, $0) }
            #expect(try await ledger().map(\.agreed) == [true, false, true])
        }
    }
}
