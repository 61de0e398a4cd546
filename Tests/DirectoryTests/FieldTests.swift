import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("ambassadors and experts")
struct FieldTests {
    @Test("repeated values in a list are stored once, whichever way they arrive, and counted once in facets")
    func once() async throws {
        try await withDirectory { directory in
            let expert = try await directory.expert("Agence") {
                ($0.topics, $0.brands) = (["network", "cloud", "network"], ["Altéa", "Boréal", "Altéa"])
                $0.departements = ["64", "40", "64"]
            }
            #expect(expert.topics == ["network", "cloud"] && expert.brands == ["Altéa", "Boréal"])
            #expect(expert.departements == ["64", "40"])
            let facets = try await directory.client(.operator).send(CountExperts.request(query: .init()))
            #expect(facets.topics.map(\.count) == [1, 1] && facets.brands.map(\.count) == [1, 1])
            let changed = try await directory.ask(
                .patch, "/v1/experts/\(expert.id)", ifMatch: 1, json: #"{"topics":["cloud","cloud"],"brands":[]}"#
            ).decode(Expert.self)
            #expect(changed.topics == ["cloud"] && changed.brands == [])
            let person = try await directory.person("Ana", "Bidart")
            let ambassador = try await directory.client(.operator).send(
                CreateAmbassador.request(
                    body: .init(person: person.id, topics: ["cloud", "cloud"], departements: ["64", "64"])))
            #expect(ambassador.topics == ["cloud"] && ambassador.departements == ["64"])
            let organization = try await directory.organization("Une", topics: ["cloud", "backup", "cloud"])
            #expect(organization.topics == ["cloud", "backup"])
        }
    }

    @Test("a person is an ambassador once, and the ambassador has the person's name")
    func ambassador() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let home = try await directory.organization("CGA du Béarn")
            let person = try await directory.person("Ana", "Bidart")
            let body = CreateAmbassador.Body(
                person: person.id, organization: home.id, topics: ["management"], departements: ["64", "40"])
            let ambassador = try await operating.send(CreateAmbassador.request(body: body))
            #expect(ambassador.name == "Bidart Ana")
            let again = try await directory.ask(.post, "/v1/ambassadors", json: #"{"person":"\#(person.id)"}"#)
            #expect(again.status == 409)
            let nobody = try await directory.ask(.post, "/v1/ambassadors", json: #"{"person":"\#(Person.ID())"}"#)
            #expect(try nobody.pointer() == "/person")

            _ = try await operating.send(
                ChangePerson.request(path: person.id, body: .init(familyName: "Çabal"), ifMatch: 1))
            let path = ambassador.id
            #expect(try await operating.send(GetAmbassador.request(path: path)).name == "Çabal Ana")
            let changed = try await operating.send(
                ChangeAmbassador.request(path: path, body: .init(topics: [], departements: ["33"]), ifMatch: 1))
            #expect(changed.topics == [] && changed.departements == ["33"] && changed.organization == home.id)

            func found(_ query: String) async throws -> Int {
                try await directory.ask("/v1/ambassadors\(query)").items("id").count
            }
            #expect(try await found("?departement=33") == 1)
            #expect(try await found("?departement=64") == 0)
            #expect(try await found("?topic=management") == 0)
            #expect(try await found("?organization=\(home.id)") == 1)
            #expect(try await found("?person=\(person.id)") == 1)
            #expect(try await found("?q=cabal") == 1)
            #expect(try await found("?q=bidart") == 0)
        }
    }

    @Test("an expert is enrolled, listed under every filter, and changed")
    func expert() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            #expect(try await directory.ask("/v1/experts").text == #"{"items":[]}"#)
            let atelier = try await directory.expert("Atelier Numérique") { body in
                body.siret = "73282932000074"
                body.email = "Contact@atelier.example"
                body.topics = ["webSite", "hosting"]
                body.brands = ["Élan", "HP"]
                body.departements = ["64", "40"]
                body.consents = .init(flashInfo: true)
            }
            #expect(atelier.departement == "64")
            #expect(atelier.consents.flashInfo?.agreed == true)
            let reseller = try await directory.expert("Bureau Vert") { body in
                body.subKind = .reseller
                body.postalCode = "20200"
                body.commune = "Bastia"
            }
            #expect(reseller.departements == ["2B"])
            func names(_ query: String) async throws -> [String] {
                try await directory.ask("/v1/experts\(query)").items("name")
            }
            #expect(try await names("") == ["Atelier Numérique", "Bureau Vert"])
            #expect(try await names("?subKind=reseller") == ["Bureau Vert"])
            #expect(try await names("?departement=2B") == ["Bureau Vert"])
            #expect(try await names("?subKind=webAgency&departement=64") == ["Atelier Numérique"])
            #expect(try await names("?serves=40") == ["Atelier Numérique"])
            #expect(try await names("?topic=hosting") == ["Atelier Numérique"])
            #expect(try await names("?brand=elan") == ["Atelier Numérique"])
            #expect(try await names("?brand=ela") == [])
            #expect(try await names("?siret=73282932000074") == ["Atelier Numérique"])
            #expect(try await names("?email=contact@ATELIER.example") == ["Atelier Numérique"])
            #expect(try await names("?updatedSince=2020-01-01T00:00:00Z&subKind=reseller") == ["Bureau Vert"])

            var patch = ChangeExpert.Body(name: "Atelier", consents: .init(flashInfo: false))
            patch.siret = .some(nil)
            patch.postalCode = "40100"
            let path = atelier.id
            let changed = try await operating.send(ChangeExpert.request(path: path, body: patch, ifMatch: 1))
            #expect(changed.name == "Atelier" && changed.siret == nil && changed.departement == "40")
            #expect(changed.departements == ["64", "40"] && changed.version == 2)
            #expect(changed.consents.flashInfo?.agreed == false)
            #expect(try await operating.send(GetExpert.request(path: path)) == changed)
            let stale = try await directory.ask(.patch, "/v1/experts/\(atelier.id)", ifMatch: 1, json: "{}")
            #expect(stale.status == 412)
            let taken = try await directory.ask(
                .post, "/v1/experts",
                json: #"{"subKind":"reseller","name":"A","postalCode":"98000","commune":"Monaco"}"#)
            // No record is refused because of its place.
            let monaco = try taken.decode(Expert.self)
            #expect(taken.status == 201 && monaco.departement == "980" && monaco.departements == ["980"])
        }
    }

    @Test("a search tolerates accents, endings and typing errors")
    func search() async throws {
        try await withDirectory { directory in
            for name: Line in ["Atelier Numérique du Béarn", "Société Etcheverry", "Électro Café", "Octets & Cie"] {
                _ = try await directory.expert(name)
            }
            _ = try await directory.expert("Landes Informatique") { $0.commune = "Mont-de-Marsan" }
            try await directory.database.withClient(as: "directory") { client in
                try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
            }
            func found(_ words: String) async throws -> [String] {
                let query = words.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                return try await directory.ask("/v1/experts?q=\(query)").items("name")
            }
            #expect(try await found("atelier numerique") == ["Atelier Numérique du Béarn"])
            #expect(try await found("ATELIERS NUMÉRIQUES") == ["Atelier Numérique du Béarn"])
            #expect(try await found("etcheveri") == ["Société Etcheverry"])
            #expect(try await found("informatik") == ["Landes Informatique"])
            #expect(try await found("mont de marsan") == ["Landes Informatique"])
            #expect(try await found("electro") == ["Électro Café"])
            #expect(try await found("zzz") == [])
            #expect(try await found("' or 1=1 -- & | ! ( :*") == [])
        }
    }

    @Test("the benchmark's statements use one index and one table")
    func plans() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(searchPath: "directory") { client in
                _ = try await client.execute(
                    """
                    insert into directory.expert (id, sub_kind, name, postal_code, commune, departement)
                    select gen_random_uuid(), (array['webAgency', 'reseller'])[1 + i % 2], 'Agence ' || i, '64000', 'Pau',
                        (array['64', '40', '33'])[1 + i % 3]
                    from generate_series(1, 3000) as i
                    """)
                _ = try await client.execute("analyze directory.expert")
                let filters: [(SQL, String)] = [
                    ("true", "expert_name_idx"),
                    ("sub_kind = 'webAgency'", "expert_sub_kind_idx"),
                    ("departement = '64'", "expert_departement_idx"),
                    ("sub_kind = 'webAgency' and departement = '64'", "expert_sub_kind_departement_idx"),
                ]
                for (filter, index) in filters {
                    let rows = try await client.query(
                        """
                        explain select id, name from directory.expert
                        where \(filter) and (sort_key, id) > ('agence 2', '00000000-0000-0000-0000-000000000000')
                        order by sort_key, id limit 51
                        """)
                    let plan = try rows.map { try $0["QUERY PLAN", as: String.self] }.joined(separator: "\n")
                    #expect(plan.contains("using \(index)"), "\(plan)")
                    #expect(!plan.contains("Sort"), "\(plan)")
                }
            }
        }
    }
}
