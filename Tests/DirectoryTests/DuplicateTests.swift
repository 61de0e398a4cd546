import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

extension TestService {
    /// Runs a scan to its end.
    @discardableResult
    func scan(whole: Bool = false) async throws -> DuplicateScan {
        let operating = try client(.operator)
        var scan = try await operating.send(ScanDuplicates.request(body: .init(whole: whole)))
        for _ in 1...600 where scan.finishedAt == nil {
            try await Task.sleep(for: .milliseconds(50))
            scan = try await operating.send(GetDuplicateScan.request(path: scan.id))
        }
        #expect(scan.finishedAt != nil)
        return scan
    }

    /// Makes changes that no API call makes, such as the passing of time or older data.
    func change(_ statement: SQL) async throws {
        try await database.withClient(searchPath: "directory") { _ = try await $0.execute(statement) }
    }

    func duplicates(
        _ filter: ListDuplicates.Filter = .init(), limit: PageLimit? = nil
    ) async throws -> [Duplicate] {
        try await client(.operator).send(ListDuplicates.request(query: .init(filter, limit: limit))).items
    }
}

@Suite("duplicates")
struct DuplicateTests {
    @Test("only a pair's own transitions are allowed", arguments: Duplicate.State.allCases, Duplicate.State.allCases)
    func transitions(from: Duplicate.State, to: Duplicate.State) {
        let allowed: [Duplicate.State: Set<Duplicate.State>] = [
            .open: [.dismissed, .merged], .dismissed: [.open, .merged], .merged: [.open],
        ]
        #expect(from.allows(to) == allowed[from]?.contains(to))
    }

    @Test("experts that share a firm's details are found and scored, with the reasons")
    func experts() async throws {
        try await withDirectory { directory in
            #expect(try await directory.scan().found == 0)
            let a = try await directory.expert("L'Atelier Numérique") {
                $0.email = "Contact@example.org"
                $0.telephone = "+33559000000"
                $0.website = "https://www.atelier.example/fr"
            }
            let b = try await directory.expert("l atelier numerique") {
                $0.email = "contact@EXAMPLE.org"
                $0.telephone = "0559000000"
                $0.website = "http://atelier.example"
            }
            let typing = try await directory.expert("L'Atelier Numérike")
            _ = try await directory.expert("Tout autre chose")
            let scan = try await directory.scan()
            #expect(scan.examined >= 4)
            let pairs = try await directory.duplicates(.init(kind: .expert))
            let best = try #require(pairs.first)
            #expect(Set([best.first.id, best.second.id]) == [a.id.record, b.id.record])
            #expect(best.score == 100 && best.state == .open)
            #expect(
                best.reasons.map(\.rule) == [.sameNameAndPostalCode, .sameEmail, .sameTelephone, .sameWebsite])
            #expect(best.reasons.map(\.weight) == [50, 40, 30, 30])
            #expect(
                Set([best.first.name, best.second.name].compactMap { $0 }) == [
                    "L'Atelier Numérique", "l atelier numerique",
                ])
            // A typing error alone is too weak; together with a telephone it is enough.
            #expect(pairs.count == 1)
            _ = try await directory.ask(
                .patch, "/v1/experts/\(typing.id)", ifMatch: 1, json: #"{"telephone":"05 59 00 00 00"}"#)
            #expect(try await directory.scan().found == 2)
            let more = try await directory.duplicates(.init(kind: .expert))
            #expect(more.map(\.score) == [100, 65, 65])
            #expect(more.last?.reasons.map(\.rule) == [.similarNameAndPostalCode, .sameTelephone])
            #expect(try await directory.duplicates(.init(minimumScore: 70)).count == 1)
            // A pair that no longer holds is removed.
            _ = try await directory.ask(.patch, "/v1/experts/\(typing.id)", ifMatch: 2, json: #"{"telephone":null}"#)
            #expect(try await directory.scan().dropped == 2)
            #expect(try await directory.duplicates().count == 1)
        }
    }

    @Test("people are found despite swapped names and tagged addresses; establishments and branches are kept apart")
    func others() async throws {
        try await withDirectory { directory in
            let home = try await directory.organization("Maison")
            _ = try await directory.person(
                "Camille", "Etcheverry", email: "c.e+club@example.org", organization: home.id)
            _ = try await directory.person("Etcheverry", "Camille", email: "c.e@example.org", organization: home.id)
            let operating = try directory.client(.operator)
            for (name, siret): (Line, Siret) in [("Une", "73282932000074"), ("Deux", "73282932000082")] {
                _ = try await operating.send(
                    CreateOrganization.request(
                        body: .init(kind: .provider, name: name, siret: siret, email: "contact@example.org")))
            }
            for _ in 1...2 {
                _ = try await operating.send(
                    CreateOrganization.request(
                        body: .init(
                            kind: .institution, name: "Antenne", parent: home.id, postalCode: "64000", commune: "Pau")))
            }
            try await directory.scan()
            let people = try await directory.duplicates(.init(kind: .person))
            #expect(people.map(\.score) == [100])
            #expect(people.first?.reasons.map(\.rule) == [.swappedNames, .sameMailbox, .sameOrganization])
            let firms = try await directory.duplicates(.init(kind: .organization))
            #expect(firms.map(\.score) == [55])
            #expect(firms.first?.reasons.map(\.rule) == [.sameSiren, .sameEmail, .differentSiret])
        }
    }

    @Test("a dismissed pair stays dismissed until it is reopened")
    func dismissal() async throws {
        try await withDirectory { directory in
            for _ in 1...2 { _ = try await directory.person("Ana", "A") }
            try await directory.scan()
            let pair = try #require(try await directory.duplicates().first)
            let path = "/v1/duplicates/\(pair.id)/dismissal"
            let dismissed = try await directory.ask(.post, path, json: "{}")
            #expect(dismissed.status == 200)
            #expect(try dismissed.json()["state"]?.string == "dismissed")
            #expect(try await directory.ask(.post, path, json: "{}").status == 409)
            try await directory.scan(whole: true)
            #expect(try await directory.duplicates(.init(state: .open)).isEmpty)
            #expect(try await directory.duplicates(.init(state: .dismissed)).map(\.id) == [pair.id])
            #expect(try await directory.ask(.delete, path).status == 200)
            #expect(try await directory.ask(.delete, path).status == 409)
            #expect(try await directory.duplicates(.init(state: .open)).map(\.id) == [pair.id])
            #expect(try await directory.ask(.post, "/v1/duplicates/\(pair.id)x/dismissal", json: "{}").status == 404)
            #expect(
                try await directory.ask(.post, "/v1/duplicates/\(Duplicate.ID())/dismissal", json: "{}").status == 404)
        }
    }

    @Test("a merge settles its pair and removes the merged record's other pairs; an undo restores all of them")
    func settled() async throws {
        try await withDirectory { directory in
            var people: [Person] = []
            for _ in 1...3 { people.append(try await directory.person("Ana", "A")) }
            try await directory.scan()
            #expect(try await directory.duplicates().count == 3)
            // A scan covers what has changed since the previous one; an undo restores the former times of both.
            try await directory.change("update person set updated_at = updated_at - interval '1 day'")
            let merge = try await directory.merge(people[1].id.record, into: people[0].id.record, .person)
            let after = try await directory.duplicates()
            #expect(after.map(\.state.rawValue).sorted() == ["merged", "open"])
            let gone = try #require(after.first { $0.state == .merged })
            #expect([gone.first, gone.second].filter { $0.name == nil }.map(\.id) == [people[1].id.record])
            _ = try await directory.undo(merge)
            #expect(try await directory.duplicates(.init(state: .open)).count == 3)
            try await directory.scan()
            #expect(try await directory.duplicates(.init(state: .open)).count == 3)
        }
    }

    @Test("a key that many records share does not count; pages are ordered by score")
    func crowd() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(as: "directory") { client in
                _ = try await client.execute(
                    """
                    insert into expert (id, sub_kind, name, postal_code, commune, departement, email)
                    select gen_random_uuid(), 'webAgency', 'Agence ' || chr(65 + i % 26) || i * 7919, '64000', 'Pau', '64',
                        case when i <= 100 then 'accueil@example.org' else 'a' || i / 2 || '@example.org' end
                    from generate_series(1, 300) as i
                    """)
            }
            try await directory.scan(whole: true)
            let all = try await directory.duplicates(.init(kind: .expert), limit: 200)
            #expect(all.allSatisfy { $0.score >= 40 && $0.reasons.contains { $0.rule == .sameEmail } })
            #expect(all.count == 99)
            let operating = try directory.client(.auditor)
            var collected: [Duplicate] = []
            var cursor: Cursor?
            repeat {
                let page = try await operating.send(
                    ListDuplicates.request(query: .init(.init(kind: .expert), limit: 40, cursor: cursor)))
                collected += page.items
                cursor = page.next
            } while cursor != nil
            #expect(collected == all)
            #expect(try await directory.ask("/v1/duplicates?minimumScore=101").status == 422)
            for role in [Role.editor, .representative, .expert] {
                #expect(try await directory.ask("/v1/duplicates", as: role).status == 403)
            }
        }
    }
}
