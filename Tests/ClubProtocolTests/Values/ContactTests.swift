import ClubProtocol
import Testing

@Suite("Web addresses, money")
struct ContactTests {
    @Test(
        "a web address is accepted",
        arguments: [
            "https://example.org", "http://example.org/", "HTTPS://Example.org/a?b=c#d",
            "https://example.org:8443/a%20b",
            "https://www.example.org/caf%C3%A9", "https://example.org?x@y",
        ])
    func web(text: String) throws {
        #expect(try WebAddress(validating: text).text == text)
    }

    @Test(
        "a host with accents is stored as in the DNS, and the rest percent-encoded, as browsers send it",
        arguments: [
            ("https://économie-numérique.fr", "https://xn--conomie-numrique-9pbl.fr"),
            ("HTTP://Müller.example:8080/a?b#c", "HTTP://xn--mller-kva.example:8080/a?b#c"),
            ("https://www.XN--MLLER-KVA.example/", "https://www.xn--mller-kva.example/"),
            ("https://straße.example/?q=1", "https://xn--strae-oqa.example/?q=1"),
            ("https://www.exemple.fr/présentation", "https://www.exemple.fr/pr%C3%A9sentation"),
            ("https://École.fr/é?ü=1#日", "https://xn--cole-9oa.fr/%C3%A9?%C3%BC=1#%E6%97%A5"),
            ("https://exemple.fr?à/b", "https://exemple.fr?%C3%A0/b"),
        ])
    func accents(text: String, kept: String) throws {
        #expect(try WebAddress(validating: text).text == kept)
    }

    @Test(
        "an invalid web address is refused",
        arguments: [
            "", "example.org", "ftp://example.org", "javascript:alert(1)", "https://", "https:///a",
            "https://localhost",
            "https://user@example.org", "https://user:pass@example.org/", "https://example.org/a b",
            "https://example.org/\r\nX: y",
            "https://example.org/<script>", "https://.org", "https://example.", "data:text/html,x",
            "https://example.org/\"x",
            "https://example.org\\@evil.org", "https://example.org/\u{202E}gpj.exe", "https://example.org/\u{85}",
            "https://" + String(repeating: "a", count: 2000) + ".fr", "https://😀.fr", "https://é@evil.example/",
            "https://é.fr:80:80/", "https://é.fr:x", "https://é.fr/a\u{200B}", "https://xn--a.fr/", "https://é",
        ])
    func noWeb(text: String) {
        #expect(refusal(WebAddress.self, text) == "is not a valid web address (https://…)")
    }

    @Test(
        "a webhook's host with capitals or accents is stored as in the DNS",
        arguments: [
            ("https://école.fr/hook", "https://xn--cole-9oa.fr/hook"),
            ("https://Hooks.Example.org/A?é=1", "https://hooks.example.org/A?%C3%A9=1"),
            ("https://École.fr:8443/", "https://xn--cole-9oa.fr:8443/"),
            ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
        ])
    func webhook(text: String, kept: String) throws {
        let address = try WebhookAddress(validating: text)
        #expect(address.text == kept && kept.contains(address.host))
    }

    @Test(
        "a search term with accents is normalised as stored addresses are",
        arguments: [
            ("contact@École-Numérique.fr", "contact@xn--cole-numrique-9gbi.fr"),
            ("@école-numérique.fr", "@xn--cole-numrique-9gbi.fr"),
            ("münchen", "xn--mnchen-3ya"), ("@münchen", "@xn--mnchen-3ya"), ("x@münchen.de", "x@xn--mnchen-3ya.de"),
            ("@Chambre.ex", "@chambre.ex"), ("+44 (0)20 71", "442071"),
        ])
    func part(text: String, pattern: String) throws {
        #expect(try ContactPart(validating: text).pattern == pattern)
    }

    @Test("only an amount in cents with a currency is money")
    func money() throws {
        let text = #"{"amount":120000,"currency":"EUR"}"#
        #expect(try StrictJSON.decode(Money.self, from: Array(text.utf8)) == Money(cents: 120_000))
        #expect(String(decoding: try WireJSON.encode(Money(cents: 120_000)), as: UTF8.self) == text)
        for (wrong, pointer) in [
            (#"{"amount":1.5,"currency":"EUR"}"#, "/amount"), (#"{"amount":"1","currency":"EUR"}"#, "/amount"),
            (#"{"amount":1,"currency":"eur"}"#, "/currency"), (#"{"amount":1}"#, "/currency"),
            (#"{"amount":1e30,"currency":"EUR"}"#, "/amount"),
        ] {
            #expect(faults { try StrictJSON.decode(Money.self, from: Array(wrong.utf8)) }?.map(\.pointer) == [pointer])
        }
    }
}
