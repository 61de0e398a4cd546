import NIOHTTP1
import Testing

@testable import ServiceKit

@Suite("who accepts a page")
struct AcceptTests {
    @Test(
        "a browser names HTML; a program does not, or refuses it",
        arguments: [
            ([], false), (["*/*"], false), (["application/json"], false), (["text/html"], true),
            (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], true),
            (["application/json", " TEXT/HTML ;charset=utf-8; q=0.3"], true), (["text/html;q=0"], false),
            (["text/html; q=0.000, */*"], false), (["text/htmlx, x-text/html"], false), ([",;,"], false),
        ])
    func accept(fields: [String], acceptsPages: Bool) {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
        head.headers.add(name: "Host", value: "a")
        for field in fields { head.headers.add(name: "Accept", value: field) }
        let read = RequestHead(head, from: Peer(client: ClientAddress(IPAddress("127.0.0.1")), proxies: nil))
        #expect(read.acceptsPages == acceptsPages)
    }
}
