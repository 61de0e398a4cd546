import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("the ledger of consents")
struct ConsentTests {
    @Test("every way to answer adds a line: creation, change, self-service, import; the latest line counts")
    func ways() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let person = try await directory.person("Ana", "A", consents: .init(flashInfo: true))
            _ = try await directory.ask(
                .patch, "/v1/people/\(person.id)", as: .ambassador, person: person.id, ifMatch: 1,
                json: #"{"consents":{"flashInfo":false,"partnerOffers":true}}"#)
            let answered = try await directory.ask(
                .post, "/v1/people/\(person.id)/consents", as: .ambassador, person: person.id,
                json: #"{"purpose":"flashInfo","agreed":true,"wording":"Voulez-vous le Flash info ?"}"#)
            #expect(answered.status == 201)
            #expect(try answered.decode(ConsentEntry.self).source == .own)
            _ = try await operating.send(
                AddPersonConsent.request(
                    path: person.id, body: .init(purpose: .flashInfo, agreed: true, source: .paper)))

            let path = person.id
            let ledger = try await operating.send(
                ListPersonConsents.request(path: path, query: .init(), body: Empty()))
            #expect(ledger.items.map(\.source) == [.paper, .own, .own, .own, .operator])
            #expect(ledger.items.map(\.agreed) == [true, true, true, false, true])
            #expect(ledger.items[1].wording == "Voulez-vous le Flash info ?")
            #expect(ledger.items[0].wording?.text.contains("Flash info du club") == true)
            #expect(ledger.items[1].by == "person/\(person.id)")
            #expect(ledger.items.last?.by == "test")
            let now = try await operating.send(GetPerson.request(path: path))
            #expect(now.consents.flashInfo?.agreed == true && now.consents.partnerOffers?.agreed == true)
            #expect(now.consents.flashInfo?.at == ledger.items[0].at)
            #expect(now.version == 4)

            let first = try await operating.send(
                ListPersonConsents.request(
                    path: path, query: .init(.init(purpose: .flashInfo), limit: 3), body: Empty()))
            #expect(first.items.count == 3)
            let second = try await operating.send(
                ListPersonConsents.request(
                    path: path, query: .init(.init(purpose: .flashInfo), limit: 3, cursor: first.next), body: Empty()))
            #expect(second.items.map(\.source) == [.operator] && second.next == nil)

            let file = "subKind,name,email,postalCode,commune,flashInfo\nwebAgency,Une,une@example.org,64000,Pau,true\n"
            #expect(try await directory.report(file).applied)
            #expect(try await directory.report(file.replacing("true", with: "false")).updated == 1)
            let expert = try await operating.send(ListExperts.request(query: .init())).items[0]
            let imported = try await operating.send(
                ListExpertConsents.request(path: expert.id, query: .init(), body: Empty()))
            #expect(imported.items.map(\.source) == [.import, .import])
            #expect(imported.items.map(\.agreed) == [false, true])
            // How the people in the file were asked is not known here.
            #expect(imported.items.allSatisfy { $0.wording == nil })
            // A change that does not mention consent adds no line.
            _ = try await operating.send(
                ChangeExpert.request(path: expert.id, body: .init(name: "Deux"), ifMatch: expert.version)
            )
            #expect(
                try await operating.send(
                    ListExpertConsents.request(path: expert.id, query: .init(), body: Empty())
                ).items.count == 2)
        }
    }

    @Test(
        "an answer counts from its day: a form of last week is added to the ledger, and today's answer prevails"
    )
    func earlier() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let person = try await directory.person("Ana", "A", consents: .init(flashInfo: false))
            let path = person.id
            let (monday, friday) = (
                Timestamp.now.advanced(by: .seconds(-864_000)), Timestamp.now.advanced(by: .seconds(-432_000))
            )
            func write(_ purpose: Purpose, _ agreed: Bool, _ at: Timestamp) async throws -> ConsentEntry {
                try await operating.send(
                    AddPersonConsent.request(
                        path: path, body: .init(purpose: purpose, agreed: agreed, source: .paper, at: at)))
            }
            let line = try await write(.flashInfo, true, friday)
            #expect(line.at == friday && line.agreed && line.source == .paper && line.by == "test")
            #expect(line.wording?.text.contains("Flash info du club") == true)
            var now = try await directory.person(person.id)
            #expect(now.consents.flashInfo?.agreed == false && now.version == person.version)

            _ = try await write(.partnerOffers, true, friday)
            _ = try await write(.partnerOffers, false, monday)
            now = try await directory.person(person.id)
            #expect(now.consents.partnerOffers == Consent(agreed: true, at: friday))
            let ledger = try await operating.send(
                ListPersonConsents.request(path: path, query: .init(), body: Empty()))
            #expect(ledger.items.map(\.at).dropLast() == [monday, friday, friday])

            // Of two answers at the same time the refusal prevails, in whichever order they are recorded.
            for agreed in [false, true] {
                _ = try await write(.partnerOffers, agreed, friday)
                now = try await directory.person(person.id)
                #expect(now.consents.partnerOffers == Consent(agreed: false, at: friday))
            }

            let address = "/v1/people/\(person.id)/consents"
            let future = #"{"purpose":"flashInfo","agreed":true,"at":"2100-01-01T00:00:00Z"}"#
            let past = #"{"purpose":"flashInfo","agreed":true,"at":"2020-01-01T00:00:00Z"}"#
            #expect(try await directory.ask(.post, address, json: future).pointer() == "/at")
            #expect(
                try await directory.ask(.post, address, as: .ambassador, person: person.id, json: past).pointer()
                    == "/at")
        }
    }

    @Test("times in the documents of records have six digits of the second, and columns have no trailing zeros")
    func digits() async throws {
        try await withDirectory { directory in
            let expert = try await directory.expert("Une")
            let path = "/v1/experts/\(expert.id)"
            let answer = #"{"purpose":"flashInfo","agreed":true,"at":"2026-11-20T09:30:00Z"}"#
            let line = try await directory.ask(.post, "\(path)/consents", json: answer)
            #expect(line.text.contains(#""2026-11-20T09:30:00Z""#))
            let time = try Regex(#""(created|updated|confirmed)At":"[-0-9]{10}T[:0-9]{8}\.[0-9]{6}Z""#)
            for address in [path, "/v1/experts"] {
                let record = try await directory.ask(address).text
                #expect(record.contains(#""2026-11-20T09:30:00.000000Z""#) && record.matches(of: time).count == 3)
            }
        }
    }

    @Test("people and experts see and give only their own answers; only the staff states an answer's provenance")
    func access() async throws {
        try await withDirectory { directory in
            let home = try await directory.organization("Maison")
            let ana = try await directory.person("Ana", "A", organization: home.id)
            let bob = try await directory.person("Bob", "B", organization: home.id)
            let expert = try await directory.expert("Une")
            for (role, status) in [(Role.operator, 200), (.auditor, 200), (.editor, 403), (.service, 403)] {
                #expect(try await directory.ask("/v1/people/\(ana.id)/consents", as: role).status == status)
            }
            func represent(_ person: Person, _ json: String?) async throws -> Int {
                try await directory.ask(
                    json == nil ? .get : .post, "/v1/people/\(person.id)/consents", as: .representative,
                    organization: home.id, person: ana.id, json: json
                ).status
            }
            #expect(try await represent(ana, nil) == 200)
            #expect(try await represent(bob, nil) == 404)
            #expect(try await represent(ana, #"{"purpose":"partnerOffers","agreed":false}"#) == 201)
            #expect(try await represent(bob, #"{"purpose":"partnerOffers","agreed":true}"#) == 404)
            #expect(try await represent(ana, #"{"purpose":"partnerOffers","agreed":false,"source":"paper"}"#) == 422)
            let path = "/v1/experts/\(expert.id)/consents"
            let claim = Organization.ID(expert.id.uuid)
            #expect(try await directory.ask(path, as: .expert, organization: claim).status == 200)
            #expect(try await directory.ask(path, as: .expert, organization: home.id).status == 404)
            #expect(try await directory.ask(path, as: .expert).status == 404)
            let forged = #"{"purpose":"flashInfo","agreed":true,"source":"import"}"#
            #expect(try await directory.ask(.post, path, json: forged).status == 422)
            #expect(try await directory.ask("/v1/people/\(Person.ID())/consents").status == 404)
        }
    }

    @Test(
        "the database refuses invalid lines",
        arguments: [
            "update directory.consent_entry set agreed = not agreed",
            "update directory.consent_entry set at = at - interval '1 year'",
            "delete from directory.consent_entry",
            """
            insert into directory.consent_entry (person, purpose, agreed, source, wording, at, written_by)
            select person, purpose, true, source, wording, now(), 'nobody' from directory.consent_entry
            """,
            "delete from directory.person",
        ] as [SQL])
    func refused(_ statement: SQL) async throws {
        try await withDirectory { directory in
            _ = try await directory.person("Ana", "A", consents: .init(flashInfo: true))
            await #expect(throws: PostgresError.self) {
                try await directory.backend.database.execute(statement)
            }
            let lines = try await directory.backend.database.first(
                "select count(*) as lines from consent_entry where agreed")
            #expect(try lines?["lines", as: Int.self] == 1)
        }
    }

    @Test("lines moved by a merge are unchanged")
    func moved() async throws {
        try await withDirectory { directory in
            let ana = try await directory.person("Ana", "A", consents: .init(flashInfo: true))
            let bob = try await directory.person("Bob", "B")
            try await directory.backend.database.execute(
                "update consent_entry set person = \(bob.id) where person = \(ana.id)")
            let ledger = try await directory.client(.operator).send(
                ListPersonConsents.request(path: bob.id, query: .init(), body: Empty()))
            #expect(ledger.items.map(\.purpose) == [.flashInfo])
        }
    }
}
