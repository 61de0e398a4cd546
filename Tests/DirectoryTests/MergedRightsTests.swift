import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// What people request and state about themselves, while two records are one and after they are separated.
@Suite("merges and rights")
struct MergedRightsTests {
    @Test("a record with a requested erasure cannot be merged or unmerged until it is begun or refused")
    func asked() async throws {
        try await withDirectory { directory in
            let own = try await directory.person("Ana", "A")
            let other = try await directory.person("Ana", "B")
            let last = try await directory.person("Ana", "C")
            func merge(_ survivor: Person, _ merged: Person) async throws -> RawAnswer {
                try await directory.ask(
                    .post, "/v1/merges",
                    json: #"{"kind":"person","survivor":"\#(survivor.id)","merged":"\#(merged.id)"}"#)
            }
            let first = try await directory.merge(other.id.record, into: own.id.record, .person)
            let erasure = try await directory.ask(
                .post, "/v1/erasures", as: .ambassador, person: own.id, json: #"{"person":"\#(own.id)"}"#
            ).decode(Erasure.self)
            for (survivor, merged) in [(own, last), (last, own)] {
                let refused = try await merge(survivor, merged)
                #expect(try refused.status == 409 && refused.problem().slug == "merge-blocked")
                let detail = try refused.problem().errors?.first?.detail
                let side = survivor.id == own.id ? "survivor" : "merged record"
                #expect(detail == "erasure \(erasure.id) of the \(side) is requested")
            }
            let blocked = try await directory.ask(.post, "/v1/merges/\(first.id)/undo", json: "{}")
            #expect(try blocked.status == 409 && blocked.problem().slug == "undo-blocked")
            let path = "/v1/erasures/\(erasure.id)/transitions"
            #expect(try await directory.ask(.post, path, json: #"{"to":"refused"}"#).status == 200)
            _ = try await directory.undo(first)
            #expect(try await merge(own, last).status == 201)
        }
    }

    @Test("an expert's erasure prevents it, too")
    func expert() async throws {
        try await withDirectory { directory in
            let own = try await directory.expert("A")
            let other = try await directory.expert("B")
            let claim = Organization.ID(other.id.uuid)
            let asked = try await directory.ask(
                .post, "/v1/erasures", as: .expert, organization: claim, json: #"{"expert":"\#(other.id)"}"#)
            #expect(asked.status == 201)
            let refused = try await directory.ask(
                .post, "/v1/merges", json: #"{"kind":"expert","survivor":"\#(own.id)","merged":"\#(other.id)"}"#)
            #expect(try refused.problem().slug == "merge-blocked")
        }
    }

    @Test("an erasure whose record was merged away does not begin, and says where it went")
    func begun() async throws {
        try await withDirectory { directory in
            let own = try await directory.person("Ana", "A")
            let other = try await directory.person("Ana", "B")
            _ = try await directory.merge(other.id.record, into: own.id.record, .person)
            let erasures = (merged: Erasure.ID(), gone: Erasure.ID())
            // Requested before merges checked for erasures.
            try await directory.change(
                """
                insert into erasure (id, entity, subject, reason, state, requested_by) values
                    (\(erasures.merged), 'person', \(other.id), 'request', 'requested', 'test'),
                    (\(erasures.gone), 'person', \(Person.ID()), 'request', 'requested', 'test')
                """)
            for (erasure, words) in [(erasures.merged, "merged into \(own.id)"), (erasures.gone, "no longer")] {
                let path = "/v1/erasures/\(erasure)/transitions"
                let refused = try await directory.ask(.post, path, json: #"{"to":"erasing"}"#)
                #expect(refused.status == 409)
                #expect(try refused.problem().detail?.contains(words) == true)
                #expect(try await directory.ask("/v1/erasures/\(erasure)").decode(Erasure.self).state == .requested)
                #expect(try await directory.ask(.post, path, json: #"{"to":"refused"}"#).status == 200)
            }
        }
    }

    @Test("an erasure removes names from notes that a merge has set aside")
    func note() async throws {
        try await withDirectory { directory in
            let named = try await directory.person("Zéphyrine", "Quettehou")
            var experts: [Expert] = []
            for name in ["Une", "Deux"] as [Line] {
                experts.append(
                    try await directory.expert(name) {
                        $0.topics = ["cloud"]
                        $0.consents = .init(publicDirectory: true)
                    })
            }
            let operating = try directory.client(.operator)
            let referral = try await operating.send(
                CreateReferral.request(
                    body: .init(topics: ["cloud"], postalCode: "64000", description: "Une caisse.", places: 3)))
            let offers = try await operating.send(
                SendReferral.request(path: referral.id, body: .init(experts: experts.map(\.id)))
            ).items
            for offer in offers {
                let answered = try await directory.ask(
                    .patch, "/v1/referral-offers/\(offer.id)", ifMatch: offer.version,
                    json: #"{"state":"declined","note":"Voyez Zéphyrine Quettehou."}"#)
                #expect(answered.status == 200)
            }
            _ = try await directory.merge(experts[1].id.record, into: experts[0].id.record, .expert)
            #expect(try await directory.rows(of: ["merge"]).contains { $0.contains("Quettehou") })
            _ = try await operating.send(CreateErasure.request(body: .init(person: named.id)))
            let rows = try await directory.rows(of: ["merge", "referral_offer"])
            #expect(rows.count == 2 && rows.allSatisfy { $0.contains("Voyez") && !$0.contains("Quettehou") })
        }
    }

    @Test(
        "of two answers given at the same time the refusal counts, in either direction of the merge",
        arguments: [true, false])
    func sameTime(survivorAgreed: Bool) async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let yesterday = Timestamp.now.advanced(by: .seconds(-86_400))
            func answer(_ purpose: Purpose, _ agreed: Bool) -> ConsentAnswer {
                .init(purpose: purpose, agreed: agreed, source: .paper, at: yesterday)
            }
            var (people, experts): ([Person], [Expert]) = ([], [])
            for agreed in [survivorAgreed, !survivorAgreed] {
                let person = try await directory.person("Ana", "A")
                let expert = try await directory.expert("Ana Web")
                for purpose in [Purpose.flashInfo, .publicDirectory] {
                    _ = try await operating.send(
                        AddPersonConsent.request(path: person.id, body: answer(purpose, agreed)))
                    _ = try await operating.send(
                        AddExpertConsent.request(path: expert.id, body: answer(purpose, agreed)))
                }
                people.append(person)
                experts.append(expert)
            }
            let no = Consent(agreed: false, at: yesterday)
            let merge = try await directory.merge(people[1].id.record, into: people[0].id.record, .person)
            var person = try await directory.person(people[0].id)
            #expect(person.consents.flashInfo == no && person.consents.publicDirectory == no)
            _ = try await directory.merge(experts[1].id.record, into: experts[0].id.record, .expert)
            let expert = try await operating.send(GetExpert.request(path: experts[0].id))
            #expect(expert.consents.flashInfo == no && expert.consents.publicDirectory == no)
            // Each has its own answer again.
            _ = try await directory.undo(merge)
            person = try await directory.person(people[0].id)
            #expect(person.consents.flashInfo == Consent(agreed: survivorAgreed, at: yesterday))
        }
    }

    @Test("consent answers since the merge stay with the survivor, and a withdrawal counts for both records")
    func consents() async throws {
        try await withDirectory { directory in
            let own = try await directory.person("Ana", "A", consents: .init(flashInfo: true))
            let other = try await directory.person(
                "Ana", "B", email: "b@example.org", consents: .init(flashInfo: true, eventInvitations: false))
            let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
            for answer in [
                #"{"purpose":"flashInfo","agreed":false}"#, #"{"purpose":"eventInvitations","agreed":true}"#,
            ] {
                let answered = try await directory.ask(
                    .post, "/v1/people/\(own.id)/consents", as: .ambassador, person: own.id, json: answer)
                #expect(answered.status == 201)
            }
            let between = try await directory.person(own.id)
            let undone = try await directory.undo(merge)
            #expect(undone.edits?.keys.sorted() == ["consents"])
            let now = try await directory.person(own.id)
            #expect(now.consents == between.consents && now.version > between.version)
            #expect(now.email == nil && now.familyName == own.familyName)
            let back = try await directory.person(other.id)
            #expect(back.consents.flashInfo == between.consents.flashInfo)
            #expect(back.consents.eventInvitations == other.consents.eventInvitations)
            #expect(back.email == other.email && back.version == other.version + 1)
            // The ledger shows the same, and nothing twice.
            func ledger(_ person: Person) async throws -> [String] {
                try await directory.client(.operator).send(
                    ListPersonConsents.request(path: person.id, query: .init(), body: Empty())
                ).items.map { "\($0.purpose.rawValue) \($0.agreed) \($0.source.rawValue)" }
            }
            #expect(
                try await ledger(own) == [
                    "eventInvitations true self", "flashInfo false self", "flashInfo true operator",
                ])
            #expect(
                try await ledger(other).sorted() == [
                    "eventInvitations false operator", "flashInfo false operator", "flashInfo true operator",
                ])
        }
    }

    @Test("leaving since the merge survives the undo, and an address changed since is not changed back")
    func said() async throws {
        try await withDirectory { directory in
            let own = try await directory.expert("A") { $0.email = "a@example.org" }
            let other = try await directory.expert("B") { $0.telephone = "0559000000" }
            let merge = try await directory.merge(other.id.record, into: own.id.record, .expert)
            let operating = try directory.client(.operator)
            _ = try await operating.send(
                ChangeExpert.request(
                    path: own.id,
                    body: .init(name: "Nom", email: .some("neuf@example.org")), ifMatch: 2))
            try await directory.move(own.id, to: .left)
            let undone = try await directory.undo(merge)
            #expect(undone.edits?.keys.sorted() == ["email", "leftOn", "name"])
            let now = try await directory.expert(own.id)
            #expect(now.leftOn == .today && now.email == "neuf@example.org")
            #expect(now.name == "A" && now.telephone == nil && now.version == 5)
            #expect(try await directory.expert(other.id) == other)
        }
    }

    @Test("coming back since the merge survives the undo; no one has the merged record's address")
    func back() async throws {
        try await withDirectory { directory in
            let own = try await directory.expert("A")
            try await directory.change(
                "update expert set enrolled_on = '2024-01-01', left_on = '2025-01-01' where id = \(own.id)")
            let other = try await directory.expert("B")
            try await directory.move(other.id, to: .left)
            let merge = try await directory.merge(other.id.record, into: own.id.record, .expert)
            try await directory.move(own.id, to: .enrolled)
            _ = try await directory.undo(merge)
            let now = try await directory.expert(own.id)
            #expect(now.leftOn == nil && now.enrolledOn == .today)
            #expect(try await directory.expert(other.id).leftOn == .today)

            let ana = try await directory.person("Ana", "A", email: "a@example.org")
            let double = try await directory.person("Ana", "B", email: "b@example.org")
            let second = try await directory.merge(double.id.record, into: ana.id.record, .person)
            let changed = try await directory.ask(
                .patch, "/v1/people/\(ana.id)", as: .ambassador, person: ana.id, ifMatch: 2,
                json: #"{"email":"B@example.org"}"#)
            #expect(changed.status == 200)
            let undone = try await directory.undo(second)
            #expect(undone.edits?["email"]?.string == "B@example.org")
            #expect(try await directory.person(ana.id) == ana)
            #expect(try await directory.person(double.id) == double)
        }
    }

    @Test("a merge does not show a member that declined to be shown, whichever record declined")
    func declined() async throws {
        try await withDirectory { directory in
            for declining in ["survivor", "merged"] {
                let survivor = try await directory.organization(Line(validating: "Chambre \(declining)"))
                let merged = try await directory.organization(Line(validating: "Chambre \(declining) bis"))
                let declined = declining == "merged" ? merged : survivor
                let answer = try await directory.ask(
                    .patch, "/v1/organizations/\(declined.id)", ifMatch: 1, json: #"{"publicDirectory":false}"#)
                #expect(answer.status == 200)
                let merge = try await directory.merge(merged.id.record, into: survivor.id.record, .organization)
                func isShown(_ organization: Organization) async throws -> Bool {
                    try await directory.ask("/v1/organizations/\(organization.id)").decode(Organization.self)
                        .publicDirectory
                }
                #expect(try await !isShown(survivor))
                _ = try await directory.undo(merge)
                #expect(try await isShown(survivor) == (declining == "merged"))
                #expect(try await isShown(merged) == (declining == "survivor"))
            }
        }
    }
}
