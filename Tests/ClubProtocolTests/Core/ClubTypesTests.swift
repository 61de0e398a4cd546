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

@Suite("Official numbers and codes")
struct StateCodeTests {
    @Test(
        "a SIREN has nine digits, the last a check digit",
        arguments: ["732829320", "356000000", "404833048", "000000000"])
    func siren(text: String) {
        #expect(refusal(Siren.self, text) == nil)
    }

    @Test(
        "an invalid SIREN is refused",
        arguments: [
            "", "73282932", "7328293200", "732829321", "732829302", "73282932O", "732 829 320", "７32829320",
            "-73282932", "73282932\n",
        ])
    func noSiren(text: String) {
        #expect(refusal(Siren.self, text)?.hasPrefix("is not a valid SIREN") == true)
    }

    @Test("every single wrong digit is detected")
    func singleDigit() {
        for base in ["732829320", "404833048"] {
            for index in 0..<9 {
                for digit in 0...9 {
                    var digits = base.compactMap(\.wholeNumberValue)
                    digits[index] = digit
                    let text = digits.map(String.init).joined()
                    #expect((refusal(Siren.self, text) == nil) == (text == base))
                }
            }
        }
    }

    @Test("generating a check digit agrees with verifying it")
    func checkDigit() {
        #expect(Luhn.checkDigit(for: "73282932") == 0)
        for number in 10_000_000..<10_000_200 {
            #expect(refusal(Siren.self, "\(number)\(Luhn.checkDigit(for: "\(number)"))") == nil)
        }
    }

    @Test("a SIRET has fourteen digits with a check digit of its own", arguments: ["73282932000074", "40483304800022"])
    func siret(text: String) {
        #expect(refusal(Siret.self, text) == nil)
    }

    @Test(
        "an invalid SIRET is refused",
        arguments: [
            "", "732829320", "7328293200007", "732829320000744", "73282932000075", "7328293200007A", "73282932 00074",
        ])
    func noSiret(text: String) {
        #expect(refusal(Siret.self, text)?.hasPrefix("is not a valid SIRET") == true)
    }

    @Test("SIRETs of La Poste are checked by the plain sum of their digits")
    func laPoste() {
        // The head office passes Luhn; the others do not, but their digits add up to a multiple of five.
        for text in ["35600000000048", "35600000049837", "35600000000001"] {
            #expect(refusal(Siret.self, text) == nil, "\(text)")
        }
        for text in ["35600000000002", "35600000049838"] { #expect(refusal(Siret.self, text) != nil, "\(text)") }
        // The plain sum is not accepted for any other company.
        #expect(refusal(Siret.self, "73282932000065") != nil)
    }

    @Test("a SIRET contains its SIREN, unless its first nine digits are not one")
    func sirenOfSiret() throws {
        #expect(try Siret(validating: "73282932000074").siren == "732829320")
        #expect(try Siret(validating: "35600000049837").siren == "356000000")
        let wrong = try Siret(validating: "10000000000008")
        #expect(throws: InvalidText.self) { try wrong.siren }
    }

    @Test("a postal code keeps its leading zero", arguments: ["01000", "64000", "20090", "97400", "99999", "00200"])
    func postalCode(text: String) throws {
        #expect(try PostalCode(validating: text).text == text)
    }

    @Test(
        "a foreign postal code follows the code of its country",
        arguments: [
            ("BE-1050", "BE-1050"), ("b-1050", "BE-1050"), ("CH-1201", "CH-1201"), ("L-1009", "LU-1009"),
            ("GB-SW1A 1AA", "GB-SW1A 1AA"), ("F-64000", "64000"), ("FR-64000", "64000"), ("MC-98000", "98000"),
            ("RE-97400", "97400"),
        ])
    func foreignPostalCode(text: String, kept: String) throws {
        #expect(try PostalCode(validating: text).text == kept)
        #expect(try PostalCode(validating: kept).text == kept)
    }

    @Test(
        "an invalid postal code is refused",
        arguments: [
            "", "1000", "64 000", "640000", "00000", "6400A", "２4000", "64000 ", "XX-1050", "BE-", "BE-1", "BE- 1050",
            "BE-1050-", "FR-1050", "BE-12345678901", "BE1050",
        ])
    func noPostalCode(text: String) {
        #expect(
            refusal(PostalCode.self, text)
                == "is not a valid postal code (5 digits)")
    }
}

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

@Suite("Access and operations")
struct AccessTests {
    @Test("a role may perform the operations that list it")
    func access() {
        for role in Role.allCases {
            #expect(Access.anyone.allows(role))
            #expect(Access.roles(.editor, .auditor).allows(role) == (role == .editor || role == .auditor))
            #expect(!Access.roles([]).allows(role))
        }
    }

    @Test("a path is split into literals and variables")
    func segments() {
        #expect(ReadChanges.operation.segments == [.word("v1"), .word("changes")])
        var operation = ReadChanges.operation
        operation.path = "/v1/events/{event}/registrations"
        #expect(operation.segments == [.word("v1"), .word("events"), .variable("event"), .word("registrations")])
    }
}
