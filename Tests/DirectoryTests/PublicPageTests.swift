import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("the pages of the public directory")
struct PublicPageTests {
    @Test("a list is paged forwards and backwards, in the page and in its head; backwards it ends on the first page")
    func turning() async throws {
        try await withDirectory { directory in
            for number in 10..<57 {
                _ = try await directory.publishedExpert(Line(validating: "Expert \(number)")) { $0.topics = ["cloud"] }
            }
            func names(_ numbers: Range<Int>) -> [String] { numbers.map { "Expert \($0)" } }
            let first = try await directory.document("/annuaire?theme=cloud")
            #expect(first.texts["h3"] == names(10..<30) && first.relations["prev"] == nil)
            let second = try await directory.document(try #require(first.relations["next"]))
            #expect(second.texts["h3"] == names(30..<50))
            let third = try await directory.document(try #require(second.relations["next"]))
            #expect(third.texts["h3"] == names(50..<57) && third.relations["next"] == nil)
            let back = try await directory.document(try #require(third.relations["prev"]))
            #expect(back.texts["h3"] == names(30..<50))
            #expect(back.relations["next"].map { $0.contains("theme=cloud") } == true)
            let start = try await directory.document(try #require(back.relations["prev"]))
            #expect(start.texts["h3"] == names(10..<30) && start.relations["prev"] == nil)
            #expect(start.texts["nav"]?.last == "Page suivante")
            // The page has the same links as its head.
            #expect(second.links.contains(try #require(second.relations["prev"])))
            #expect(second.links.contains(try #require(second.relations["next"])))
            // Fewer than a page before: the page is as full as any first page.
            let fifth = try await directory.client(.operator).send(ListExperts.request(query: .init(limit: 5)))
            let short = try await directory.document("/annuaire?avant=0~expert+14~\(try #require(fifth.items.last).id)")
            #expect(short.texts["h3"] == names(10..<30))
            for wrong in ["1", "0~a", "0~a~1", "x~a~\(Expert.ID())", "0~%01~\(Expert.ID())"] {
                #expect(try await directory.raw(.get, "/annuaire?avant=\(wrong)").status == 422, "\(wrong)")
            }
            // The former form of addresses: only an identifier.
            let old = try await directory.document("/annuaire?apres=\(try #require(fifth.items.last).id)")
            #expect(old.texts["h3"] == names(10..<30))
        }
    }

    @Test(
        "a list continues although a page's last or first record was erased or merged in the meantime"
    )
    func goingOn() async throws {
        try await withDirectory { directory in
            var experts: [Expert] = []
            for number in 10..<55 {
                experts.append(try await directory.publishedExpert(Line(validating: "Expert \(number)")))
            }
            func names(_ numbers: Range<Int>) -> [String] { numbers.map { "Expert \($0)" } }
            let first = try await directory.document("/annuaire")
            let second = try #require(first.relations["next"])
            let third = try #require(try await directory.document(second).relations["next"])
            #expect(
                try await directory.ask(.post, "/v1/erasures", json: #"{"expert":"\#(experts[19].id)"}"#).status == 201)
            let merge = try await directory.ask(
                .post, "/v1/merges",
                json: #"{"kind":"expert","survivor":"\#(experts[0].id)","merged":"\#(experts[39].id)"}"#)
            #expect(merge.status == 201)
            #expect(try await directory.document(second).texts["h3"] == names(30..<49) + ["Expert 50"])
            let last = try await directory.document(third)
            #expect(last.texts["h3"] == names(50..<55))
            let back = try #require(last.relations["prev"])
            #expect(
                try await directory.ask(.post, "/v1/erasures", json: #"{"expert":"\#(experts[40].id)"}"#).status == 201)
            #expect(try await directory.document(back).texts["h3"] == ["Expert 28"] + names(30..<49))
        }
    }

    @Test("experts are found by a brand, and the nearest first, page by page; in the page and as JSON")
    func nearest() async throws {
        try await withDirectory { directory in
            for number in 10..<35 {
                _ = try await directory.publishedExpert(Line(validating: "Loin \(number)")) {
                    ($0.postalCode, $0.commune, $0.brands) = ("40000", "Mont-de-Marsan", ["Altéa"])
                }
            }
            for (name, code): (Line, PostalCode) in [("Zone", "64000"), ("Yves", "64010"), ("Xavier", "64300")] {
                _ = try await directory.publishedExpert(name) {
                    ($0.postalCode, $0.brands) = (code, ["Altéa", "Boréal"])
                }
            }
            _ = try await directory.publishedExpert("Autre marque")
            let first = try await directory.document("/annuaire?q=&marque=altea&pres=64000&theme=")
            #expect(first.texts["h3"]?.prefix(4) == ["Zone", "Yves", "Xavier", "Loin 10"])
            #expect(first.texts["title"]?.first?.hasPrefix("Experts – altea – près de 64000") == true)
            #expect(first.fields["marque"] == ["altea"] && first.fields["pres"] == ["64000"])
            let second = try await directory.document(try #require(first.relations["next"]))
            #expect(second.texts["h3"] == (27..<35).map { "Loin \($0)" })
            #expect(second.relations["prev"] == nil && second.links.contains("/annuaire?marque=altea&pres=64000"))
            #expect(try await directory.document("/annuaire?marque=boreal").texts["h3"] == ["Xavier", "Yves", "Zone"])
            #expect(try await directory.raw(.get, "/annuaire?pres=Pau").status == 422)

            var names: [String] = []
            var query = "brand=ALTEA&near=64010&limit=20"
            for _ in 1...2 {
                let page = try await directory.raw(.get, "/v1/public/experts?\(query)")
                names += try page.items("name")
                query = "brand=ALTEA&near=64010&limit=20&cursor=\(try page.json()["next"]?.string ?? "")"
            }
            #expect(names == ["Yves", "Zone", "Xavier"] + (10..<35).map { "Loin \($0)" })
        }
    }

    @Test(
        "hidden experts are 410, unknown ones 404, and merged ones redirect to their survivors; all in French")
    func absence() async throws {
        try await withDirectory { directory in
            let shown = try await directory.publishedExpert("Agence")
            let never = try await directory.expert("Jamais")
            let left = try await directory.publishedExpert("Partie")
            let refused = try await directory.expert("Refusée") { $0.consents = ConsentChoices(publicDirectory: false) }
            let withdrawn = try await directory.publishedExpert("Retirée")
            _ = try await directory.client(.operator).send(
                ChangeExpert.request(
                    path: withdrawn.id, body: .init(consents: ConsentChoices(publicDirectory: false)),
                    ifMatch: 1))
            _ = try await directory.client(.operator).send(
                TransitionExpert.request(path: left.id, body: .init(to: .left)))
            let chamber = try await directory.organization("Chambre")
            let former = try await directory.organization("Ancienne")
            _ = try await directory.membership(former.id, from: "2024-01-01", until: "2024-12-31")
            func answer(_ path: String) async throws -> RawAnswer { try await directory.raw(.get, "/annuaire/\(path)") }
            #expect(try await answer("experts/\(shown.id)").status == 200)
            for path in ["experts/\(left.id)", "experts/\(withdrawn.id)", "membres/\(former.id)"] {
                let gone = try await answer(path)
                #expect(gone.status == 410 && gone.headers["content-type"] == "text/html; charset=utf-8")
                #expect(try Document(gone.text).texts["h1"] == ["Cette fiche n’est plus publiée"])
                #expect(try Document(gone.text).links.contains("/annuaire"))
            }
            for path in [
                "experts/\(never.id)", "experts/\(refused.id)", "experts/\(Expert.ID())", "experts/abc",
                "membres/\(chamber.id)", "nulle-part",
                "experts", "experts/\(shown.id)/plus", "",
            ] {
                let absent = try await answer(path)
                #expect(absent.status == 404, "\(path)")
                #expect(try Document(absent.text).texts["h1"] == ["Cette page n’existe pas, ou plus"], "\(path)")
                #expect(absent.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            }
            let wrong = try await directory.raw(.post, "/annuaire/experts/\(shown.id)")
            #expect(wrong.status == 405 && wrong.headers["allow"] == "GET, HEAD" && wrong.text.contains("lang=\"fr\""))
            // Elsewhere an unknown path is still a problem document.
            for path in ["/annuaires", "/v1/nowhere"] {
                let nowhere = try await directory.raw(.get, path)
                #expect(nowhere.headers["content-type"] == "application/problem+json")
            }

            let double = try await directory.publishedExpert("Agence SARL")
            let merge = try await directory.ask(
                .post, "/v1/merges",
                json: #"{"kind":"expert","survivor":"\#(shown.id)","merged":"\#(double.id)"}"#)
            #expect(merge.status == 201)
            let moved = try await answer("experts/\(double.id)")
            #expect(moved.status == 301 && moved.headers["location"] == "/annuaire/experts/\(shown.id)")
            _ = try await directory.client(.operator).send(
                TransitionExpert.request(path: shown.id, body: .init(to: .left)))
            #expect(try await answer("experts/\(double.id)").status == 410)
        }
    }

    @Test("the pages are complete documents: well-formed, in French, one title, one heading, a label for each field")
    func documents() async throws {
        try await withService(
            DirectoryApplication.self, adjust: { $0.publicURL = "https://annuaire.example" },
            { directory in
                let expert = try await directory.publishedExpert("L'Atelier <&> Fils") {
                    $0.topics = ["cloud", "payment"]
                    $0.brands = ["Acme & Co", "Élan"]
                    $0.website = "https://www.atelier.example/?a=1&b=2"
                }
                let chamber = try await directory.organization("Chambre", postalCode: "20000", topics: ["training"])
                let year = Day.today.year
                _ = try await directory.membership(chamber.id, from: "\(year)-01-01", until: "\(year)-12-31")
                for (path, heading) in [
                    ("", "Trouver un expert"), ("/membres", "Les membres du Club"),
                    ("?q=zzzz&theme=cloud", "Trouver un expert"),
                    ("/experts/\(expert.id)", "L'Atelier <&> Fils"), ("/membres/\(chamber.id)", "Chambre"),
                ] {
                    let document = try await directory.document("/annuaire\(path)")
                    #expect(document.texts["h1"] == [heading])
                    #expect(document.texts["title"]?.count == 1 && document.texts["main"]?.count == 1)
                    #expect(document.attributes["html"]?["lang"] == "fr")
                    let ids = document.identifiers
                    #expect(Set(ids).count == ids.count && document.labelled.allSatisfy(ids.contains), "\(path)")
                    #expect(
                        document.labelled.count
                            == (document.fields.isEmpty ? 0 : heading == "Trouver un expert" ? 7 : 5))
                    #expect(document.descriptions.count == 1 && document.descriptions.allSatisfy { $0.count > 20 })
                    let canonical = path.contains("?") ? nil : "https://annuaire.example/annuaire\(path)"
                    #expect(document.relations["canonical"] == canonical, "\(path)")
                }
            })
    }
}

/// A whole page. HTML lets some elements have no end tag; with that fixed, a strict parser reads it.
private struct Document {
    private let reader: Reader
    /// The values of all `id`, and of all `for`.
    let identifiers: [String]
    let labelled: [String]
    let descriptions: [String]
    /// The links in the head: `next` → its target.
    let relations: [String: String]

    var texts: [String: [String]] { reader.texts }
    var links: [String] { reader.links }
    var fields: [String: [String]] { reader.fields }
    var attributes: [String: [String: String]] { reader.attributes }

    init(_ html: String) throws {
        let start = try #require(html.range(of: "<!DOCTYPE html>\n"))
        #expect(start.lowerBound == html.startIndex)
        let page = String(html[start.upperBound...])
            .replacing(#/<(meta|link|input)((?:[^>"]|"[^"]*")*?)/?>/#) { "<\($0.1)\($0.2)/>" }
        reader = try Reader.read(page)
        identifiers = page.matches(of: #/ id="([^"]*)"/#).map { String($0.1) }
        labelled = page.matches(of: #/ for="([^"]*)"/#).map { String($0.1) }
        descriptions = page.matches(of: #/<meta name="description" content="([^"]*)"/#).map { String($0.1) }
        relations = Dictionary(
            page.matches(of: #/<link rel="([^"]*)" href="([^"]*)"/#).map {
                (String($0.1), String($0.2).replacing("&amp;", with: "&"))
            }, uniquingKeysWith: { $1 })
    }
}

extension TestService {
    fileprivate func document(_ path: String) async throws -> Document {
        let answer = try await raw(.get, path)
        #expect(answer.status == 200)
        return try Document(answer.text)
    }
}
