import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("unsubscribing from the Flash info by link", .serialized)
struct UnsubscriptionTests {
    /// The addresses that an issue is sent to.
    private func send(_ network: Network) async throws -> [String] {
        let content = try network.services[.content].client(.operator)
        let issue = try await content.send(CreateIssue.request(body: .init(title: "Flash info")))
        _ = try await content.send(
            AddIssueItem.request(
                path: issue.id, body: .init(kind: .technical, title: "Une nouvelle", text: "Du texte.")))
        _ = try await content.send(TransitionIssue.request(path: issue.id, body: .init(to: .sending)))
        try await eventually("the issue is sent") {
            try await content.send(GetIssue.request(path: issue.id)).state == .sent
        }
        return try await content.send(
            ListDeliveries.request(path: issue.id, query: .init(.init(state: .sent)), body: Empty())
        ).items.map(\.email.text)
    }

    @Test("the ledger records the withdrawal; a reader who consents again is mailed again")
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
            try await leave("contact@atelier.example", network)
            func get(_ expert: Expert) async throws -> Expert {
                try await operating.send(GetExpert.request(path: expert.id))
            }
            try await eventually("the directory knows") {
                try await get(expert).consents.flashInfo?.agreed == false
            }
            let now = try await get(expert)
            #expect(now.version == 2 && now.consents.publicDirectory?.agreed == true)
            #expect(try await get(other).version == 1)
            let path = expert.id
            func ledger() async throws -> [ConsentEntry] {
                try await operating.send(
                    ListExpertConsents.request(path: path, query: .init(.init(purpose: .flashInfo)), body: Empty())
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
            // The feed is read again after a restore: answers given since stay.
            try await directory.backend.database.transaction { try await Unsubscriptions.apply(changes, $0) }
            #expect(try await ledger().map(\.agreed) == [true, false, true])
        }
    }

    @Test("leaving the invitations withdraws the consent to them, and not the one to the Flash info")
    func invitations() async throws {
        try await withNetwork { network in
            let operating = try network.directory.client(.operator)
            let expert = try await network.directory.expert("Atelier") {
                $0.email = "contact@atelier.example"
                $0.consents = ConsentChoices(flashInfo: true, eventInvitations: true)
            }
            try await leave("contact@atelier.example", network, "unsubscribe-event-invitations")
            try await eventually("the directory knows") {
                try await operating.send(GetExpert.request(path: expert.id)).consents.eventInvitations?.agreed == false
            }
            let now = try await operating.send(GetExpert.request(path: expert.id))
            #expect(now.version == 2 && now.consents.flashInfo?.agreed == true)
            let ledger = try await operating.send(
                ListExpertConsents.request(path: expert.id, query: .init(), body: Empty())
            ).items
            let line = try #require(ledger.first)
            #expect(line.purpose == .eventInvitations && !line.agreed && line.source == .own && line.by == "content")
            #expect(line.wording?.text.contains("Ne plus recevoir les invitations") == true)
            #expect(try await send(network) == ["contact@atelier.example"])
        }
    }

    @Test("a return is mailed again, and the suppression that content has told of withdraws nothing any more")
    func returned() async throws {
        try await withNetwork { network in
            let database = network.directory.backend.database
            let expert = try await network.directory.expert("Atelier") {
                $0.email = "contact@atelier.example"
                $0.consents = ConsentChoices(flashInfo: true)
            }
            func agreed() async throws -> Bool? {
                try await network.directory.client(.operator).send(GetExpert.request(path: expert.id))
                    .consents.flashInfo?.agreed
            }
            try await leave("contact@atelier.example", network)
            try await eventually("the directory knows") { try await agreed() == false }
            #expect(try await send(network) == [])
            let content = network.services[.content]
            let changes = try await content.client(.service).send(ReadChanges.request(query: .init())).items
            let row = try await content.backend.database.first("delete from suppression returning id, unsubscribed_at")
            let leftAt: Timestamp = try #require(try row?["unsubscribed_at"])
            // Content has ended its suppression, and the directory has not heard of it: nobody is mailed.
            #expect(try await send(network) == [])
            let returning = try Change.returned(
                "contact@atelier.example", .flashInfo, leftAt: leftAt, at: .now)
            try await database.transaction { try await Unsubscriptions.apply([returning], $0) }
            #expect(try await send(network) == ["contact@atelier.example"])
            try await database.transaction { try await Unsubscriptions.apply(changes + [returning], $0) }
            #expect(try await agreed() == true)
            #expect(try await send(network) == ["contact@atelier.example"])
        }
    }

    private func leave(_ email: String, _ network: Network, _ purpose: String = "unsubscribe") async throws {
        let content = network.services[.content]
        let token = content.backend.links.token(
            purpose: purpose, subject: email, expires: .now.advanced(by: .seconds(60)))
        #expect(try await content.raw(.post, "/v1/unsubscriptions/\(token)").status == 200)
    }

    @Test(
        "consent lifts nothing at an address that a file or the staff added later, but does where it was given",
        arguments: [true, false])
    func moved(byFile: Bool) async throws {
        try await withNetwork { network in
            let directory = network.directory
            let operating = try directory.client(.operator)
            let gone = try await directory.person("Zoé", "Zola", email: "erased@a.example")
            _ = try await operating.send(CreateErasure.request(body: .init(person: gone.id, reason: .request)))
            try await leave("left@a.example", network)
            try await eventually("content has erased") {
                let row = try await network.services[.content].backend.database.first(
                    "select count(*) as count from erased_address")
                return try row?["count", as: Int.self] == 1
            }

            let expert = try await directory.expert("Atelier") {
                $0.email = "atelier@a.example"
                $0.consents = ConsentChoices(flashInfo: true)
            }
            let ana = try await directory.person(
                "Ana", "Ader", email: "ana@a.example", consents: ConsentChoices(flashInfo: true))
            _ = try await operating.send(CreateAmbassador.request(body: .init(person: ana.id)))
            #expect(Set(try await send(network)) == ["atelier@a.example", "ana@a.example"])
            if byFile {
                let experts = try await directory.takes(.experts, "id,email\n\(expert.id),left@a.example\n")
                let people = try await directory.takes(.people, "id,email\n\(ana.id),erased@a.example\n")
                #expect(experts.updated == 1 && people.updated == 1)
            } else {
                for (path, email) in [
                    ("experts/\(expert.id)", "left@a.example"), ("people/\(ana.id)", "erased@a.example"),
                ] {
                    let changed = try await directory.ask(
                        .patch, "/v1/\(path)", ifMatch: 1, json: #"{"email":"\#(email)"}"#)
                    #expect(changed.status == 200)
                }
            }
            #expect(try await send(network) == [])
            #expect(try await send(network) == [])
            let left = try await network.services[.content].client(.operator).send(
                ListSuppressions.request(query: .init()))
            #expect(left.items.map(\.email) == ["left@a.example"])

            _ = try await operating.send(
                AddExpertConsent.request(
                    path: expert.id, body: .init(purpose: .flashInfo, agreed: true)))
            _ = try await operating.send(
                AddPersonConsent.request(path: ana.id, body: .init(purpose: .flashInfo, agreed: true)))
            #expect(Set(try await send(network)) == ["left@a.example", "erased@a.example"])
        }
    }
}
