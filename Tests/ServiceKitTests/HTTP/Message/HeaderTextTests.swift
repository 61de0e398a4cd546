import ClubProtocol
import Crypto
import HTTPTypes
import NIOHTTP1
import TestKit
import Testing

@testable import ServiceKit

@Suite("the text of header fields", .serialized)
struct HeaderTextTests {
    private func head(_ name: String, _ value: String, target: String = "/v1/tickets") -> RequestHead {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target)
        head.headers.add(name: "Host", value: "localhost")
        head.headers.add(name: name, value: value)
        return RequestHead(head, from: Peer(client: ClientAddress(IPAddress("127.0.0.1")), proxies: nil))
    }

    private static let fields = [
        "Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Club-Timeout", "traceparent", "X-Request-ID",
        "Expect", "Content-Encoding", "Cookie", "X-Anything",
    ]

    @Test("a field that is not ASCII is a 400, whichever field it is", arguments: fields)
    func ascii(field: String) {
        for value in ["é", "a\u{301}", "\u{7F}", "Bearer \u{212A}"] {
            #expect(head(field, value).fault?.type == .malformed, "\(value)")
        }
        #expect(head("X-Anything", "plain, with a\ttab ~").fault == nil)
    }

    @Test("a target that is not ASCII is a 400; the absolute form is routed by its path")
    func target() {
        #expect(head("Accept", "*/*", target: "/v1/é").fault?.type == .malformed)
        for (target, path) in [
            ("http://club.example/v1/tickets?a=b", "/v1/tickets?a=b"), ("http://club.example", "/"), ("*", "*"),
            ("/v1/a://b", "/v1/a://b"),
        ] {
            #expect(head("Accept", "*/*", target: target).target == path)
        }
    }

    @Test("no field costs more than plain ASCII does")
    func cost() {
        for field in Self.fields {
            TextCost.check(field, bytes: 30_000) { _ = head(field, $0) }
        }
        TextCost.check("target", bytes: 8000) { _ = head("Accept", "*/*", target: "/\($0)") }
    }

    @Test("a token costs no more for its length, nor for a header whose signature has not been checked")
    func token() async throws {
        let keys = try TestKeys()
        let verifier = try TokenVerifier(trustFile: keys.trustFile, audience: .directory)
        TextCost.check("Authorization", bytes: 30_000) { _ = try? verifier.verify(authorization: "Bearer \($0)") }
        TextCost.check("scheme", bytes: 8000) { _ = try? verifier.verify(authorization: "\($0) x") }
        for part in [#"{"alg":"EdDSA","kid":"%"}"#, #"{"alg":"%","kid":"a"}"#, #"{"alg":"EdDSA","kid":"a","%":1}"#] {
            TextCost.check(part, bytes: 4000) { text in
                let header = Base64URL.encode(part.replacing("%", with: text).utf8)
                _ = try? verifier.verify(authorization: "Bearer \(header).e30.e30")
            }
        }
    }
}
