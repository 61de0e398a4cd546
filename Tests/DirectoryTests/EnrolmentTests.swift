import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("enrolment")
struct EnrolmentTests {
    @Test("only an enrolled record can leave, and only one that has left can come back")
    func transitions() {
        typealias State = Enrolment.State
        let allowed: [State: Set<State>] = [.enrolled: [.left], .left: [.enrolled]]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }

    @Test("a record that leaves is kept, with the day, gets no mailing, and can come back")
    func leaving() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let expert = try await directory.expert("Atelier") {
                $0.email = "contact@atelier.example"
                $0.consents = .init(flashInfo: true, publicDirectory: true)
            }
            #expect(expert.enrolledOn == .today && expert.leftOn == nil)
            let path = expert.id
            let left = try await operating.send(TransitionExpert.request(path: path, body: .init(to: .left)))
            #expect(left.leftOn == .today && left.version == 2 && left.name == "Atelier")
            let again = try await directory.ask(.post, "/v1/experts/\(expert.id)/transitions", json: #"{"to":"left"}"#)
            #expect(try again.problem().slug == "transition-not-allowed")
            let confirmed = try await directory.ask(.post, "/v1/experts/\(expert.id)/confirmations", json: "{}")
            #expect(confirmed.status == 409)
            #expect(try await audience(directory).isEmpty)
            func seen(_ query: String, as role: Role = .operator) async throws -> [String] {
                try await directory.ask("/v1/experts\(query)", as: role).items("name")
            }
            #expect(try await seen("") == ["Atelier"])
            #expect(try await seen("?enrolled=true") == [])
            #expect(try await seen("?enrolled=false") == ["Atelier"])
            #expect(try await seen("", as: .ambassador) == [])
            #expect(try await directory.ask("/v1/experts/\(expert.id)", as: .ambassador).status == 404)
            let back = try await operating.send(TransitionExpert.request(path: path, body: .init(to: .enrolled)))
            #expect(back.leftOn == nil && back.enrolledOn == .today && back.version == 3)
            #expect(try await audience(directory) == ["contact@atelier.example"])
            #expect(try await seen("", as: .ambassador) == ["Atelier"])
        }
    }

    @Test("an unconfirmed record ages, becomes stale and is hidden; a confirmation restores it")
    func decay() async throws {
        try await withDirectory { directory in
            for (name, months) in [("Un", 0), ("Deux", 11), ("Trois", 13), ("Quatre", 17), ("Cinq", 19)]
                as [(Line, Int)]
            {
                let expert = try await directory.expert(name) { $0.consents = .init(publicDirectory: true) }
                try await age(expert.id, months, directory)
            }
            func seen(_ query: String, as role: Role = .operator) async throws -> [String] {
                try await directory.ask("/v1/experts\(query)", as: role).items("name")
            }
            #expect(try await seen("?freshness=fresh") == ["Deux", "Un"])
            #expect(try await seen("?freshness=ageing") == ["Quatre", "Trois"])
            #expect(try await seen("?freshness=stale") == ["Cinq"])
            #expect(try await seen("").count == 5)
            #expect(try await seen("", as: .ambassador) == ["Deux", "Quatre", "Trois", "Un"])
            let stale = try await directory.client(.operator).send(
                ListExperts.request(query: .init(.init(.init(freshness: .stale)))))
            let id = try #require(stale.items.first?.id)
            // Experts see themselves, however old their records are, and no one else confirms for them.
            let claim = Organization.ID(id.uuid)
            func confirm(_ role: Role, _ organization: Organization.ID?) async throws -> RawAnswer {
                try await directory.ask(
                    .post, "/v1/experts/\(id)/confirmations", as: role, organization: organization, json: "{}")
            }
            #expect(try await directory.ask("/v1/experts/\(id)", as: .expert, organization: claim).status == 200)
            #expect(try await confirm(.expert, Organization.ID()).status == 404)
            #expect(try await confirm(.representative, claim).status == 403)
            #expect(try await confirm(.expert, claim).status == 200)
            #expect(try await seen("", as: .ambassador).contains("Cinq"))
        }
    }

    @Test("ambassadors confirm, leave and come back by themselves, and only for their own record")
    func ambassador() async throws {
        try await withDirectory { directory in
            let home = try await directory.organization("Maison")
            let ana = try await directory.person("Ana", "A", organization: home.id)
            let bob = try await directory.person("Bob", "B", organization: home.id)
            let operating = try directory.client(.operator)
            var ids: [Ambassador.ID] = []
            for person in [ana, bob] {
                let body = CreateAmbassador.Body(person: person.id, organization: home.id)
                ids.append(try await operating.send(CreateAmbassador.request(body: body)).id)
            }
            func post(_ id: Ambassador.ID, _ what: String, _ json: String = "{}") async throws -> RawAnswer {
                try await directory.ask(
                    .post, "/v1/ambassadors/\(id)/\(what)", as: .ambassador, person: ana.id, json: json)
            }
            #expect(try await post(ids[1], "confirmations").status == 404)
            #expect(try await post(ids[1], "transitions", #"{"to":"left"}"#).status == 404)
            #expect(try await post(ids[0], "confirmations").status == 200)
            #expect(try await post(ids[0], "transitions", #"{"to":"left"}"#).json()["leftOn"]?.string == Day.today.text)
            #expect(try await directory.ask("/v1/ambassadors?enrolled=true").items("name") == ["B Bob"])
            #expect(
                try await directory.ask("/v1/ambassadors?enrolled=false&freshness=fresh").items("name") == ["A Ana"])
            #expect(try await post(ids[0], "transitions", #"{"to":"enrolled"}"#).status == 200)
            let batch = try await directory.changes(1)
            let entry = batch.items.last { $0.entity == .ambassador }
            #expect(entry?.data?["confirmedAt"] != nil)
        }
    }

    private func audience(_ directory: TestService) async throws -> [EmailAddress] {
        var found: [EmailAddress] = []
        let request = ResolveAudience.request(body: Audience(audience: .experts, purpose: .flashInfo))
        for try await member in try directory.client(.service).stream(request) { found.append(member.email) }
        return found
    }

    private func age(_ id: Expert.ID, _ months: Int, _ directory: TestService) async throws {
        try await directory.database.withClient(searchPath: "directory") { client in
            _ = try await client.execute(
                """
                update expert set confirmed_at = now() - make_interval(months => \(months)::integer) where id = \(id)
                """)
        }
    }
}
