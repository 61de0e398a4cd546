import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("the sitemap")
struct SitemapTests {
    @Test("every public profile is listed once, in files of limited size, with an index if one is not enough")
    func files() async throws {
        try await withService(
            DirectoryApplication.self, adjust: { $0.publicURL = "https://annuaire.example" },
            { directory in
                var paths: Set = ["", "/membres"]
                for number in 1...7 {
                    let expert = try await directory.publishedExpert(Line(validating: "Expert \(number)"))
                    paths.insert("/experts/\(expert.id)")
                }
                _ = try await directory.expert("Cachée")
                let year = Day.today.year
                let chamber = try await directory.organization("Chambre")
                _ = try await directory.membership(chamber.id, from: "\(year)-01-01", until: "\(year)-12-31")
                _ = try await directory.organization("Pas membre")
                paths.insert("/membres/\(chamber.id)")
                let addresses = Set(paths.map { "https://annuaire.example/annuaire\($0)" })

                let answer = try await directory.raw(.get, "/sitemap.xml")
                #expect(answer.status == 200 && answer.headers["content-type"] == "application/xml")
                #expect(answer.headers["cache-control"] == "public, max-age=3600")
                let whole = try Reader.read(answer.text)
                #expect(whole.attributes["urlset"]?["xmlns"] == "http://www.sitemaps.org/schemas/sitemap/0.9")
                let found = whole.texts["loc"] ?? []
                #expect(Set(found) == addresses && found.count == addresses.count)
                #expect(Set(whole.texts["lastmod"] ?? []) == [Day.today.text])

                let routes = SitemapRoutes(backend: directory.backend, size: 3)
                let index = try Reader.read(try await written(nil, routes))
                #expect(index.texts["url"] == nil)
                let parts = (index.texts["loc"] ?? []).compactMap { $0.split(separator: "part=").last.map(String.init) }
                #expect(parts.count == 4 && parts.first == "membres")
                var listed: [String] = []
                for part in parts {
                    let file = try Reader.read(try await written(part, routes)).texts["loc"] ?? []
                    #expect(file.count <= 3)
                    listed += file
                }
                #expect(Set(listed) == addresses && listed.count == addresses.count)
                // Exactly enough room for all: one file.
                let exact = SitemapRoutes(backend: directory.backend, size: 10)
                #expect(try Reader.read(try await written(nil, exact)).texts["loc"]?.count == 10)
                #expect(try await directory.raw(.get, "/sitemap.xml?part=x").status == 404)
            })
    }

    @Test("a file of more than one batch has each expert once")
    func batches() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient { client in
                _ = try await client.execute(
                    """
                    insert into directory.expert (id, sub_kind, name, postal_code, commune, departement, consents)
                    select gen_random_uuid(), 'reseller', 'Expert ' || number, '64000', 'Pau', '64',
                        '{"publicDirectory": {"agreed": true, "at": "2026-01-01T00:00:00.000000Z"}}'
                    from generate_series(1, 2500) as number
                    """)
            }
            let all = try Reader.read(try await directory.raw(.get, "/sitemap.xml").text).texts["loc"] ?? []
            #expect(all.count == 2502 && Set(all).count == 2502)
            let routes = SitemapRoutes(backend: directory.backend, size: 1500)
            let index = try Reader.read(try await written(nil, routes)).texts["loc"] ?? []
            #expect(index.count == 3)
            var listed: [String] = []
            for part in index.dropFirst().compactMap({ $0.split(separator: "part=").last }) {
                listed += try Reader.read(try await written(String(part), routes)).texts["loc"] ?? []
            }
            #expect(Set(listed).count == 2500 && listed.count == 2500)
        }
    }

    @Test("robots are directed to the directory and its sitemap, and excluded from the API")
    func robots() async throws {
        try await withService(
            DirectoryApplication.self, adjust: { $0.publicURL = "https://annuaire.example" },
            { directory in
                let robots = try await directory.raw(.get, "/robots.txt")
                #expect(robots.status == 200 && robots.headers["content-type"] == "text/plain; charset=utf-8")
                let lines = robots.text.split(separator: "\n")
                #expect(lines.first == "User-agent: *" && lines.contains("Disallow: /v1/"))
                #expect(lines.contains("Allow: /annuaire"))
                #expect(lines.last == "Sitemap: https://annuaire.example/sitemap.xml")
            })
    }

    private func written(_ part: String?, _ routes: SitemapRoutes) async throws -> String {
        var text = ""
        try await routes.write(part) { text += $0 }
        return text
    }
}
