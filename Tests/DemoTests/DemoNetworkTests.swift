import AsyncHTTPClient
import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Demo

@Suite("the demo's network")
struct DemoNetworkTests {
    @Test("experts are found, counted, published and asked with their own rights; a second run duplicates nothing")
    func steps() async throws {
        try await TestClub.run([.directory]) { club in
            let operating = try club.client(.directory)
            for name in ["Informatique Martin", "Informatique Petit", "Informatique Roux", "Studio Blanc"] as [Line] {
                _ = try await operating.send(
                    CreateExpert.request(
                        body: .init(
                            subKind: .reseller, name: name, postalCode: "64100", commune: "Bayonne",
                            topics: name == "Studio Blanc" ? ["webSite"] : ["onlineSales"])))
            }
            let person = try await operating.send(
                CreatePerson.request(body: .init(givenName: "Ana", familyName: "Bidart")))
            _ = try await operating.send(
                CreateAmbassador.request(body: .init(person: person.id, departements: ["64"])))
            let pictures = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: pictures) }
            let network = DemoNetwork(
                directory: operating, address: "http://127.0.0.1", pictures: pictures.path + "/made"
            ) { role, organization, person in
                ServiceClient(
                    name: .directory, url: club[.directory].url,
                    credentials: .bearer(try club.token(role, organization: organization, person: person)),
                    http: .shared)
            }

            let found = try await network.search()
            #expect(found.contains("“infromatique” read as “informatique”: 3 experts; nearest to 64000: "))
            #expect(found.contains("Informatique Martin (64100 Bayonne)"))
            let coverage = try await network.coverage()
            #expect(coverage.hasPrefix("experts in 1 of 108 départements"))
            // A browser opens it without a token: it is a file.
            let map = try #require(try await network.map().flatMap { URL(string: $0) })
            #expect(map.isFileURL)
            #expect(try String(contentsOf: map, encoding: .utf8).contains("<svg"))
            let published = try await network.publish()
            #expect(published == "3 experts agreed; Informatique Martin is shown")
            #expect(try await network.page().hasPrefix("http://127.0.0.1/annuaire/experts/"))
            let referred = try await network.refer()
            #expect(
                referred.contains("Bidart Ana asked 3 experts by mail")
                    && referred.hasSuffix("2 no longer need to answer"))

            #expect(try await network.publish().hasPrefix("0 experts agreed"))
            #expect(try await network.refer() == referred)
            let referrals = try await operating.send(ListReferrals.request(query: .init()))
            #expect(referrals.items.map(\.state) == [.placed])
            let offers = try await operating.send(ListReferralOffers.request(query: .init()))
            #expect(offers.items.count == 3)
        }
    }
}
