import ClubProtocol
import HTTPTypes

/// `GET /`: a page that says what the service is, and links to its documents and its public pages.
struct ServicePage {
    private let text: String

    /// - Parameters:
    ///   - title: `Events: sessions, seats, registrations`.
    ///   - endpoints: all that the service serves; public pages are linked.
    ///   - operatorPort: where health and metrics are.
    /// - Throws: ``TemplateFault`` for an error in the template.
    init(title: String, endpoints: [any Endpoint.Type], operatorPort: Int) throws {
        let parts = title.split(atByte: UInt8(ascii: ":"), maxSplits: 1)
        let pages = endpoints.map { $0.operation }.filter(Self.isPublicPage)
        text = try Template(PackageResources.service_page_mustache, escaping: .html).render([
            "name": "\(parts[0])", "about": parts.count > 1 ? "\(parts[1].trimmingBlanks)" : title,
            "count": endpoints.count,
            // Port 0 means that the system picks one.
            "operatorPort": operatorPort == 0 ? "" : " \(operatorPort)",
            "hasPages": !pages.isEmpty,
            "pages": pages.map { ["path": $0.path, "summary": $0.summary] },
        ])
    }

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ShowService.self) { [text] _ in
            .text(text, headers: [.cacheControl: "public, max-age=60"])
        }
    }

    private static func isPublicPage(_ operation: Operation) -> Bool {
        operation.method == .get && operation.produces == .html && operation.access == .anyone
            && !operation.segments.isEmpty
            && operation.segments.allSatisfy { if case .word = $0 { true } else { false } }
    }
}
