import ClubProtocol
import Testing

@Suite("E-mail addresses")
struct EmailAddressTests {
    @Test(
        "addresses from around the world are accepted, their domain in lower case",
        arguments: [
            ("contact@example.org", "contact@example.org"),
            ("Jean.Dupont+club@Example.ORG", "Jean.Dupont+club@example.org"),
            ("o'neil@sub.example.co.uk", "o'neil@sub.example.co.uk"), ("a@b.fr", "a@b.fr"),
            ("1_-!#$%&*/=?^`{|}~@x-y.fr", "1_-!#$%&*/=?^`{|}~@x-y.fr"),
            ("a@xn--caf-dma.fr", "a@xn--caf-dma.fr"),
            ("contact@École-Numérique.fr", "contact@xn--cole-numrique-9gbi.fr"),
            ("a@ＥＸＡＭＰＬＥ．fr", "a@example.fr"), ("a@e\u{301}t\u{E9}.fr", "a@xn--t-9fab.fr"),
        ])
    func taken(text: String, stored: String) throws {
        #expect(try EmailAddress(validating: text).text == stored)
    }

    @Test(
        "an invalid address is refused",
        arguments: [
            "", "a", "@", "a@", "@b.fr", "a@b", "a@b@c.fr", "a b@c.fr", ".a@b.fr", "a.@b.fr", "a..b@c.fr", "a@.fr",
            "a@b.",
            "a@b..fr", "a@-b.fr", "a@b-.fr", "a@b_c.fr", "a@[127.0.0.1]", "\"a b\"@c.fr", "a@b.fr ", " a@b.fr",
            "a@b.fr\r\nBcc: x@y.fr",
            "a\n@b.fr", "é@b.fr", "a@😀.fr", "Jean <a@b.fr>", "a@b.fr,c@d.fr", "a\0@b.fr", "a@b\0.fr",
        ])
    func refused(text: String) {
        #expect(refusal(EmailAddress.self, text) == "is not a valid e-mail address")
    }

    @Test("lengths: 64 bytes before the @, 63 a label, 254 in all")
    func lengths() {
        func a(_ count: Int) -> String { String(repeating: "a", count: count) }
        #expect(refusal(EmailAddress.self, "\(a(64))@b.fr") == nil)
        #expect(refusal(EmailAddress.self, "\(a(65))@b.fr") != nil)
        #expect(refusal(EmailAddress.self, "a@\(a(63)).fr") == nil)
        #expect(refusal(EmailAddress.self, "a@\(a(64)).fr") != nil)
        let domain = [a(63), a(63), a(60)].joined(separator: ".")
        #expect(refusal(EmailAddress.self, "\(a(64))@\(domain)") == nil)
        #expect(refusal(EmailAddress.self, "\(a(64))@\(domain)a") == nil)
        #expect(refusal(EmailAddress.self, "\(a(64))@\(domain)aa") != nil)
        #expect(refusal(EmailAddress.self, a(10_000_000) + "@b.fr") != nil)
    }
}
