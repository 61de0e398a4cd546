import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("the public directory")
struct PublicDirectoryTests {
    @Test("without a token one sees those who consented, and no way to contact them")
    func experts() async throws {
        try await withDirectory { directory in
            let shown = try await directory.publishedExpert("Agence Visible") {
                $0.email = "contact@visible.example"
                $0.telephone = "0559000000"
                $0.contactName = "Maïté Etcheverry"
                $0.siret = "73282932000074"
                $0.website = "https://www.visible.example/"
                $0.topics = ["webSite"]
                $0.brands = ["Acme"]
            }
            let hidden = try await directory.expert("Agence Cachée")
            let list = try await directory.raw(.get, "/v1/public/experts")
            #expect(list.status == 200)
            #expect(try list.items("id") == [shown.id.text])
            let one = try await directory.raw(.get, "/v1/public/experts/\(shown.id)")
            #expect(try one.decode(PublicExpert.self).website == "https://www.visible.example/")
            for answer in [list, one, try await directory.raw(.get, "/annuaire/experts/\(shown.id)")] {
                #expect(answer.status == 200)
                for secret in ["contact@", "0559000000", "Etcheverry", "73282932000074", "consents", "@visible"] {
                    #expect(!answer.text.contains(secret), "\(secret)")
                }
            }
            #expect(try await directory.raw(.get, "/v1/public/experts/\(hidden.id)").status == 404)
            #expect(try await directory.raw(.get, "/annuaire/experts/\(hidden.id)").status == 404)
            // An expert who withdraws consent disappears at once.
            _ = try await directory.ask(
                .patch, "/v1/experts/\(shown.id)", ifMatch: 1, json: #"{"consents":{"publicDirectory":false}}"#)
            #expect(try await directory.raw(.get, "/v1/public/experts").items("id").isEmpty)
            #expect(try await directory.raw(.get, "/v1/public/experts/\(shown.id)").status == 404)
        }
    }

    @Test("the list is filtered, and paged by cursor and by address alike")
    func filters() async throws {
        try await withDirectory { directory in
            for number in 10..<35 {
                _ = try await directory.publishedExpert(Line(validating: "Expert \(number)")) {
                    $0.topics = number < 33 ? ["cloud"] : ["payment"]
                    $0.departements = number == 10 ? ["40"] : ["64"]
                }
            }
            func names(_ query: String) async throws -> [String] {
                try await directory.raw(.get, "/v1/public/experts?\(query)").items("name")
            }
            #expect(try await names("topic=payment") == ["Expert 33", "Expert 34"])
            #expect(try await names("departement=40") == ["Expert 10"])
            #expect(try await names("subKind=reseller").isEmpty)
            try await directory.database.withClient(as: "directory") { client in
                try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
            }
            #expect(try await names("q=experrt&departement=40") == ["Expert 10"])
            let first = try await directory.raw(.get, "/v1/public/experts?topic=cloud&limit=20")
            let next = try #require(try first.json()["next"]?.string)
            let second = try await names("topic=cloud&limit=20&cursor=\(next)")
            #expect(second == ["Expert 30", "Expert 31", "Expert 32"])
            let large = try await directory.raw(.get, "/v1/public/experts?limit=51")
            #expect(large.status == 422)
            #expect(try large.pointer() == "limit")

            // As a browser sends the form: including the empty fields.
            let form = "/annuaire?q=&departement=&theme=cloud&type="
            let page = try await directory.page(form)
            #expect(page.texts["h3"]?.count == 20)
            #expect(page.texts["h3"]?.first == "Expert 10")
            let link = try #require(page.links.first { $0.contains("apres=") })
            let rest = try await directory.page(link)
            #expect(rest.texts["h3"] == ["Expert 30", "Expert 31", "Expert 32"])
            #expect(rest.links.contains("/annuaire?theme=cloud"))
            #expect(!rest.links.contains { $0.contains("apres=") })
            let all = try await directory.client(.operator).send(ListExperts.request(query: .init()))
            let end = try #require(all.items.last)
            #expect(
                try await directory.page("/annuaire?apres=0~expert+34~\(end.id)").texts["main"]?.first?.contains(
                    "La liste s’arrête ici") == true)
        }
    }

    @Test("an expert is shown wherever it is: overseas, in Monaco and abroad, where there is no région")
    func everywhere() async throws {
        try await withDirectory { directory in
            let places: [(PostalCode, Departement)] = [
                ("97500", "975"), ("97133", "977"), ("97150", "978"), ("98000", "980"), ("98600", "986"),
                ("98714", "987"), ("98800", "988"), ("97400", "974"), ("20000", "2A"), ("BE-1000", "990"),
            ]
            for (code, departement) in places {
                let expert = try await directory.publishedExpert(Line(validating: "Atelier \(departement)")) {
                    $0.postalCode = code
                    $0.commune = "Bourg"
                }
                #expect(expert.departement == departement)
                for path in [
                    "/annuaire/experts/\(expert.id)", "/v1/public/experts/\(expert.id)",
                    "/annuaire?departement=\(departement)", "/v1/public/experts?departement=\(departement)",
                    "/annuaire?pres=\(code)",
                ] {
                    #expect(try await directory.ask(path).status == 200, "\(path)")
                }
            }
            #expect(try await directory.ask("/annuaire").status == 200)
            let shown = try await directory.ask("/v1/public/experts").items("departement")
            #expect(Set(shown) == Set(places.map(\.1.text)))
        }
    }

    @Test("the form keeps what was entered, offers every choice, and escapes markup")
    func form() async throws {
        try await withDirectory { directory in
            let page = try await directory.page(
                "/annuaire?q=%3Cscript%3E%22caf%C3%A9%22+%26&departement=2A&theme=cloud&type=reseller")
            #expect(page.fields["q"] == [#"<script>"café" &"#])
            #expect(page.fields["departement"]?.count == 109 && page.fields["region"]?.count == 19)
            #expect(page.fields["theme"]?.count == Topic.starters.count + 1)
            #expect(page.fields["type"] == ["", "webAgency", "reseller"])
            #expect(page.selected == ["2A", "cloud", "reseller"])
            #expect(page.texts["main"]?.first?.contains("Aucun expert ne correspond à cette recherche.") == true)
            #expect(page.texts["li"]?.count == 4)
            let raw = try await directory.raw(.get, "/annuaire?q=%3Cscript%3E")
            #expect(!raw.text.contains("<script"))
            for wrong in ["departement=99", "type=both", "apres=1", "theme=%21"] {
                let answer = try await directory.raw(.get, "/annuaire?\(wrong)")
                #expect(answer.status == 422, "\(wrong)")
                #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
                #expect(answer.text.contains("lang=\"fr\""))
            }
        }
    }

    @Test("pages are French HTML without scripts, with a title, a description and directives for search engines")
    func pages() async throws {
        try await withService(
            DirectoryApplication.self, adjust: { $0.publicURL = "https://annuaire.example" },
            { directory in
                let expert = try await directory.publishedExpert("L'Atelier & Fils") { $0.topics = ["cloud"] }
                let paths = ["/annuaire", "/annuaire/experts/\(expert.id)", "/annuaire/membres"]
                for path in paths {
                    let answer = try await directory.raw(.get, path)
                    #expect(answer.status == 200)
                    #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
                    #expect(answer.headers["content-security-policy"]?.contains("default-src 'none'") == true)
                    #expect(answer.text.contains("<html lang=\"fr\">"))
                    #expect(answer.text.contains(#"<meta name="description" content=""#))
                    #expect(answer.text.contains(#"<link rel="canonical" href="https://annuaire.example\#(path)">"#))
                    #expect(!answer.text.contains("<script") && !answer.text.contains("noindex"))
                }
                let profile = try await directory.raw(.get, paths[1])
                #expect(profile.text.contains("<title>L&#39;Atelier &amp; Fils – Club"))
                let read = try await directory.page(paths[1])
                #expect(read.texts["h1"] == ["L'Atelier & Fils"])
                #expect(read.texts["dd"]?.contains("Pau (Pyrénées-Atlantiques, 64)") == true)
                #expect(read.links.contains("/annuaire?theme=cloud"))
                // A search result is not a page of its own.
                let search = try await directory.raw(.get, "/annuaire?theme=cloud")
                #expect(search.text.contains("noindex") && !search.text.contains("canonical"))
                #expect(search.text.contains("<title>Experts – Informatique en nuage – Club"))
                let gone = try await directory.raw(.get, "/annuaire/experts/\(Expert.ID())")
                #expect(gone.status == 404 && gone.text.contains("Cette page n’existe pas"))
                #expect(try await directory.raw(.get, "/annuaire/experts/abc").status == 404)
            })
    }

    @Test("members are the institutions and brands with a membership today")
    func members() async throws {
        try await withDirectory { directory in
            let chamber = try await directory.organization(
                "Chambre", subKind: .chamber, postalCode: "64000", topics: ["training"])
            let brand = try await directory.organization("Marque", kind: .brand)
            let provider = try await directory.organization("Prestataire", kind: .provider)
            let past = try await directory.organization("Partie")
            let year = Day.today.year
            for organization in [chamber, brand, provider] {
                _ = try await directory.membership(organization.id, from: "\(year)-01-01", until: "\(year)-12-31")
            }
            _ = try await directory.membership(past.id, from: "\(year - 1)-01-01", until: "\(year - 1)-12-31")
            func names(_ query: String) async throws -> [String] {
                try await directory.raw(.get, "/v1/public/members\(query)").items("name")
            }
            #expect(try await names("") == ["Chambre", "Marque"])
            #expect(try await names("?kind=brand") == ["Marque"])
            #expect(try await names("?topic=training&departement=64") == ["Chambre"])
            #expect(try await names("?q=chambr") == ["Chambre"])
            let first = try await directory.raw(.get, "/v1/public/members?limit=1")
            let next = try #require(try first.json()["next"]?.string)
            #expect(try await names("?limit=1&cursor=\(next)") == ["Marque"])
            for (organization, status) in [(provider, 404), (past, 410)] {
                #expect(try await directory.raw(.get, "/v1/public/members/\(organization.id)").status == 404)
                #expect(try await directory.raw(.get, "/annuaire/membres/\(organization.id)").status == status)
            }
            #expect(try await directory.raw(.get, "/v1/public/members/\(chamber.id)").status == 200)
            let list = try await directory.page("/annuaire/membres?type=institution&q=&departement=&theme=")
            #expect(list.texts["h3"] == ["Chambre"])
            let page = try await directory.page("/annuaire/membres/\(chamber.id)")
            #expect(page.texts["dd"]?.first == "Chambre consulaire")
            #expect(
                try await directory.page("/annuaire/membres?type=brand&q=zzzz").texts["main"]?.first?.contains(
                    "Aucun membre ne correspond") == true)
        }
    }

    @Test("a member that declines is in no list, profile or sitemap; its representative or the staff can decline")
    func declined() async throws {
        try await withDirectory { directory in
            let chamber = try await directory.organization("Chambre", subKind: .chamber)
            let brand = try await directory.organization("Marque", kind: .brand)
            let year = Day.today.year
            for organization in [chamber, brand] {
                #expect(organization.publicDirectory)
                _ = try await directory.membership(organization.id, from: "\(year)-01-01", until: "\(year)-12-31")
            }
            let changed = try await directory.ask(
                .patch, "/v1/organizations/\(chamber.id)", as: .representative, organization: chamber.id, ifMatch: 1,
                json: #"{"publicDirectory":false}"#)
            #expect(changed.status == 200)
            #expect(try changed.decode(Organization.self).publicDirectory == false)
            #expect(try await directory.raw(.get, "/v1/public/members").items("name") == ["Marque"])
            #expect(try await directory.page("/annuaire/membres").texts["h3"] == ["Marque"])
            #expect(try await directory.raw(.get, "/v1/public/members/\(chamber.id)").status == 404)
            #expect(try await directory.raw(.get, "/annuaire/membres/\(chamber.id)").status == 410)
            let sitemap = try await directory.raw(.get, "/sitemap.xml").text
            #expect(!sitemap.contains(chamber.id.text) && sitemap.contains(brand.id.text))
            // To all others it is unchanged.
            #expect(try await directory.ask("/v1/organizations/\(chamber.id)").status == 200)
            #expect(try await directory.ask("/v1/members").text.contains(chamber.id.text))
            // A table contains the refusal and can be imported again.
            let table = try await directory.ask("/v1/organizations.csv")
            #expect(table.text.contains("publicDirectory") && table.text.contains("non"))
            let shown = try await directory.raw(
                .post, "/v1/imports/organizations?mode=apply", role: .operator, headers: ["Content-Type": "text/csv"],
                body: Array("Nom;Annuaire public\nChambre;oui\nMarque;non\n".utf8))
            #expect(shown.status == 200)
            // A file hides members, and shows none again that have declined.
            #expect(try await directory.raw(.get, "/v1/public/members").items("name") == [])
        }
    }

    @Test("anonymous callers have a low rate limit by address; authenticated ones are not slowed by it")
    func rate() async throws {
        try await withService(
            DirectoryApplication.self,
            adjust: { $0.limits.anonymousRate = RateLimit(perSecond: 0.001, burst: 3) },
            { directory in
                var statuses: [Int] = []
                for path in ["/v1/public/experts", "/annuaire", "/v1/public/members", "/v1/public/experts"] {
                    statuses.append(try await directory.raw(.get, path).status)
                }
                #expect(statuses == [200, 200, 200, 429])
                let page = try await directory.raw(.get, "/annuaire")
                #expect(page.status == 429 && page.headers["retry-after"] != nil)
                #expect(page.text.contains("Trop de demandes"))
                #expect(try await directory.ask("/v1/public/experts", as: .ambassador).status == 200)
            })
    }
}

extension TestService {
    /// An expert who consented to the public directory.
    func publishedExpert(_ name: Line, change: (inout CreateExpert.Body) -> Void = { _ in }) async throws -> Expert {
        try await expert(name) {
            $0.consents = ConsentChoices(publicDirectory: true)
            change(&$0)
        }
    }

    /// The content of a page's `main`, which must be well-formed.
    fileprivate func page(_ path: String) async throws -> Reader {
        let answer = try await raw(.get, path)
        #expect(answer.status == 200)
        let start = try #require(answer.text.range(of: "<main"))
        let end = try #require(answer.text.range(of: "</main>"))
        return try Reader.read(String(answer.text[start.lowerBound..<end.upperBound]))
    }
}
