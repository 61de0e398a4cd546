import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("letters about referrals", .serialized)
struct ReferralLetterTests {
    @Test("each expert who is asked gets one letter; its page takes the answer without scripts; the ambassador is told")
    func life() async throws {
        try await withNeed(experts: 3, places: 1) { need in
            let network = need.network
            try await need.send()
            let mails = try await network.mails(3)
            #expect(Set(mails.map(\.recipient)) == ["un@x.example", "deux@x.example", "trois@x.example"])
            let mail = try #require(mails.first { $0.recipient == "un@x.example" })
            #expect(mail.subject == "Une entreprise cherche un expert\u{A0}: Pyrénées-Atlantiques (64)")
            for text in [
                "CCI <Béarn>", "64000", "Informatique en nuage", FrenchFormat.day(Day.today.adding(days: 7)),
                "au premier qui accepte",
            ] {
                #expect(mail.text.contains(text), "\(text)")
            }
            // No letter names a person or the firm, or contains the need, whose text may name them.
            for name in ["Bidart", "Boulangerie", "0559111111", "tiroir"] {
                #expect(!mail.text.contains(name), "\(name)")
            }

            let path = try #require(mail.path)
            let page = try await network.page(path)
            #expect(page.texts["h1"] == ["Un besoin pour vous"])
            #expect(page.texts["dd"]?.contains("Ana Bidart, CCI <Béarn>") == true)
            #expect(page.texts["main"]?.first?.contains("Une caisse & son tiroir.") == true)
            #expect(page.texts["button"] == ["J’accepte", "Je décline"])
            // Opening the page changes nothing, and does not show the firm.
            #expect(try await need.states() == [.sent, .sent, .sent])
            #expect(page.texts["main"]?.first?.contains("Boulangerie") == false)

            let declined = try await network.post("\(path)/answer", "answer=declined&note=Trop+de+%3Ctravail%3E")
            #expect(declined.status == 303 && declined.headers["location"] == path)
            let told = try #require(try await network.mails(4).first { $0.recipient == "ana@conseil.example" })
            #expect(told.subject == "Un expert a décliné votre demande")
            #expect(told.text.contains("2 autres experts doivent encore répondre") && !told.text.contains("Expert un"))
            let follow = try #require(told.path)
            let followed = try await network.page(follow)
            #expect(Set(followed.texts["h3"] ?? []) == ["Expert un", "Expert deux", "Expert trois"])
            #expect(followed.texts["main"]?.first?.contains("«\u{A0}Trop de <travail>\u{A0}»") == true)
            #expect(followed.texts["main"]?.first?.contains("un@x.example") == false)

            let second = try #require(mails.first { $0.recipient == "deux@x.example" }?.path)
            #expect(try await network.post("\(second)/answer", "answer=accepted&note=").status == 303)
            let accepted = try await network.page(second)
            #expect(accepted.texts["dd"]?.contains("Boulangerie") == true)
            #expect(accepted.texts["dd"]?.contains("05 59 11 11 11") == true)
            #expect(accepted.texts["dd"]?.contains("ana@conseil.example") == true && accepted.texts["button"] == nil)
            #expect(try await network.mails(5).contains { $0.subject == "Un expert a accepté votre demande" })
            #expect(try await network.page(follow).texts["main"]?.first?.contains("deux@x.example") == true)

            // Too late: the page says so, and nothing changes. Submitting again changes nothing either.
            let third = try #require(mails.first { $0.recipient == "trois@x.example" }?.path)
            #expect(try await network.post("\(third)/answer", "answer=accepted").status == 303)
            #expect(try await network.page(third).texts["main"]?.first?.contains("vous n’avez plus à répondre") == true)
            #expect(try await network.post("\(second)/answer", "answer=accepted").status == 303)
            #expect(try await network.post("\(second)/answer", "answer=declined").status == 303)
            #expect(try await need.states() == [.declined, .accepted, .withdrawn])
            try await network.idle()
            #expect(try await network.mails(5).count == 5)
        }
    }

    @Test("a letter and a page give a firm's place, which may have no postal code abroad")
    func places() {
        #expect(ReferralPlace.phrase("64000", "64") == "du 64000 (Pyrénées-Atlantiques)")
        #expect(ReferralPlace.phrase("64000") == "du 64000")
        #expect(ReferralPlace.phrase(nil, .abroad) == "à l’étranger" && ReferralPlace.phrase(nil) == "à l’étranger")
        #expect(ReferralPlace.text("64000", "64") == "64000 (Pyrénées-Atlantiques)")
        #expect(ReferralPlace.text(nil, .abroad) == "Étranger")
    }

    @Test("a job that runs again sends nothing again, and one that runs too late sends nothing at all")
    func once() async throws {
        try await withNeed(experts: 2, places: 2) { need in
            let network = need.network
            try await need.send()
            #expect(try await network.mails(2).count == 2)
            try await network.idle()
            // As after a crash between content's response and the end of the job.
            try await need.again()
            try await network.idle()
            #expect(try await network.mails(2).count == 2)
            _ = try await need.answer(0, #"{"state":"accepted"}"#)
            #expect(try await network.mails(3).count == 3)
            try await network.change(
                """
                insert into job (kind, payload, maximum_attempts)
                select 'referral.answer', jsonb_build_object('offer', id, 'state', 'accepted'), 1
                from referral_offer where state = 'accepted'
                """)
            try await network.idle()
            #expect(try await network.mails(3).count == 3)

            // The day for an answer passes: no one is invited any more, and the ambassador is told once.
            try await network.change("update referral_offer set answer_by = current_date - 2 where state = 'sent'")
            try await need.again()
            let routes = ReferralRoutes(backend: network.directory.backend)
            try await routes.expire()
            try await routes.expire()
            let last = try await network.mails(4)
            #expect(last.count { $0.subject == "Un expert n’a pas répondu à temps" } == 1)
            try await network.idle()
            #expect(try await network.mails(4).count == 4)
        }
    }

    @Test("experts without an address or who have left get no letter; ambassadors get none about their own actions")
    func nobody() async throws {
        try await withNeed(experts: 3, places: 2) { need in
            let network = need.network
            try await network.change("update expert set email = null where name = 'Expert un'")
            let matches = try await need.matches()
            #expect(matches.map(\.isMailed).filter { !$0 }.count == 1 && matches.count == 3)
            try await network.change("update expert set contact_name = 'Léa Diaz' where name = 'Expert deux'")
            try await need.send()
            #expect(try await network.mails(2).count == 2)
            _ = try await need.answer(0, #"{"state":"accepted"}"#)
            #expect(try await network.mails(3).last?.recipient == "ana@conseil.example")
            _ = try await need.answer(0, #"{"state":"done","satisfaction":4}"#, by: .ambassador)
            // An ambassador who has left in the meantime is told nothing.
            try await network.change("update ambassador set left_on = (now() at time zone 'Europe/Paris')::date")
            _ = try await need.answer(1, #"{"state":"declined"}"#)
            try await network.idle()
            #expect(try await network.mails(3).count == 3)
        }
    }

    @Test("a link opens only its own offer or referral, and only for its time")
    func links() async throws {
        try await withNeed(experts: 2, places: 1) { need in
            let network = need.network
            try await need.send()
            let links = network.directory.backend.links
            let (own, hour) = (need.offers[0], Timestamp.now.advanced(by: .seconds(3600)))
            let good = links.token(purpose: "referral-offer", subject: own.id.text, expires: hour)
            let wrong = [
                String(good.dropLast(3)) + "AAA",
                links.token(purpose: "referral-offer", subject: own.id.text, expires: .now.advanced(by: .seconds(-1))),
                links.token(purpose: "referral", subject: own.id.text, expires: hour),
                links.token(purpose: "referral-offer", subject: ReferralOffer.ID().text, expires: hour),
                links.token(purpose: "referral-offer", subject: need.referral.id.text, expires: hour),
                "x",
            ]
            for token in wrong {
                let page = try await network.directory.raw(.get, "/v1/referral-invitations/\(token)")
                #expect(page.status == 404 && page.text.contains("Cette page n’existe pas, ou plus"))
                #expect(
                    try await network.post("/v1/referral-invitations/\(token)/answer", "answer=accepted").status == 404)
            }
            #expect(try await network.directory.raw(.get, "/v1/referral-follow-ups/\(good)").status == 404)
            #expect(
                try await network.post("/v1/referral-invitations/\(good)/answer", "answer=done").status == 422)
            #expect(try await need.states() == [.sent, .sent])
        }
    }

    @Test("a link is revoked when its address is given up, the expert's and the ambassador's alike")
    func givenUp() async throws {
        try await withNeed(experts: 2, places: 1) { need in
            let network = need.network
            try await need.send()
            let path = try #require(try await network.mails(2).first { $0.recipient == "un@x.example" }?.path)
            #expect(try await network.post("\(path)/answer", "answer=declined").status == 303)
            let follow = try #require(
                try await network.mails(3).first { $0.recipient == "ana@conseil.example" }?.path)
            for path in [path, follow] {
                #expect(try await network.directory.raw(.get, path).status == 200)
                for address in ["un@x.example", "ana@conseil.example"] { #expect(!Self.says(address, path)) }
            }
            try await network.change("update expert set email = 'UN@x.example' where email = 'un@x.example'")
            #expect(try await network.directory.raw(.get, path).status == 200)
            try await network.change("update expert set email = 'neuf@x.example' where email = 'UN@x.example'")
            try await network.change("update person set email = null where email = 'ana@conseil.example'")
            for path in [path, follow] { #expect(try await network.directory.raw(.get, path).status == 404) }
            #expect(try await network.post("\(path)/answer", "answer=accepted").status == 404)
            let outcome = try await network.post("\(follow)/outcome", "offer=\(need.offers[0].id)&outcome=abandoned")
            #expect(outcome.status == 404)
        }
    }

    /// Whether a path contains a word literally, or in Base64.
    private static func says(_ word: String, _ path: String) -> Bool {
        path.split { "/.".contains($0) }.contains { part in
            part.contains(word)
                || Base64URL.decode(part.utf8).map { String(decoding: $0, as: UTF8.self).contains(word) } == true
        }
    }

    @Test(
        "an invalid note is reported beside its field and what was typed is kept; once corrected, it is accepted"
    )
    func note() async throws {
        try await withNeed(experts: 1, places: 1) { need in
            let network = need.network
            try await need.send()
            let path = try #require(try await network.mails(1).first?.path)
            for (note, error) in [
                ("Demain%E2%80%8E+%3Cmatin%3E", "caractère invisible"),
                (String(repeating: "a", count: 2001), "2000 caractères au plus\u{A0}: ce texte en a 2001."),
            ] {
                let refused = try await network.post("\(path)/answer", "answer=accepted&note=\(note)")
                #expect(refused.status == 422 && refused.headers["content-type"] == "text/html; charset=utf-8")
                #expect(refused.text.contains("note-erreur") && refused.text.contains(error), "\(error)")
                #expect(refused.text.contains("J’accepte") && refused.text.contains("n’a pas été enregistrée"))
                #expect(refused.text.contains(note.hasPrefix("a") ? note : "&lt;matin&gt;</textarea>"))
            }
            #expect(try await need.states() == [.sent])
            // A browser sends two characters for a line break, which counts as one.
            let long = String(repeating: "a%0D%0A", count: 998) + "fin"
            #expect(try await network.post("\(path)/answer", "answer=accepted&note=\(long)").status == 303)
            #expect(try await need.states() == [.accepted])
            let offers = try await network.directory.client(.operator).send(
                ListReferralOffers.request(query: .init()))
            #expect(offers.items.first?.note?.text.count == 1999)
        }
    }

    @Test(
        "a month after an acceptance, the ambassador is asked once about the outcome, and states it on the page"
    )
    func outcome() async throws {
        try await withNeed(experts: 3, places: 2) { need in
            let network = need.network
            try await need.send()
            #expect(try await network.mails(3).count == 3)
            _ = try await need.answer(0, #"{"state":"accepted"}"#)
            _ = try await need.answer(1, #"{"state":"accepted"}"#)
            #expect(try await network.mails(5).count == 5)
            let letters = ReferralLetters(
                backend: network.directory.backend, letters: try LetterClient(backend: network.directory.backend))
            // No one is asked too early, nor after 120 days.
            try await letters.askOutcomes()
            try await network.change(
                "update referral_offer set answered_at = now() - interval '121 days' where state = 'accepted'")
            try await letters.askOutcomes()
            try await network.idle()
            #expect(try await network.mails(5).count == 5)
            try await network.change(
                "update referral_offer set answered_at = now() - interval '31 days' where expert = \(need.experts[0].id)"
            )
            for _ in 1...2 { try await letters.askOutcomes() }
            try await network.idle()
            let asked = try await network.mails(6)
            #expect(asked.count == 6)
            let mail = try #require(asked.first { $0.subject == "Qu’est devenue votre demande\u{202F}?" })
            #expect(mail.recipient == "ana@conseil.example" && !mail.text.contains("Expert un"))

            let path = try #require(mail.path)
            let page = try await network.page(path)
            #expect(page.texts["form"]?.count == 2 && page.fields["satisfaction"]?.contains("5") == true)
            let offers = try await network.directory.client(.operator).send(
                ListReferralOffers.request(query: .init()))
            func offer(_ number: Int) throws -> ReferralOffer {
                try #require(offers.items.first { $0.expert == need.experts[number].id })
            }
            func tell(_ number: Int, _ outcome: String) async throws -> RawAnswer {
                try await network.post("\(path)/outcome", "offer=\(try offer(number).id)&outcome=\(outcome)")
            }
            for wrong in ["done&satisfaction=", "done&satisfaction=6", "done"] {
                let refused = try await tell(0, wrong)
                let error = "satisfaction-\(try offer(0).id)-erreur"
                #expect(refused.status == 422 && refused.text.contains(error))
            }
            #expect(try await need.states() == [.accepted, .accepted, .withdrawn])
            let done = try await tell(0, "done&satisfaction=2")
            #expect(done.status == 303 && done.headers["location"] == path)
            #expect(try await tell(1, "abandoned").status == 303)
            #expect(try await need.states() == [.done, .abandoned, .withdrawn])
            // A better outcome can be stated for a while; an abandoned one stays so.
            #expect(try await tell(0, "done&satisfaction=4").status == 303)
            #expect(try await network.page(path).texts["main"]?.first?.contains("satisfaction\u{A0}: 4 sur 5") == true)
            #expect(try await tell(0, "abandoned").status == 303)
            #expect(try await tell(1, "done&satisfaction=5").status == 303)
            #expect(try await need.states() == [.done, .abandoned, .withdrawn])
            try await network.change("update referral_offer set updated_at = now() - interval '15 days'")
            #expect(try await network.page(path).texts["form"] == nil)
            #expect(try await tell(0, "done&satisfaction=1").status == 303)
            #expect(try await network.page(path).texts["main"]?.first?.contains("satisfaction\u{A0}: 4 sur 5") == true)

            // Not for another's offer, and not by another link.
            let links = network.directory.backend.links
            let token = links.token(
                purpose: "referral", subject: Referral.ID().text, expires: .now.advanced(by: .seconds(60)))
            let foreign = try await network.post(
                "/v1/referral-follow-ups/\(token)/outcome", "offer=\(try offer(0).id)&outcome=abandoned")
            #expect(foreign.status == 404)
            try await network.idle()
            #expect(try await network.mails(6).count == 6)
        }
    }

    @Test("an expert that leaves has no open offers; the ambassador is told, and asks another")
    func leaving() async throws {
        try await withNeed(experts: 2, places: 1) { need in
            let network = need.network
            let directory = network.directory
            try await need.send()
            let mails = try await network.mails(2)
            let path = try #require(mails.first { $0.recipient == "un@x.example" }?.path)
            let before = try await directory.client(.operator).send(
                GetReferral.request(path: need.referral.id))
            let moved = try await directory.ask(
                .post, "/v1/experts/\(need.experts[0].id)/transitions", as: .expert,
                organization: need.experts[0].id.claim, json: #"{"to":"left"}"#)
            #expect(moved.status == 200)
            #expect(try await need.states() == [.withdrawn, .sent])
            let after = try await directory.client(.operator).send(
                GetReferral.request(path: need.referral.id))
            #expect(before.asked == 2 && after.asked == 1)
            #expect(
                try await network.mails(3).contains { $0.subject == "Un expert ne répondra pas à votre demande" })
            #expect(try await network.page(path).texts["main"]?.first?.contains("vous avez quitté le réseau") == true)
            #expect(try await network.post("\(path)/answer", "answer=accepted").status == 303)
            #expect(try await need.answer(0, #"{"state":"accepted"}"#).problem().slug == "transition-not-allowed")
            let changed = try await directory.changes(1).items.filter { $0.entity == .referralOffer }
            #expect(changed.contains { $0.id == need.offers.first { $0.expert == need.experts[0].id }?.id.text })
        }
    }

    // MARK: Steps

    private struct Need {
        let network: Network
        let person: Person.ID
        let referral: Referral
        let experts: [Expert]
        var offers: [ReferralOffer] = []

        mutating func send() async throws {
            let client = try network.directory.client(.ambassador, person: person)
            let page = try await client.send(
                SendReferral.request(path: referral.id, body: .init(experts: experts.map(\.id))))
            offers = page.items.sorted { $0.id.text < $1.id.text }
        }

        /// The states of the offers in the order of the experts.
        func states() async throws -> [ReferralOffer.State] {
            let list = try await network.directory.client(.operator).send(
                ListReferralOffers.request(query: .init()))
            return experts.compactMap { expert in list.items.first { $0.expert == expert.id }?.state }
        }

        func matches() async throws -> [ReferralMatch] {
            try await network.directory.client(.operator).send(
                ListReferralMatches.request(path: referral.id, query: .init())
            ).items
        }

        func answer(_ number: Int, _ json: String, by role: Role = .expert) async throws -> RawAnswer {
            let list = try await network.directory.client(.operator).send(
                ListReferralOffers.request(query: .init()))
            let offer = try #require(list.items.first { $0.expert == experts[number].id })
            return try await network.directory.ask(
                .patch, "/v1/referral-offers/\(offer.id)", as: role,
                organization: role == .expert ? experts[number].id.claim : nil,
                person: role == .ambassador ? person : nil, ifMatch: offer.version, json: json)
        }

        /// Runs every invitation's job once more.
        func again() async throws {
            try await network.change(
                """
                insert into job (kind, payload, maximum_attempts)
                select 'referral.invitation', to_jsonb(id::text), 1 from referral_offer
                """)
        }
    }

    private func withNeed(
        experts count: Int, places: Int, _ body: (inout Need) async throws -> Void
    ) async throws {
        try await withNetwork { network in
            let directory = network.directory
            let home = try await directory.organization("CCI <Béarn>")
            let ana = try await directory.person("Ana", "Bidart", email: "ana@conseil.example")
            _ = try await directory.client(.operator).send(
                CreateAmbassador.request(
                    body: .init(person: ana.id, organization: home.id, topics: ["cloud"], departements: ["64"])))
            var experts: [Expert] = []
            for name in ["un", "deux", "trois"].prefix(count) {
                experts.append(
                    try await directory.publishedExpert(Line(validating: "Expert \(name)")) {
                        $0.email = EmailAddress(stringLiteral: "\(name)@x.example")
                        $0.topics = ["cloud"]
                    })
            }
            let referral = try await directory.client(.ambassador, person: ana.id).send(
                CreateReferral.request(
                    body: .init(
                        topics: ["cloud"], postalCode: "64000", description: "Une caisse & son tiroir.",
                        firm: Firm(name: "Boulangerie", telephone: "0559111111"), places: places)))
            var need = Need(network: network, person: ana.id, referral: referral, experts: experts)
            try await body(&need)
        }
    }
}

extension Network {
    /// The content of a page's `main`, which must be well-formed.
    fileprivate func page(_ path: String) async throws -> Reader {
        let answer = try await directory.raw(.get, path)
        #expect(answer.status == 200)
        let start = try #require(answer.text.range(of: "<main"))
        let end = try #require(answer.text.range(of: "</main>"))
        return try Reader.read(String(answer.text[start.lowerBound..<end.upperBound]))
    }
}
