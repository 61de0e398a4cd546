import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("erasure")
struct ErasureTests {
    @Test(
        "only an erasure's own transitions are allowed", arguments: Erasure.State.allCases, Erasure.State.allCases)
    func states(from: Erasure.State, to: Erasure.State) {
        let allowed: [Erasure.State: Set<Erasure.State>] = [
            .requested: [.erasing, .refused], .refused: [], .erasing: [.done], .done: [],
        ]
        #expect(from.allows(to) == allowed[from]?.contains(to))
    }

    private func waitForOwnReport(_ id: Erasure.ID, _ directory: TestService) async throws -> Erasure {
        for _ in 1...600 {
            let erasure = try await directory.client(.operator).send(GetErasure.request(path: id))
            if erasure.services.first?.doneAt != nil { return erasure }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await directory.client(.operator).send(GetErasure.request(path: id))
    }

    private func report(_ id: Erasure.ID, as service: ServiceName, _ directory: TestService) async throws -> RawAnswer {
        let token = try directory.keys.token(.service, as: service, for: .directory)
        return try await directory.raw(
            .post, "/v1/erasures/\(id)/reports", headers: ["Authorization": "Bearer \(token)"], json: "{}")
    }

    @Test("the directory is erased at once, mandates keep their days, and it is done when all four have reported")
    func whole() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let home = try await directory.organization("Maison")
            let person = try await directory.person(
                "Zéphyrine", "Quettehou", email: "zq@rare.example", organization: home.id,
                consents: .init(flashInfo: true))
            _ = try await operating.send(CreateAmbassador.request(body: .init(person: person.id)))
            let mandate = try await operating.send(
                CreateMandate.request(
                    path: home.id,
                    body: .init(person: person.id, kind: .titular, from: "2026-01-01")))
            let started = try await operating.send(CreateErasure.request(body: .init(person: person.id)))
            #expect(started.state == .erasing && started.version == 2)
            #expect(started.services.map(\.service) == ServiceName.allCases)
            #expect(try await directory.ask("/v1/people/\(person.id)").status == 404)
            #expect(try await directory.ask("/v1/ambassadors").items("id") == [])
            let mandates = try await operating.send(
                ListMandates.request(path: home.id, query: .init(), body: Empty()))
            #expect(mandates.items.map(\.id) == [mandate.id])
            #expect(mandates.items[0].person == nil && mandates.items[0].version == 2)

            let own = try await waitForOwnReport(started.id, directory)
            #expect(own.state == .erasing)
            let notice = try await directory.client(.service).send(
                GetErasureNotice.request(path: started.id))
            #expect(
                notice.emails == ["zq@rare.example"] && notice.aliases == [] && notice.subject.text == person.id.text)
            for service in [ServiceName.events, .content, .events] {
                #expect(try await report(started.id, as: service, directory).status == 200)
            }
            #expect(try await report(started.id, as: .content, directory).decode(Erasure.self).state == .erasing)
            let done = try await report(started.id, as: .lobbying, directory).decode(Erasure.self)
            #expect(done.state == .done && done.completedAt != nil && done.services.allSatisfy { $0.doneAt != nil })
            #expect(try await report(started.id, as: .lobbying, directory).decode(Erasure.self).version == done.version)
            let later = try await directory.client(.service).send(
                GetErasureNotice.request(path: started.id))
            #expect(later.emails == [] && later.subject == notice.subject)
            let dump = try directory.database.dump().lowercased()
            for word in ["zéphyrine", "zephyrine", "quettehou", "rare.example"] { #expect(!dump.contains(word)) }
            let again = try await directory.ask(.post, "/v1/erasures", json: #"{"person":"\#(person.id)"}"#)
            #expect(again.status == 422)
        }
    }

    @Test("the health page warns of an unhandled erasure; one of a merged record says so")
    func waiting() async throws {
        try await withDirectory { directory in
            let ana = try await directory.person("Ana", "A")
            let twin = try await directory.person("Ana", "A.")
            _ = try await directory.merge(twin.id.record, into: ana.id.record, .person)
            let merged = try await directory.ask(.post, "/v1/erasures", json: #"{"person":"\#(twin.id)"}"#)
            #expect(merged.status == 422 && merged.text.contains("It was merged into \(ana.id)."))
            func warning() async throws -> String? {
                try await directory.operatorPage("/health/ready").decode(HealthReport.self)
                    .checks["erasures:waiting"]?.first?.output
            }
            #expect(try await warning() == nil)
            let asked = try await directory.ask(
                .post, "/v1/erasures", as: .ambassador, person: ana.id, json: #"{"person":"\#(ana.id)"}"#
            ).decode(Erasure.self)
            try await eventually("a warning") { try await warning()?.hasPrefix("1 requested") == true }
            let moved = try await directory.ask(
                .post, "/v1/erasures/\(asked.id)/transitions", json: #"{"to":"refused"}"#)
            #expect(moved.status == 200)
            try await eventually("no warning") { try await warning() == nil }
        }
    }

    @Test("the health page warns of an erasure that a service has not reported for a day")
    func stuck() async throws {
        try await withDirectory { directory in
            let person = try await directory.person("Ana", "A")
            let started = try await directory.client(.operator).send(
                CreateErasure.request(body: .init(person: person.id)))
            func warning() async throws -> String? {
                try await directory.operatorPage("/health/ready").decode(HealthReport.self)
                    .checks["erasures:stuck"]?.first?.output
            }
            #expect(try await warning() == nil)
            try await directory.backend.database.execute("update erasure set started_at = now() - interval '25 hours'")
            try await eventually("a warning") { try await warning()?.hasPrefix("1 begun") == true }
            _ = try await waitForOwnReport(started.id, directory)
            for service in [ServiceName.events, .content, .lobbying] {
                #expect(try await report(started.id, as: service, directory).status == 200)
            }
            try await eventually("no warning") { try await warning() == nil }
        }
    }

    @Test("while it is in progress, the staff is told which other records share the address or telephone")
    func others() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let person = try await operating.send(
                CreatePerson.request(
                    body: .init(
                        givenName: "Ana", familyName: "A", email: "Ana@atelier.example", telephone: "0559000000")))
            let expert = try await directory.expert("Atelier") { $0.email = "ana@atelier.example" }
            let home = try await operating.send(
                CreateOrganization.request(body: .init(kind: .institution, name: "Maison", telephone: "+33559000000")))
            _ = try await directory.expert("Autre") { $0.email = "autre@atelier.example" }
            let started = try await operating.send(CreateErasure.request(body: .init(person: person.id)))
            let found = try await operating.send(GetErasure.request(path: started.id)).others
            #expect(
                found == [
                    .init(kind: .expert, id: expert.id.record), .init(kind: .organization, id: home.id.record),
                ])
            let own = try await directory.ask("/v1/erasures/\(started.id)", as: .ambassador, person: person.id)
            #expect(own.status == 200 && !own.text.contains(expert.id.text))
            _ = try await waitForOwnReport(started.id, directory)
            for service in [ServiceName.events, .content, .lobbying] {
                _ = try await report(started.id, as: service, directory)
            }
            let done = try await operating.send(GetErasure.request(path: started.id))
            #expect(done.state == .done && done.others == nil)
        }
    }

    @Test("people may request their own erasure; the staff begins or refuses it, once")
    func request() async throws {
        try await withDirectory { directory in
            let ana = try await directory.person("Ana", "A")
            let bob = try await directory.person("Bob", "B")
            func ask(_ person: Person) async throws -> RawAnswer {
                try await directory.ask(
                    .post, "/v1/erasures", as: .ambassador, person: ana.id, json: #"{"person":"\#(person.id)"}"#)
            }
            #expect(try await ask(bob).status == 422)
            let asked = try await ask(ana).decode(Erasure.self)
            #expect(asked.state == .requested && asked.services.allSatisfy { $0.doneAt == nil })
            #expect(try await ask(ana).problem().slug == "erasure-exists")
            #expect(try await directory.ask("/v1/people/\(ana.id)").status == 200)
            #expect(try await report(asked.id, as: .events, directory).status == 409)
            #expect(
                try await directory.ask("/v1/erasures", as: .ambassador, person: ana.id).items("id") == [asked.id.text])
            #expect(try await directory.ask("/v1/erasures", as: .ambassador, person: bob.id).items("id") == [])
            #expect(try await directory.ask("/v1/erasures/\(asked.id)", as: .ambassador, person: bob.id).status == 404)
            func move(_ id: Erasure.ID, _ state: String) async throws -> Int {
                try await directory.ask(.post, "/v1/erasures/\(id)/transitions", json: #"{"to":"\#(state)"}"#).status
            }
            #expect(try await move(asked.id, "done") == 409)
            #expect(try await move(asked.id, "refused") == 200)
            #expect(try await move(asked.id, "erasing") == 409)
            let second = try await ask(ana).decode(Erasure.self)
            #expect(try await move(second.id, "erasing") == 200)
            #expect(try await directory.ask("/v1/people/\(ana.id)").status == 404)
            let page = try await directory.client(.auditor).send(ListErasures.request(query: .init(limit: 1)))
            #expect(page.items.map(\.id) == [second.id] && page.next != nil)
            let rest = try await directory.client(.auditor).send(
                ListErasures.request(query: .init(limit: 1, cursor: page.next)))
            #expect(rest.items.map(\.id) == [asked.id] && rest.next == nil)
        }
    }

    @Test("a repeated request that created the person is told that they were erased, and creates no one")
    func repeated() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let request = CreatePerson.request(
                body: .init(givenName: "Ana", familyName: "A", email: "ana@example.org"), idempotencyKey: "once")
            let person = try await operating.send(request)
            _ = try await operating.send(CreateErasure.request(body: .init(person: person.id)))
            await #expect {
                _ = try await operating.send(request)
            } throws: { error in
                guard case ServiceClientError.problem(let document) = error else { return false }
                return document.slug == "erased" && document.status == 410
            }
            #expect(try await directory.ask("/v1/people").items("id") == [])
        }
    }

    @Test("commitments to an erased person's data prove nothing any more, and the chain is intact")
    func shredded() async throws {
        try await withDirectory { directory in
            let trail = AuditTrail(database: directory.backend.database)
            let body = CreatePerson.Body(givenName: "Ana", familyName: "A")
            let person = try await directory.client(.operator).send(CreatePerson.request(body: body))
            let row = try await directory.backend.database.first(
                "select id from audit where subject = \(person.id.text)")
            let entry: Int64 = try #require(try row?["id"])
            #expect(try await trail.matches(body, entry: entry) == true)
            _ = try await directory.client(.operator).send(CreateErasure.request(body: .init(person: person.id)))
            #expect(try await trail.matches(body, entry: entry) == nil)
            let checked = try await directory.client(.auditor).send(VerifyAudit.request(body: .init()))
            #expect(checked.intact)
        }
    }

    @Test("an address that another person also has is not sent to the services: it would delete their mails")
    func shared() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let one = try await directory.expert("Une") { $0.email = "contact@example.org" }
            let two = try await directory.expert("Deux") { $0.email = "Contact@example.org" }
            for (expert, emails) in [(one, []), (two, ["contact@example.org"])] as [(Expert, [EmailAddress])] {
                let erasure = try await operating.send(CreateErasure.request(body: .init(expert: expert.id)))
                let notice = try await directory.client(.service).send(
                    GetErasureNotice.request(path: erasure.id))
                #expect(notice.emails == emails && notice.entity == .expert)
            }
            #expect(try await directory.ask("/v1/experts").items("id") == [])
            let both = try await directory.ask(.post, "/v1/erasures", json: "{}")
            #expect(both.status == 422)
        }
    }

    @Test("everything known about a person is one document; if a service is silent there is none, and it is named")
    func document() async throws {
        try await withDirectory { directory in
            let person = try await directory.person("Ana", "A")
            let silent = try await directory.ask("/v1/people/\(person.id)/data")
            #expect(silent.status == 503)
            let detail = try silent.problem().detail ?? ""
            #expect(["events", "content", "lobbying"].contains { detail.contains($0) })
            #expect(
                try await directory.ask("/v1/people/\(person.id)/data", as: .ambassador, person: Person.ID()).status
                    == 404)
            #expect(try await directory.ask("/v1/people/\(person.id)/data", as: .editor).status == 403)
        }
    }
}
