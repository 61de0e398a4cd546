import HTTPTypes

/// The addresses of the public directory's pages, for search engines: one file, or a list of files of 50,000 addresses at the
/// most (sitemaps.org).
package enum ShowSitemap: Endpoint {
    package static let operation = Operation(
        .get, "/sitemap.xml", "The addresses of the public directory's pages.", access: .anyone, problems: [.notFound],
        produces: .xml)

    package struct Query: Codable, Sendable {
        /// A file of the list.
        package var part: String?

        package init(part: String? = nil) {
            self.part = part
        }
    }

    package typealias Response = TextDocument
}

/// What search engines may look at (RFC 9309).
package enum ShowRobots: Endpoint {
    package static let operation = Operation(
        .get, "/robots.txt", "What search engines may look at.", access: .anyone, produces: .plain)

    package typealias Response = TextDocument
}
