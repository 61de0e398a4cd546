import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

extension TestService {
    func expert(_ id: Expert.ID) async throws -> Expert {
        try await client(.operator).send(GetExpert.request(path: id))
    }

    func move(_ id: Expert.ID, to state: Enrolment.State) async throws {
        _ = try await client(.operator).send(TransitionExpert.request(path: id, body: .init(to: state)))
    }

    /// Every column of every row of these tables.
    func rows(of tables: [SQL]) async throws -> [String] {
        try await database.withClient(searchPath: "directory") { client in
            var rows: [String] = []
            for table in tables {
                rows += try await client.query(
                    "select (to_jsonb(t) - 'version_floor')::text as text from \(table) t order by 1"
                ).map { "\(table.text) \(try $0["text", as: String.self])" }
            }
            return rows
        }
    }
}

/// What an enrolment brings into a merge: its days, the letters sent to it, the offers of referrals.
@Suite("merges of enrolled records")
struct MergedEnrolmentTests {
    private static let tables: [SQL] = [
        "expert", "person", "ambassador", "confirmation_request", "referral", "referral_offer", "consent_entry",
    ]

    @Test("duplicates from one import that were asked to confirm can merge, and the undo restores both")
    func asked() async throws {
        try await withDirectory { directory in
            let file = """
                subKind,name,email,postalCode,commune
                webAgency,Une,une@example.org,64000,Pau
                webAgency,Deux,deux@example.org,64000,Pau

                """
            #expect(try await directory.report(file).created == 2)
            let operating = try directory.client(.operator)
            let experts = try await operating.send(ListExperts.request(query: .init())).items
            var ambassadors: [Ambassador] = []
            for name in ["A", "B"] as [Line] {
                let email = try EmailAddress(validating: "\(name)@example.org")
                let person = try await directory.person("Ana", name, email: email)
                ambassadors.append(
                    try await operating.send(CreateAmbassador.request(body: .init(person: person.id))))
            }
            try await directory.change("update expert set confirmed_at = date_trunc('day', now()) - interval '1 year'")
            try await directory.change(
                "update ambassador set confirmed_at = date_trunc('day', now()) - interval '1 year'")
            let called = try await operating.send(RequestConfirmations.request())
            #expect(called.experts == 2 && called.ambassadors == 2)
            let before = try await directory.rows(of: Self.tables)
            let merges = [
                try await directory.merge(experts[1].id.record, into: experts[0].id.record, .expert),
                try await directory.merge(
                    ambassadors[1].person.record, into: ambassadors[0].person.record, .person),
            ]
            #expect(
                merges.map { $0.setAside.map(\.entity) } == [
                    ["confirmationRequest"], ["ambassador", "confirmationRequest"],
                ])
            let left = try await directory.rows(of: ["confirmation_request"])
            #expect(left.count == 2)
            for merge in merges { _ = try await directory.undo(merge) }
            #expect(try await directory.rows(of: Self.tables) == before)
        }
    }

    @Test(
        "of two offers of a referral the further one stays; it counts as one, and as two after the undo",
        arguments: [
            // The survivor's answer, the other's, and the one that stays.
            ("declined", "accepted", "accepted"), ("accepted", "declined", "accepted"), ("sent", "sent", "sent"),
            ("accepted", "accepted", "accepted"), ("declined", "sent", "sent"),
        ])
    func offers(own: String, other: String, stays: String) async throws {
        try await withDirectory { directory in
            let (survivor, merged, referral) = try await twoAsked(directory)
            for (expert, state) in [(survivor, own), (merged, other)] where state != "sent" {
                #expect(try await answer(referral, of: expert, state, directory) == 200)
            }
            let before = try await directory.rows(of: Self.tables)
            let merge = try await directory.merge(merged.id.record, into: survivor.id.record, .expert)
            #expect(merge.setAside.map { "\($0.entity) \($0.count)" } == ["referralOffer 1"])
            let offers = try await self.offers(of: referral, directory)
            #expect(offers.map(\.expert) == [survivor.id] && offers.map(\.state.rawValue) == [stays])
            let counted = try await get(referral, directory)
            #expect(counted.taken == (stays == "accepted" ? 1 : 0) && counted.asked == (stays == "sent" ? 1 : 0))
            _ = try await directory.undo(merge)
            #expect(try await directory.rows(of: Self.tables) == before)
        }
    }

    @Test("a place taken by another expert since prevents the undo; an answer since then does not")
    func taken() async throws {
        try await withDirectory { directory in
            let (survivor, merged, referral) = try await twoAsked(directory, places: 2)
            for expert in [survivor, merged] {
                #expect(try await answer(referral, of: expert, "accepted", directory) == 200)
            }
            let merge = try await directory.merge(merged.id.record, into: survivor.id.record, .expert)
            let third = try await directory.expert("Trois") {
                $0.topics = ["cloud"]
                $0.consents = .init(publicDirectory: true)
            }
            _ = try await directory.client(.operator).send(
                SendReferral.request(path: referral.id, body: .init(experts: [third.id])))
            #expect(try await answer(referral, of: third, "accepted", directory) == 200)
            let refused = try await directory.ask(.post, "/v1/merges/\(merge.id)/undo", json: "{}")
            #expect(try refused.status == 409 && refused.problem().slug == "undo-blocked")
            #expect(try refused.problem().detail?.contains("referral_places_check") == true)
            #expect(try await answer(referral, of: third, "abandoned", directory) == 200)
            _ = try await directory.undo(merge)
            let now = try await get(referral, directory)
            #expect(now.taken == 2 && now.version > referral.version)
            #expect(try await offers(of: referral, directory).count == 3)
        }
    }

    @Test("if either record is enrolled the survivor stays enrolled; if both have left it has left")
    func left() async throws {
        try await withDirectory { directory in
            for (ownLeft, otherLeft) in [(true, false), (false, true), (true, true)] {
                let own = try await directory.expert("A")
                let other = try await directory.expert("B")
                try await directory.change(
                    """
                    update expert set enrolled_on = '2024-05-01', confirmed_at = now() - interval '2 years'
                    where id = \(own.id)
                    """)
                try await directory.change("update expert set enrolled_on = '2025-01-01' where id = \(other.id)")
                if ownLeft { try await directory.move(own.id, to: .left) }
                if otherLeft { try await directory.move(other.id, to: .left) }
                let before = try await directory.rows(of: Self.tables)
                let merge = try await directory.merge(other.id.record, into: own.id.record, .expert)
                let survivor = try await directory.expert(own.id)
                #expect((survivor.leftOn != nil) == (ownLeft && otherLeft))
                #expect(survivor.enrolledOn == "2024-05-01" && survivor.confirmedAt == other.confirmedAt)
                #expect(merge.fields.contains("confirmedAt"))
                _ = try await directory.undo(merge)
                #expect(try await directory.rows(of: Self.tables) == before)
            }
        }
    }

    @Test("the merged record's later enrolment or older confirmation changes nothing; a choice takes all days")
    func days() async throws {
        try await withDirectory { directory in
            let own = try await directory.expert("A")
            let other = try await directory.expert("B")
            try await directory.change("update expert set enrolled_on = '2024-05-01' where id = \(own.id)")
            try await directory.change(
                """
                update expert set enrolled_on = '2025-01-01', left_on = '2025-06-01',
                    confirmed_at = now() - interval '2 years'
                where id = \(other.id)
                """)
            let before = try await directory.expert(own.id)
            let merge = try await directory.merge(other.id.record, into: own.id.record, .expert)
            let survivor = try await directory.expert(own.id)
            #expect(survivor.enrolledOn == before.enrolledOn && survivor.leftOn == nil)
            #expect(survivor.confirmedAt == before.confirmedAt && merge.fields.isEmpty)
            _ = try await directory.undo(merge)
            _ = try await directory.merge(
                other.id.record, into: own.id.record, .expert, choices: ["leftOn": .merged])
            let chosen = try await directory.expert(own.id)
            #expect(chosen.enrolledOn == "2025-01-01" && chosen.leftOn == "2025-06-01")
        }
    }

    @Test("of two forum enrolments the active one stays, and of two active ones the one confirmed last")
    func ambassadors() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            // Which of the two has left or is stale, and whose stays.
            for (change, staysOwn): (SQL, Bool) in [
                ("left_on = enrolled_on where person = ", false),
                ("confirmed_at = now() - interval '2 years' where person = ", false),
                ("left_on = enrolled_on where person <> ", true),
                ("confirmed_at = now() - interval '2 years' where person <> ", true),
            ] {
                let own = try await directory.person("Ana", "A")
                let other = try await directory.person("Ana", "B")
                var ids: [Ambassador.ID] = []
                for person in [own.id, other.id] {
                    ids.append(try await operating.send(CreateAmbassador.request(body: .init(person: person))).id)
                }
                try await directory.change("update ambassador set \(change) \(own.id)")
                let before = try await directory.rows(of: Self.tables)
                let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
                let now = try await operating.send(ListAmbassadors.request(query: .init())).items
                #expect(now.map(\.id) == [ids[staysOwn ? 0 : 1]] && now.map(\.person) == [own.id])
                let hourAgo = Timestamp.now.advanced(by: .seconds(-3600))
                #expect(now.allSatisfy { $0.leftOn == nil && $0.confirmedAt > hourAgo }, "\(change.text)")
                _ = try await directory.undo(merge)
                #expect(try await directory.rows(of: Self.tables) == before)
                try await directory.change("delete from ambassador")
            }
        }
    }

    // MARK: A referral that two experts are asked about

    private func twoAsked(
        _ directory: TestService, places: Int = 3
    ) async throws -> (survivor: Expert, merged: Expert, referral: Referral) {
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
                body: .init(topics: ["cloud"], postalCode: "64000", description: "Une caisse.", places: places)))
        _ = try await operating.send(
            SendReferral.request(path: referral.id, body: .init(experts: experts.map(\.id))))
        return (experts[0], experts[1], referral)
    }

    private func offers(of referral: Referral, _ directory: TestService) async throws -> [ReferralOffer] {
        try await directory.client(.operator).send(
            ListReferralOffers.request(query: .init(.init(referral: referral.id)))
        ).items
    }

    private func get(_ referral: Referral, _ directory: TestService) async throws -> Referral {
        try await directory.client(.operator).send(GetReferral.request(path: referral.id))
    }

    /// The status of an answer.
    private func answer(
        _ referral: Referral, of expert: Expert, _ state: String, _ directory: TestService
    ) async throws -> Int {
        let offers = try await offers(of: referral, directory)
        let offer = try #require(offers.first { $0.expert == expert.id })
        return try await directory.ask(
            .patch, "/v1/referral-offers/\(offer.id)", ifMatch: offer.version, json: #"{"state":"\#(state)"}"#
        ).status
    }
}
