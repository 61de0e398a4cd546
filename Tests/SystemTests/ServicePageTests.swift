import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit
import TestKit
import Testing

@Suite("the page at a service's root", .serialized)
struct ServicePageTests {
    @Test("each service describes itself at its root, and every link on that page works")
    func pages() async throws {
        try await TestClub.run { club in
            for service in ServiceName.allCases {
                let url = club[service].url
                let (head, page) = try await ask(.GET, "\(url)/")
                #expect(head.status == .ok)
                #expect(head.headers.first(name: "Content-Type") == "text/html; charset=utf-8")
                #expect(head.headers.first(name: "Cache-Control") == "public, max-age=60")
                #expect(head.headers.first(name: "Content-Security-Policy")?.contains("default-src 'none'") == true)
                #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
                #expect(page.contains("<h1>\(service.rawValue.capitalized)</h1>"))
                #expect(page.contains("/health/ready"))
                let links = page.split(separator: "href=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
                #expect(links.starts(with: ["/openapi.json", "/.well-known/jwks.json"]))
                #expect(links.contains("/annuaire") == (service == .directory))
                for link in links {
                    #expect(try await ask(.GET, url + link).head.status == .ok, "\(service) \(link)")
                }
                let (bare, nothing) = try await ask(.HEAD, "\(url)/")
                #expect(bare.status == .ok && nothing.isEmpty)
                #expect(bare.headers.first(name: "Content-Length") == "\(page.utf8.count)")
                let refused = try await ask(.POST, "\(url)/").head
                #expect(refused.status == .methodNotAllowed && refused.headers.first(name: "Allow") == "GET, HEAD")
            }
        }
    }

    private func ask(
        _ method: HTTPMethod, _ url: String
    ) async throws -> (head: HTTPClientResponse, body: String) {
        var request = HTTPClientRequest(url: url)
        request.method = method
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        return (response, String(buffer: try await response.body.collect(upTo: 8 << 20)))
    }
}
