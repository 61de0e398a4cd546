import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("self-service by link", .serialized)
struct SelfServiceTests {
    @Test("a requested link is mailed; it lets a person correct the record by a form, leave and come back")
    func expert() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let expert = try await directory.expert("Atelier <Numérique>") {
                $0.email = "Contact@atelier.example"
                $0.topics = ["hosting"]
            }
            let path = try await link(to: "contact@atelier.example", network)
            let page = try await directory.raw(.get, path)
            #expect(page.text.contains("Atelier &lt;Numérique&gt;") && page.text.contains("Hébergement"))
            #expect(page.text.contains("Quitter le réseau"))
            let form = try await directory.raw(.get, "\(path)/record")
            #expect(form.text.contains(#"name="topics" value="hosting" checked"#))
            #expect(form.text.contains(#"<label for="departements">"#))
            // The form shows the same question that the ledger records.
            #expect(form.text.contains("accepte de recevoir le Flash info du club par courriel, tous les quinze jours"))

            // An invalid value is reported beside its field; what was typed is kept; nothing changes.
            let wrong = try await network.post(
                "\(path)/record", "version=1&email=nobody&telephone=abc&departements=99&topics=hosting&brands=&website="
            )
            #expect(wrong.status == 422 && wrong.headers["content-type"] == "text/html; charset=utf-8")
            for text in ["email-erreur", "telephone-erreur", "departements-erreur", #"value="nobody""#] {
                #expect(wrong.text.contains(text), "\(text)")
            }
            #expect(try await get(expert.id, directory).version == 1)

            let saved = try await network.post(
                "\(path)/record",
                "version=1&contactName=Zo%C3%A9+L.&email=zoe%40atelier.example&telephone=05+59+00+00+00"
                    + "&website=www.atelier.example&departements=64%2C+40&topics=webSite&topics=training"
                    + "&brands=HP%0D%0A%C3%89lan%0D%0A&flashInfo=true&publicDirectory=true")
            #expect(saved.status == 303)
            let now = try await get(expert.id, directory)
            #expect(now.contactName == "Zoé L." && now.email == "zoe@atelier.example")
            #expect(now.website == "https://www.atelier.example" && now.departements == ["64", "40"])
            #expect(now.topics == ["webSite", "training"] && now.brands == ["HP", "Élan"])
            #expect(now.consents.flashInfo?.agreed == true && now.consents.partnerOffers?.agreed == false)
            #expect(now.confirmedAt > expert.confirmedAt && now.name == expert.name && now.siret == expert.siret)

            // The form that was open before has the earlier version of the record.
            let current = String(try #require(saved.headers["location"]?.split(separator: "?").first))
            let stale = try await network.post(
                "\(current)/record", "version=1&departements=64&email=zoe%40atelier.example")
            #expect(stale.status == 412 && stale.text.contains("La fiche a changé entre-temps"))

            let left = try await network.post("\(current)/transition", "to=left")
            #expect(left.status == 303)
            #expect(try await get(expert.id, directory).leftOn == .today)
            let gone = try await directory.raw(.get, current)
            #expect(gone.text.contains("Revenir dans le réseau") && !gone.text.contains("Je confirme"))
            #expect(try await network.post("\(current)/confirmation").status == 409)
            _ = try await network.post("\(current)/transition", "to=enrolled")
            #expect(try await get(expert.id, directory).leftOn == nil)
        }
    }

    @Test("an ambassador's link changes the person's address and consents and the ambassador's field")
    func ambassador() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let ana = try await directory.person("Ana", "Bidart", email: "ana@conseil.example")
            _ = try await directory.person("Bob", "Coll", email: "bob@conseil.example")
            let operating = try directory.client(.operator)
            let ambassador = try await operating.send(
                CreateAmbassador.request(body: .init(person: ana.id, departements: ["64"])))
            let path = try await link(to: "ana@conseil.example", network)
            #expect(try await directory.raw(.get, path).text.contains("Ana Bidart"))
            let fields = "version=1&personVersion=1&telephone=&departements=33&topics=management&eventInvitations=true"
            let taken = try await network.post("\(path)/record", "\(fields)&email=bob%40conseil.example")
            #expect(taken.status == 422 && taken.text.contains("ne peut pas être prise ici"))
            #expect(!taken.text.contains("autre personne"))
            #expect(try await network.post("\(path)/record", "\(fields)&email=ana%40neuf.example").status == 303)
            let person = try await operating.send(GetPerson.request(path: ana.id))
            #expect(person.email == "ana@neuf.example" && person.consents.eventInvitations?.agreed == true)
            let now = try await operating.send(GetAmbassador.request(path: ambassador.id))
            #expect(
                now.departements == ["33"] && now.topics == ["management"] && now.confirmedAt > ambassador.confirmedAt)
        }
    }

    @Test("no one learns who is in the directory, and no mailbox is flooded")
    func discretion() async throws {
        try await withNetwork { network in
            let directory = network.directory
            _ = try await directory.expert("Atelier") { $0.email = "contact@atelier.example" }
            func ask(_ email: String) async throws -> RawAnswer {
                try await directory.raw(.post, "/v1/self-service-links", json: #"{"email":"\#(email)"}"#)
            }
            let known = try await ask("contact@atelier.example")
            let unknown = try await ask("personne@atelier.example")
            #expect(known.status == 202 && unknown.status == 202)
            #expect(known.body == unknown.body && Set(known.headers.keys) == Set(unknown.headers.keys))
            for _ in 1...5 { _ = try await ask("CONTACT@atelier.example") }
            let form = try await network.post("/v1/self-service", "email=contact%40atelier.example")
            #expect(form.status == 200 && form.text.contains("Si cette adresse figure"))
            let stranger = try await network.post("/v1/self-service", "email=nobody%40x.example")
            #expect(stranger.text == form.text)
            let wrong = try await network.post("/v1/self-service", "email=x")
            #expect(wrong.status == 422 && wrong.text.contains("email-erreur"))
            #expect(try await directory.raw(.get, "/v1/self-service").text.contains(#"<label for="email">"#))
            #expect(try await network.mails(1).count == 1)
            try await network.idle()
            #expect(try await network.mails(1).map(\.recipient) == ["contact@atelier.example"])
        }
    }

    @Test("when a thousand addresses wait for their links, the next is told to come back")
    func crowd() async throws {
        try await withNetwork { network in
            try await network.change(
                """
                insert into job (kind, payload, unique_key, due_at, maximum_attempts)
                select 'self-service.find', '{"email":"a@x.example"}', 'a' || number, now() + interval '1 day', 1
                from generate_series(1, 1000) as number
                """)
            let answer = try await network.directory.raw(
                .post, "/v1/self-service-links", json: #"{"email":"b@x.example"}"#)
            #expect(answer.status == 429 && answer.headers["retry-after"] == "60")
            let page = try await network.post("/v1/self-service", "email=b%40x.example")
            #expect(page.status == 429 && page.text.contains("Attendez une minute"))
        }
    }

    @Test("a link opens only its own record, only for its time, and otherwise says so in French")
    func links() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let own = try await directory.expert("À nous")
            let other = try await directory.expert("À eux")
            let links = directory.backend.links
            let hour = Timestamp.now.advanced(by: .seconds(3600))
            let good = links.token(purpose: "self-service", subject: "expert:\(own.id)", expires: hour)
            let forged = String(good.dropLast(3)) + "AAA"
            let expired = links.token(
                purpose: "self-service", subject: "expert:\(own.id)", expires: .now.advanced(by: .seconds(-1)))
            let foreign = links.token(purpose: "receipt", subject: "expert:\(own.id)", expires: hour)
            let gone = links.token(purpose: "self-service", subject: "expert:\(Expert.ID())", expires: hour)
            for token in [forged, expired, foreign, gone, "x"] {
                let answer = try await directory.raw(.get, "/v1/self-service/\(token)")
                #expect(answer.status == 404 && answer.text.contains("Cette page n’existe pas, ou plus"))
                #expect(try await network.post("/v1/self-service/\(token)/confirmation").status == 404)
                #expect(try await network.post("/v1/self-service/\(token)/transition", "to=left").status == 404)
                #expect(
                    try await network.post("/v1/self-service/\(token)/record", "version=1&departements=64").status
                        == 404)
            }
            #expect(try await network.post("/v1/self-service/\(good)/transition", "to=left").status == 303)
            #expect(try await get(other.id, directory) == other)
        }
    }

    @Test("a link requests an erasure once; when the staff begins it, the link leads nowhere")
    func rights() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let own = try await directory.expert("À nous") { $0.email = "nous@example.org" }
            let path = try await link(to: "nous@example.org", network)
            // Events and lobbying are missing: incomplete personal data is not returned.
            #expect(try await directory.raw(.get, "\(path)/data").status == 503)
            #expect(try await directory.raw(.get, path).text.contains("Demander l’effacement"))
            for _ in 1...2 { #expect(try await network.post("\(path)/erasure").status == 303) }
            let page = try await directory.raw(.get, "\(path)?done=erasureAsked").text
            #expect(page.contains("Votre demande est enregistrée") && !page.contains("Demander l’effacement"))
            let operating = try directory.client(.operator)
            let asked = try await operating.send(ListErasures.request(query: .init(.init(state: .requested)))).items
            #expect(asked.map(\.subject.uuid) == [own.id.uuid])
            _ = try await operating.send(
                TransitionErasure.request(path: asked[0].id, body: .init(to: .erasing)))
            #expect(try await directory.raw(.get, path).status == 404)
            #expect(try await network.post("\(path)/erasure").status == 404)
        }
    }

    @Test("what a link opens is not cached, and pages linked from it get no referrer")
    func caches() async throws {
        try await withNetwork { network in
            let directory = network.directory
            _ = try await directory.expert("À nous") { $0.email = "nous@example.org" }
            let path = try await link(to: "nous@example.org", network)
            for answer in [
                try await directory.raw(.get, path), try await directory.raw(.get, "\(path)/record"),
                try await network.post("\(path)/confirmation"), try await network.post("\(path)/record", "version=0"),
                try await directory.raw(.get, "/v1/self-service/x"),
                try await directory.raw(.get, "/v1/referral-follow-ups/x"),
            ] {
                #expect(answer.headers["cache-control"] == "no-store", "\(answer.status)")
                #expect(answer.headers["referrer-policy"] == "no-referrer", "\(answer.status)")
            }
            #expect(try await directory.raw(.get, "/annuaire").headers["cache-control"] == "no-cache")
        }
    }

    @Test(
        "anonymous callers get at most three links a day mailed to a record, by any address, and learn nothing"
    )
    func threeADay() async throws {
        try await withNetwork { network in
            let expert = try await network.directory.expert("À nous") { $0.email = "nous@example.org" }
            func ask(_ email: String) async throws -> String {
                let answer = try await network.post("/v1/self-service", "email=\(email.replacing("@", with: "%40"))")
                #expect(answer.status == 200)
                // Each as if it were requested half an hour later.
                try await network.idle()
                try await network.change("update self_service_link set asked_at = asked_at - interval '30 minutes'")
                return answer.text
            }
            let stranger = try await ask("personne@example.org")
            for number in 1...5 {
                if number == 3 {
                    try await network.change("update expert set email = 'autre@example.org' where id = \(expert.id)")
                }
                #expect(try await ask(number < 3 ? "nous@example.org" : "autre@example.org") == stranger)
            }
            #expect(
                try await network.mails(3).map(\.recipient) == [
                    "nous@example.org", "nous@example.org", "autre@example.org",
                ])
            try await network.idle()
            #expect(try CaughtMail.all(in: network.mail).count == 3)
            // A day after the first, there is room for one.
            try await network.change(
                "update self_service_link set asked_at = asked_at - interval '21 hours 45 minutes'")
            _ = try await ask("autre@example.org")
            #expect(try await network.mails(4).count == 4)
        }
    }

    @Test("concurrent requests for one record are counted one after the other")
    func threeAtOnce() async throws {
        try await withNetwork { network in
            let expert = try await network.directory.expert("À nous") { $0.email = "nous@example.org" }
            try await network.change(
                """
                insert into self_service_link (id, expert, asked_at)
                select gen_random_uuid(), \(expert.id), now() - interval '1 hour' from generate_series(1, 2)
                """)
            let database = network.directory.backend.database
            /// How many of two concurrent requests are recorded; the second begins while the first has not committed.
            func noted(_ note: @escaping @Sendable (PostgresTransaction) async throws -> Bool) async throws -> Int {
                let (first, later) = try await database.transaction(retries: 0) { transaction in
                    let first = try await note(transaction)
                    let later = Task { try await database.transaction(retries: 0) { try await note($0) } }
                    // It waits for the lock, or has ended without one.
                    for _ in 1...200 where try await !isSomebodyWaiting(database) {
                        try await Task.sleep(for: .milliseconds(5))
                    }
                    return (first, later)
                }
                return (first ? 1 : 0) + (try await later.value ? 1 : 0)
            }
            #expect(
                try await noted { try await SelfServiceStore.note(.expert(expert.id), in: $0) != nil } == 1)
            // Negative control: the same statement without locking the record.
            try await network.change("delete from self_service_link where asked_at > now() - interval '30 minutes'")
            let unheld = try await noted { transaction in
                try await transaction.first(
                    """
                    insert into self_service_link (id, expert) select gen_random_uuid(), \(expert.id)
                    where (select count(*) < 3 from self_service_link where expert = \(expert.id)) returning id
                    """) != nil
            }
            #expect(unheld == 2)
        }
    }

    private func isSomebodyWaiting(_ database: PostgresClient) async throws -> Bool {
        let row = try await database.first(
            """
            select exists (
                select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock') as waiting
            """)
        return try row?["waiting"] ?? false
    }

    @Test("an address may be changed but not removed; the old one is notified, and its links are revoked")
    func moved() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let expert = try await directory.expert("Atelier <Numérique>") { $0.email = "ancienne@atelier.example" }
            let path = try await link(to: "ancienne@atelier.example", network)
            for empty in ["email=", "email=+", "telephone="] {
                let refused = try await network.post("\(path)/record", "version=1&departements=64&\(empty)")
                #expect(refused.status == 422 && refused.text.contains("Indiquez une adresse électronique"))
            }
            // The same address in other case is not a new one.
            let same = try await network.post(
                "\(path)/record", "version=1&departements=64&email=Ancienne%40atelier.example")
            #expect(same.status == 303 && same.headers["location"] == "\(path)?done=changed")
            let version = try await get(expert.id, directory).version
            let saved = try await network.post(
                "\(path)/record", "version=\(version)&departements=64&email=neuve%40atelier.example")
            #expect(saved.status == 303)
            let told = try #require(
                try await network.mails(2).last { $0.subject == "L’adresse de votre fiche a changé" })
            #expect(told.recipient.lowercased() == "ancienne@atelier.example")
            #expect(told.text.contains("Atelier <Numérique>") && !told.text.contains("neuve@"))

            for way in ["", "/record", "/data"] { #expect(try await directory.raw(.get, path + way).status == 404) }
            #expect(try await network.post("\(path)/confirmation").status == 404)
            #expect(try await network.post("\(path)/transition", "to=left").status == 404)
            #expect(try await network.post("\(path)/erasure").status == 404)
            // The change continues by a link to the new address.
            let next = try #require(saved.headers["location"])
            #expect(try await directory.raw(.get, next).text.contains("Merci\u{A0}: votre fiche est enregistrée"))
            // The same for a change made in another way.
            _ = try await directory.ask(
                .patch, "/v1/experts/\(expert.id)", ifMatch: try await get(expert.id, directory).version,
                json: #"{"email":"troisieme@atelier.example"}"#)
            #expect(try await directory.raw(.get, next).status == 404)
        }
    }

    // MARK: Steps

    /// Requests a link, and reads it from the mail.
    private func link(to email: String, _ network: Network) async throws -> String {
        let answer = try await network.post("/v1/self-service", "email=\(email.replacing("@", with: "%40"))")
        #expect(answer.status == 200)
        let mail = try #require(try await network.mails(1).first)
        #expect(mail.recipient.lowercased() == email && mail.subject == "Votre lien vers votre fiche")
        return try #require(mail.path)
    }

    private func get(_ id: Expert.ID, _ directory: TestService) async throws -> Expert {
        try await directory.client(.operator).send(GetExpert.request(path: id))
    }
}
