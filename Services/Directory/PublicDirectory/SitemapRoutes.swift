import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/sitemap.xml` and `/robots.txt`: what search engines should find of the public directory (sitemaps.org, RFC 9309).
struct SitemapRoutes: Sendable {
    let backend: Backend
    /// The maximum number of URLs per file.
    var size = 50_000

    /// Entries per query.
    private static let batch = 1000
    private static let members = "membres"

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.download(ShowSitemap.self, headers: [.cacheControl: "public, max-age=3600"], showSitemap)
        builder.routes.read(ShowRobots.self, showRobots)
    }

    @Sendable func showSitemap(_ call: Call<ShowSitemap>, _ writer: TextWriter) async throws {
        try await write(call.query.part) { piece in
            try await writer.write { $0.append(contentsOf: piece.utf8) }
        }
    }

    @Sendable func showRobots(_: Call<ShowRobots>) async throws -> RouteResponse<TextDocument> {
        .text(
            """
            User-agent: *
            Allow: /annuaire
            Disallow: /v1/

            Sitemap: \(backend.configuration.publicAddress)/sitemap.xml

            """, headers: [.cacheControl: "public, max-age=3600"])
    }

    /// Writes everything into one file if it fits; otherwise the index of files, or one of them.
    ///
    /// - Throws: 404 if there is no such part.
    func write(_ part: String?, _ write: (String) async throws -> Void) async throws {
        let database = backend.database
        switch part {
        case nil:
            let experts = try await SitemapStore.count(upTo: size, on: database)
            let members = try await SitemapStore.countMembers(upTo: size, on: database)
            if experts + members + Self.lists.count <= size {
                try await write(Self.head("urlset") + Self.lists.map { location($0) }.joined())
                try await writeMembers(write)
                try await writeExperts(from: nil, write)
                try await write("</urlset>\n")
            } else {
                try await write(Self.head("sitemapindex") + file(Self.members))
                for start in try await SitemapStore.starts(every: size, on: database) {
                    try await write(file(start.text))
                }
                try await write("</sitemapindex>\n")
            }
        case Self.members?:
            try await write(Self.head("urlset") + Self.lists.map { location($0) }.joined())
            try await writeMembers(write)
            try await write("</urlset>\n")
        case let part?:
            guard let start = try? Expert.ID(validating: part) else { throw Problem(.notFound) }
            try await write(Self.head("urlset"))
            try await writeExperts(from: start, write)
            try await write("</urlset>\n")
        }
    }

    private func writeMembers(_ write: (String) async throws -> Void) async throws {
        var (last, left) = (String?.none, size - Self.lists.count)
        while left > 0 {
            let members = try await SitemapStore.members(
                after: last, limit: min(left, Self.batch), on: backend.database)
            try await write(members.map { location("/annuaire/membres/\($0.id)", $0.changedOn) }.joined())
            guard members.count == min(left, Self.batch) else { return }
            last = members.last?.id
            left -= members.count
        }
    }

    private func writeExperts(from start: Expert.ID?, _ write: (String) async throws -> Void) async throws {
        var (next, left) = (start, size)
        while left > 0 {
            // One more than is written: the start of the next batch.
            let rows = try await SitemapStore.experts(
                from: next, limit: min(left, Self.batch) + 1, on: backend.database)
            let shown = rows.prefix(min(left, Self.batch))
            try await write(shown.map { location("/annuaire/experts/\($0.id)", $0.changedOn) }.joined())
            guard rows.count > shown.count, let last = rows.last else { return }
            next = try Expert.ID(validating: last.id)
            left -= shown.count
        }
    }

    private static let lists = ["/annuaire", "/annuaire/membres"]

    private static func head(_ element: String) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <\(element) xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">

        """
    }

    private func location(_ path: String, _ changedOn: Day? = nil) -> String {
        "<url><loc>\(address)\(path)</loc>\(changedOn.map { "<lastmod>\($0)</lastmod>" } ?? "")</url>\n"
    }

    private func file(_ part: String) -> String {
        "<sitemap><loc>\(address)/sitemap.xml?part=\(part)</loc></sitemap>\n"
    }

    /// Escaped for XML. In a web address, `&` is the only character that needs it.
    private var address: String { backend.configuration.publicAddress.replacing("&", with: "&amp;") }
}
