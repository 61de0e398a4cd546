import HTTPTypes

/// The URLs of the public directory's pages, for search engines: one file, or an index of files with at most 50,000
/// URLs each (sitemaps.org).
package enum ShowSitemap: Endpoint {
    package static let operation = Operation(
        .get, "/sitemap.xml", "The addresses of the public directory's pages.", access: .anyone, problems: [.notFound],
        produces: .xml)

    package struct Query: Codable, Sendable {
        /// One file of the index.
        package var part: String?

        package init(part: String? = nil) {
            self.part = part
        }
    }

    package typealias Response = TextDocument
}

/// What search engines may crawl (RFC 9309).
package enum ShowRobots: Endpoint {
    package static let operation = Operation(
        .get, "/robots.txt", "What search engines may crawl.", access: .anyone, produces: .plain)

    package typealias Response = TextDocument
}
