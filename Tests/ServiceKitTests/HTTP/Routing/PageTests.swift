import ClubProtocol
import HTTPTypes
import TestKit
import Testing

@testable import ServiceKit

@Suite("pages, forms and downloads")
struct PageTests {
    @Test("a page is HTML without scripts, and its problems are pages too")
    func pages() async throws {
        try await withTickets { tickets in
            let page = try await tickets.send(.get, "/v1/ticket-page?title=One", by: nil)
            #expect(page.status == 200 && page.text == "<p>One")
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            let gone = try await tickets.send(.get, "/v1/ticket-page?title=gone", by: nil, ["X-Request-ID": "abc"])
            #expect(gone.status == 404 && gone.text == "<h1>not-found abc</h1>")
            #expect(gone.headers["content-type"] == "text/html; charset=utf-8")
            // Before the handler runs: an invalid token, an invalid query.
            let stranger = try await tickets.send(
                .get, "/v1/ticket-page?title=One", by: nil, ["Authorization": "Bearer x"])
            #expect(stranger.status == 401 && stranger.text.hasPrefix("<h1>unauthenticated"))
            #expect(try await tickets.send(.get, "/v1/ticket-page?title=", by: nil).text.hasPrefix("<h1>invalid"))
        }
    }

    @Test("an unknown path in a folder of pages is a page too; elsewhere it is a problem document")
    func nowhere() async throws {
        try await withTickets { tickets in
            for path in ["/v1/ticket-page/x", "/v1/ticket-page/x/y?z=1", "/v1/ticket-page/"] {
                let page = try await tickets.send(.get, path, by: nil, ["X-Request-ID": "abc"])
                #expect(page.status == 404 && page.text == "<h1>not-found abc</h1>", "\(path)")
                #expect(page.headers["content-type"] == "text/html; charset=utf-8")
                #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            }
            let method = try await tickets.send(.delete, "/v1/ticket-page", by: nil)
            #expect(method.status == 405 && method.text.hasPrefix("<h1>method-not-allowed"))
            #expect(method.headers["allow"] == "GET, HEAD, POST")
            for path in ["/v1/ticket-pages", "/nowhere", "/"] {
                let document = try await tickets.send(.get, path, by: nil)
                #expect(document.status == 404 && document.headers["content-type"] == "application/problem+json")
            }
        }
    }

    @Test("a form is read from its body, and redirects to a page")
    func forms() async throws {
        try await withTickets { tickets in
            let form = "application/x-www-form-urlencoded"
            let sent = try await tickets.send(.post, "/v1/ticket-page", "title=%C3%89t%C3%A9+27", by: nil, type: form)
            #expect(sent.status == 303 && sent.headers["location"] == "/v1/ticket-page?title=done")
            #expect(try await tickets.count() == 1)
            let unknown = try await tickets.send(
                .post, "/v1/ticket-page", "title=a&other=b", by: nil, type: form)
            #expect(unknown.status == 400)
            #expect(try await tickets.send(.post, "/v1/ticket-page", "title=", by: nil, type: form).status == 422)
            #expect(try await tickets.send(.post, "/v1/ticket-page", #"{"title":"a"}"#, by: nil).status == 415)
            #expect(try await tickets.count() == 1)
        }
    }

    @Test("a download is a text in chunks, with a name for the file")
    func downloads() async throws {
        try await withTickets { tickets in
            let short = try await tickets.send(.get, "/v1/tickets.csv?count=2", by: nil)
            #expect(short.text == "0\r\n1\r\n" && short.headers["content-type"] == "text/csv")
            #expect(short.headers["content-disposition"] == #"attachment; filename="tickets.csv""#)
            let long = try await tickets.send(.get, "/v1/tickets.csv?count=50000", by: nil)
            #expect(long.text.hasSuffix("\r\n49999\r\n"))
        }
    }
}
