import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("referrals")
struct ReferralTests {
    @Test(
        "an offer allows only the transitions of its life cycle", arguments: ReferralOffer.State.allCases,
        ReferralOffer.State.allCases)
    func transitions(from: ReferralOffer.State, to: ReferralOffer.State) {
        let allowed: [ReferralOffer.State: Set<ReferralOffer.State>] = [
            .sent: [.accepted, .declined, .expired, .withdrawn],
            .accepted: [.done, .abandoned],
            .declined: [], .expired: [], .withdrawn: [], .done: [], .abandoned: [],
        ]
        #expect(from.allows(to) == allowed[from]?.contains(to))
    }

    @Test("a need goes to the chosen experts; one accepts, the other offers are withdrawn; then it is done")
    func life() async throws {
        try await withField { field in
            let referral = try await field.referral(firm: Firm(name: "Boulangerie", telephone: "0559000000"))
            #expect(referral.ambassador == field.ambassador.id && referral.departement == "64")
            #expect(referral.state == .open && referral.places == 1 && referral.taken == 0)
            let ids = field.experts.map(\.id)
            let offers = try await field.send(referral, to: Array(ids.prefix(3)))
            #expect(offers.count == 3 && offers.allSatisfy { $0.state == .sent })
            #expect(offers.allSatisfy { $0.answerBy == Day.today.adding(days: 7) })
            #expect(try await field.get(referral).asked == 3)

            // No expert who was asked is told who the firm is.
            let first = try await field.offer(to: ids[0])
            #expect(first.firm == nil && first.description == referral.description)
            #expect(
                try await field.change(first, #"{"state":"declined","note":"Trop de travail"}"#, by: ids[0]).status
                    == 200)
            let second = try await field.offer(to: ids[1])
            let accepted = try await field.change(second, #"{"state":"accepted"}"#, by: ids[1])
            #expect(accepted.status == 200)
            #expect(try accepted.decode(ReferralOffer.self).firm == referral.firm)
            let third = try await field.offer(to: ids[2])
            #expect(third.state == .withdrawn && third.firm == nil)
            let late = try await field.change(third, #"{"state":"accepted"}"#, by: ids[2])
            #expect(late.status == 409)
            #expect(try late.problem().slug == "referral-taken")
            let placed = try await field.get(referral)
            #expect(placed.state == .placed && placed.taken == 1 && placed.asked == 0)
            let full = try await field.raw(.post, "/v1/referrals/\(referral.id)/offers", #"{"experts":["\#(ids[3])"]}"#)
            #expect(full.status == 409)
            #expect(try full.problem().slug == "referral-taken")

            // The outcome, stated by the ambassador who brought the need.
            let open = try await field.offer(to: ids[1])
            #expect(try await field.change(open, #"{"state":"done"}"#).pointer() == "/satisfaction")
            #expect(try await field.change(open, #"{"state":"done","satisfaction":6}"#).pointer() == "/satisfaction")
            #expect(try await field.change(open, #"{"state":"abandoned","satisfaction":3}"#).status == 422)
            #expect(try await field.change(open, #"{"state":"done","satisfaction":5}"#, by: ids[1]).status == 403)
            let done = try await field.change(open, #"{"state":"done","satisfaction":5,"amount":"under5000"}"#)
            let outcome = try done.decode(ReferralOffer.self)
            #expect(outcome.state == .done && outcome.satisfaction == 5 && outcome.amount == .under5000)
            let again = try await field.change(outcome, #"{"state":"abandoned"}"#)
            #expect(again.status == 409)
            #expect(try again.problem().slug == "transition-not-allowed")
        }
    }

    @Test("an expert that abandons releases its place; a closed referral asks no one any more")
    func abandoned() async throws {
        try await withField { field in
            let ids = field.experts.map(\.id)
            let referral = try await field.referral(firm: Firm(name: "Garage"))
            _ = try await field.send(referral, to: [ids[0]])
            _ = try await field.change(try await field.offer(to: ids[0]), #"{"state":"accepted"}"#, by: ids[0])
            #expect(try await field.offer(to: ids[0]).firm?.name == "Garage")
            _ = try await field.change(try await field.offer(to: ids[0]), #"{"state":"abandoned"}"#, by: ids[0])
            #expect(try await field.offer(to: ids[0]).firm == nil)
            #expect(try await field.get(referral).state == .open)
            _ = try await field.send(referral, to: [ids[1], ids[2]])
            let closed = try await field.raw(.post, "/v1/referrals/\(referral.id)/closure", nil)
            #expect(closed.status == 200)
            #expect(try closed.decode(Referral.self).state == .closed)
            #expect(try await field.offer(to: ids[1]).state == .withdrawn)
            let late = try await field.change(try await field.offer(to: ids[1]), #"{"state":"accepted"}"#, by: ids[1])
            #expect(try late.problem().slug == "referral-closed")
            let version = try await field.get(referral).version
            #expect(try await field.raw(.post, "/v1/referrals/\(referral.id)/closure", nil).status == 200)
            #expect(try await field.get(referral).version == version)
            let more = try await field.raw(.post, "/v1/referrals/\(referral.id)/offers", #"{"experts":["\#(ids[3])"]}"#)
            #expect(try more.problem().slug == "referral-closed")
        }
    }

    @Test("invalid requests are refused by pointer, and at most five experts are asked at a time")
    func refused() async throws {
        try await withField(experts: 7) { field in
            for (json, pointer) in [
                (#"{"topics":[],"postalCode":"64000","description":"x"}"#, "/topics"),
                (#"{"topics":["cloud","cloud"],"postalCode":"64000","description":"x"}"#, "/topics"),
                (#"{"topics":["alchemy"],"postalCode":"64000","description":"x"}"#, "/topics"),
                (#"{"topics":["cloud"],"postalCode":"64000","description":"x","places":4}"#, "/places"),
                (#"{"topics":["cloud"],"postalCode":"99000","description":"x"}"#, "/departement"),
                (
                    #"{"topics":["cloud"],"postalCode":"64000","description":"x","ambassador":"\#(Ambassador.ID())"}"#,
                    "/ambassador"
                ),
            ] {
                let answer = try await field.raw(.post, "/v1/referrals", json)
                #expect(answer.status == 422)
                #expect(try answer.pointer() == pointer)
            }
            let referral = try await field.referral()
            let ids = field.experts.map(\.id)
            func send(_ body: String) async throws -> RawAnswer {
                try await field.raw(.post, "/v1/referrals/\(referral.id)/offers", body)
            }
            #expect(try await send(#"{"experts":[]}"#).pointer() == "/experts")
            #expect(try await send(#"{"experts":["\#(Expert.ID())"]}"#).pointer() == "/experts/0")
            #expect(try await send(#"{"experts":["\#(ids[0])"],"answerBy":"\#(Day.today)"}"#).pointer() == "/answerBy")
            _ = try await field.send(referral, to: Array(ids.prefix(4)))
            let twice = try await send(#"{"experts":["\#(ids[4])","\#(ids[0])"]}"#)
            #expect(twice.status == 409)
            #expect(try twice.pointer() == "/experts/1")
            let many = try await send(#"{"experts":["\#(ids[5])","\#(ids[6])"]}"#)
            #expect(many.status == 409)
            #expect(try many.problem().slug == "too-many-asked")
            // All or none.
            #expect(try await field.get(referral).asked == 4)
        }
    }

    @Test("ambassadors see their own referrals, experts the offers sent to them, and no one else's")
    func visibility() async throws {
        try await withField { field in
            let directory = field.directory
            let referral = try await field.referral(firm: Firm(name: "Garage"))
            let ids = field.experts.map(\.id)
            let offer = try #require(try await field.send(referral, to: [ids[0]]).first)
            let stranger = try await directory.person("Bob", "Autre")
            _ = try await directory.client(.operator).send(
                CreateAmbassador.request(body: .init(person: stranger.id, topics: ["cloud"], departements: ["64"])))
            func other(_ path: String) async throws -> RawAnswer {
                try await directory.ask(path, as: .ambassador, person: stranger.id)
            }
            #expect(try await other("/v1/referrals").items("id").isEmpty)
            #expect(try await other("/v1/referral-offers").items("id").isEmpty)
            for path in [
                "/v1/referrals/\(referral.id)", "/v1/referrals/\(referral.id)/matches",
                "/v1/referral-offers/\(offer.id)",
            ] {
                #expect(try await other(path).status == 404)
            }
            for path in ["/v1/referrals/\(referral.id)/offers", "/v1/referrals/\(referral.id)/closure"] {
                let answer = try await directory.ask(
                    .post, path, as: .ambassador, person: stranger.id, json: #"{"experts":["\#(ids[1])"]}"#)
                #expect(answer.status == 404)
            }
            #expect(
                try await directory.ask("/v1/referral-offers/\(offer.id)", as: .expert, organization: ids[1].claim)
                    .status
                    == 404)
            #expect(
                try await directory.ask("/v1/referral-offers", as: .expert, organization: ids[1].claim).items("id")
                    .isEmpty)
            #expect(
                try await directory.ask("/v1/referral-offers?expert=\(ids[0])", as: .expert, organization: ids[1].claim)
                    .items("id").isEmpty)
            #expect(try await field.change(offer, #"{"state":"accepted"}"#, by: ids[1]).status == 404)
            let own = try await directory.ask("/v1/referral-offers", as: .expert, organization: ids[0].claim)
            #expect(try own.items("id") == [offer.id.text])
            #expect(!own.text.contains("Garage"))
            #expect(try await directory.ask("/v1/referrals", as: .expert, organization: ids[0].claim).status == 403)
            #expect(try await field.change(offer, #"{"state":"accepted"}"#, as: .ambassador).status == 403)
            #expect(
                try await directory.ask("/v1/referrals?topic=cloud&departement=64&state=open").items("id") == [
                    referral.id.text
                ])
            #expect(try await directory.ask("/v1/referrals?state=closed").items("id").isEmpty)
            let nobody = try await directory.ask(
                .post, "/v1/referrals", as: .ambassador, person: Person.ID(),
                json: #"{"topics":["cloud"],"postalCode":"64000","description":"x"}"#)
            #expect(nobody.status == 403)
        }
    }

    @Test("when the day for an answer has passed the offer has expired at once, and the schedule records it")
    func expired() async throws {
        try await withField { field in
            let directory = field.directory
            let referral = try await field.referral(firm: Firm(name: "Garage"))
            let id = field.experts[0].id
            _ = try await field.send(referral, to: [id])
            try await directory.database.withClient { client in
                try await client.execute("update directory.referral_offer set answer_by = current_date - 2")
            }
            let offer = try await field.offer(to: id)
            #expect(offer.state == .expired)
            let late = try await field.change(offer, #"{"state":"accepted"}"#, by: id)
            #expect(try late.problem().slug == "transition-not-allowed")
            #expect(try await field.get(referral).asked == 1)
            let routes = ReferralRoutes(backend: directory.backend)
            try await routes.expire()
            #expect(try await field.get(referral).asked == 0)
            #expect(try await field.offer(to: id).version == offer.version + 1)
            // Nothing is left to do.
            let version = try await field.get(referral).version
            try await routes.expire()
            #expect(try await field.get(referral).version == version)
        }
    }

    @Test("the firm's identity is deleted a year after the last change, or when the rule says")
    func forgotten() async throws {
        try await withField { field in
            let directory = field.directory
            let old = try await field.referral(firm: Firm(name: "Garage"))
            try await directory.database.withClient { client in
                try await client.execute("update directory.referral set updated_at = now() - interval '400 days'")
            }
            let fresh = try await field.referral(firm: Firm(name: "Boulangerie"))
            let rule = try await directory.client(.operator).send(ListRetentionRules.request()).items.first {
                $0.code == "referrals"
            }
            #expect(rule?.months == 12 && rule?.due == 1)
            try await directory.backend.database.execute(
                """
                insert into job (kind, payload, unique_key, maximum_attempts)
                values ('schedule.retention', '{}', 'retention', 3) on conflict do nothing
                """)
            try await eventually("the firm is forgotten") { try await field.get(old).firm == nil }
            #expect(try await field.get(fresh).firm != nil)
        }
    }

    @Test("matches are ranked by topics, nearness and record; asked or unpublished experts are not included")
    func ranking() async throws {
        try await withField(experts: 0) { field in
            let directory = field.directory
            func expert(
                _ name: Line, _ postalCode: PostalCode = "64000", topics: [Topic] = ["cloud", "payment"],
                serves: [Departement] = ["64"], published: Bool = true
            ) async throws -> Expert {
                try await directory.expert(name) {
                    $0.postalCode = postalCode
                    $0.topics = topics
                    $0.departements = serves
                    $0.consents = ConsentChoices(publicDirectory: published)
                }
            }
            let best = try await expert("Tout près")
            let near = try await expert("Même canton", "64010")
            let same = try await expert("Même département", "64300")
            let far = try await expert("Autre département", "40000", serves: ["40", "64"])
            let half = try await expert("Un thème sur deux", "64010", topics: ["cloud"])
            _ = try await expert("Pas ici", serves: ["40"])
            _ = try await expert("Autre thème", topics: ["training"])
            _ = try await expert("Pas d'accord", published: false)
            let referral = try await field.referral(topics: ["cloud", "payment"])
            func matches(limit: PageLimit = 50) async throws -> [ReferralMatch] {
                var found: [ReferralMatch] = []
                var cursor: Cursor?
                repeat {
                    let page = try await field.client.send(
                        ListReferralMatches.request(
                            path: referral.id, query: .init(limit: limit, cursor: cursor)))
                    found += page.items
                    cursor = page.next
                } while cursor != nil
                return found
            }
            let first = try await matches()
            #expect(first.map(\.expert) == [best, near, same, far, half].map(\.id))
            #expect(try await matches(limit: 2).map(\.expert) == first.map(\.expert))
            #expect(first.map(\.nearness) == [1000, 900, 700, 300, 900])
            #expect(first.map(\.topics) == [1000, 1000, 1000, 1000, 500])
            #expect(first.allSatisfy { $0.acceptance == 600 && $0.satisfaction == 600 && $0.freshness == 1000 })
            #expect(first.first?.score == 880)

            // The nearest declines four other needs; a year passes for the second.
            for _ in 0..<4 {
                let other = try await field.referral(topics: ["cloud"])
                _ = try await field.send(other, to: [best.id])
                _ = try await field.change(try await field.offer(to: best.id), #"{"state":"declined"}"#, by: best.id)
            }
            let satisfied = try await field.referral(topics: ["cloud"])
            _ = try await field.send(satisfied, to: [same.id])
            _ = try await field.change(try await field.offer(to: same.id), #"{"state":"accepted"}"#, by: same.id)
            _ = try await field.change(try await field.offer(to: same.id), #"{"state":"done","satisfaction":5}"#)
            try await directory.database.withClient { client in
                try await client.execute(
                    """
                    update directory.expert set confirmed_at = now() - interval '365 days' where id = \(near.id)
                    """)
                // Editing is not confirming, and an old edit does not age what was confirmed.
                try await client.execute("update directory.expert set updated_at = now() where id = \(near.id)")
                try await client.execute(
                    "update directory.expert set updated_at = now() - interval '365 days' where id = \(far.id)")
            }
            let second = try await matches()
            let record = Dictionary(uniqueKeysWithValues: second.map { ($0.expert, $0) })
            #expect(record[best.id]?.acceptance == 333)
            #expect(record[same.id]?.acceptance == 667 && record[same.id]?.satisfaction == 700)
            #expect(record[near.id].map { abs($0.freshness - 500) <= 1 } == true)
            #expect(record[far.id]?.freshness == 1000)
            #expect(second.prefix(3).map(\.expert) == [best.id, same.id, near.id])

            // An accepted but abandoned need counts as no satisfaction at all; a bad outcome as a bad one.
            for outcome in [#"{"state":"abandoned"}"#, #"{"state":"done","satisfaction":1}"#] {
                let other = try await field.referral(topics: ["cloud"])
                _ = try await field.send(other, to: [far.id])
                _ = try await field.change(try await field.offer(to: far.id), #"{"state":"accepted"}"#, by: far.id)
                _ = try await field.change(try await field.offer(to: far.id), outcome)
            }
            let third = try await matches()
            let worse = try #require(third.first { $0.expert == far.id })
            #expect(worse.acceptance == 714 && worse.satisfaction == 360)
            #expect(worse.score < (record[far.id]?.score ?? 0))
            // An entry not confirmed for eighteen months is no longer proposed.
            try await directory.database.withClient { client in
                try await client.execute(
                    "update directory.expert set confirmed_at = now() - interval '19 months' where id = \(far.id)")
            }
            #expect(try await matches().contains { $0.expert == far.id } == false)

            // An expert who has been asked is not proposed again.
            _ = try await field.send(referral, to: [best.id])
            #expect(try await matches().contains { $0.expert == best.id } == false)
        }
    }

    @Test("an expert whose offer was withdrawn may be asked again for the same need; one who declined may not")
    func again() async throws {
        try await withField { field in
            let ids = field.experts.map(\.id)
            let referral = try await field.referral()
            _ = try await field.send(referral, to: Array(ids.prefix(3)))
            _ = try await field.change(try await field.offer(to: ids[2]), #"{"state":"declined"}"#, by: ids[2])
            try await field.directory.database.withClient { client in
                try await client.execute(
                    "update directory.referral_offer set answer_by = current_date - 2 where expert = \(ids[1])")
            }
            try await ReferralRoutes(backend: field.directory.backend).expire()
            _ = try await field.change(try await field.offer(to: ids[0]), #"{"state":"accepted"}"#, by: ids[0])
            _ = try await field.change(try await field.offer(to: ids[0]), #"{"state":"abandoned"}"#, by: ids[0])
            let matches = try await field.client.send(
                ListReferralMatches.request(path: referral.id, query: .init()))
            #expect(Set(matches.items.map(\.expert)) == [ids[1], ids[3]])
            let offers = try await field.send(referral, to: [ids[1]])
            #expect(offers.map(\.state) == [.sent])
            for id in [ids[0], ids[1], ids[2]] {
                let twice = try await field.raw(
                    .post, "/v1/referrals/\(referral.id)/offers", #"{"experts":["\#(id)"]}"#)
                #expect(twice.status == 409)
                #expect(try twice.pointer() == "/experts/0")
            }
            // The database refuses it, too.
            try await field.directory.database.withClient { client in
                await #expect(throws: PostgresError.self) {
                    try await client.execute(
                        """
                        insert into directory.referral_offer (id, referral, expert, answer_by)
                        values (gen_random_uuid(), \(referral.id), \(ids[2]), current_date + 7)
                        """)
                }
            }
            #expect(
                try await field.change(try await field.offer(to: ids[1]), #"{"state":"accepted"}"#, by: ids[1]).status
                    == 200)
        }
    }

    @Test("an ambassador who has left brings no need, asks no one, and none is brought in their name")
    func left() async throws {
        try await withField { field in
            let referral = try await field.referral()
            _ = try await field.directory.client(.operator).send(
                TransitionAmbassador.request(path: field.ambassador.id, body: .init(to: .left)))
            let need = #"{"topics":["cloud"],"postalCode":"64000","description":"x""#
            #expect(try await field.raw(.post, "/v1/referrals", need + "}").status == 403)
            let sent = try await field.raw(
                .post, "/v1/referrals/\(referral.id)/offers", #"{"experts":["\#(field.experts[0].id)"]}"#)
            #expect(sent.status == 403)
            let inItsName = try await field.directory.ask(
                .post, "/v1/referrals", json: need + #","ambassador":"\#(field.ambassador.id)"}"#)
            #expect(inItsName.status == 422)
            #expect(try inItsName.pointer() == "/ambassador")
            _ = try await field.directory.client(.operator).send(
                TransitionAmbassador.request(path: field.ambassador.id, body: .init(to: .enrolled)))
            #expect(try await field.send(referral, to: [field.experts[0].id]).count == 1)
        }
    }
}
