import ClubProtocol
import Testing

@testable import ServiceKit

@Suite("Rules of webhooks")
struct WebhookRuleTests {
    @Test(
        "a delivery allows only the transitions of its life cycle", arguments: WebhookDelivery.State.allCases,
        WebhookDelivery.State.allCases)
    func transitions(from: WebhookDelivery.State, to: WebhookDelivery.State) {
        let allowed: [WebhookDelivery.State: Set<WebhookDelivery.State>] = [
            .pending: [.sending],
            .sending: [.sending, .pending, .delivered, .exhausted],
            .delivered: [.pending],
            .exhausted: [.pending],
        ]
        #expect(from.allows(to) == allowed[from]?.contains(to))
    }

    @Test("ten attempts are spread over more than three days, with random jitter")
    func schedule() {
        var settings = WebhookSettings()
        #expect(settings.maximumAttempts == 10)
        let sum = settings.delays.reduce(Duration.zero) { $0 + $1 }
        #expect(sum == .seconds(272_105))
        let delays = (0..<50).map { _ in settings.delay(after: 5) }
        #expect(Set(delays).count > 1)
        let around = Duration.seconds(16_200)...Duration.seconds(19_800)
        let isAround = delays.allSatisfy { around.contains($0) }
        #expect(isAround)
        settings.jitter = 1...1
        #expect(settings.delay(after: 1) == .seconds(5))
        #expect(settings.delay(after: 9) == .seconds(86_400))
        #expect(settings.lease > settings.timeLimit)
    }

    @Test("Retry-After is read in seconds or as a date")
    func retryAfter() {
        let now: Int64 = 784_111_777
        #expect(RetryAfter.duration("120", now: now) == .seconds(120))
        #expect(RetryAfter.duration("0", now: now) == .zero)
        #expect(RetryAfter.duration("99999999999999999999", now: now) == .seconds(999_999_999))
        #expect(RetryAfter.duration("Sun, 06 Nov 1994 08:50:37 GMT", now: now) == .seconds(60))
        #expect(RetryAfter.duration("Sun, 06 Nov 1994 08:00:00 GMT", now: now) == .zero)
        for text in ["", "-1", "1.5", "soon", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"] {
            #expect(RetryAfter.duration(text, now: now) == nil, "\(text)")
        }
    }

    @Test(
        "an address of the public Internet is one",
        arguments: [
            "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1",
            "192.167.1.1", "198.17.0.1", "223.255.255.255", "168.63.129.15", "2001:4860:4860::8888",
            "2606:4700:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1",
        ])
    func publicAddress(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.isPublic)
    }

    @Test(
        "no other address is, in any notation",
        arguments: [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255",
            "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
            "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "168.63.129.16",
            "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254",
            "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
            "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "100::1",
        ])
    func otherAddress(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!address.isPublic)
    }

    @Test("one forbidden address among several is enough, and IPv4-mapped addresses follow the IPv4 rules")
    func resolver() async throws {
        func address(_ found: String...) async throws -> IPAddress {
            let addresses = found.compactMap { IPAddress($0) }
            return try await WebhookResolver(allowsPrivate: false) { _ in addresses }.address(of: "host")
        }
        #expect(try await address("1.1.1.1", "8.8.8.8").description == "1.1.1.1")
        await #expect(throws: WebhookResolver.Refusal.forbidden) { try await address("1.1.1.1", "10.0.0.1") }
        await #expect(throws: WebhookResolver.Refusal.unknown) { try await address() }
        let strict = WebhookResolver(allowsPrivate: false)
        for host in ["localhost", "127.1", "2130706433", "0x7f000001", "0", "::1"] {
            await #expect(throws: WebhookResolver.Refusal.forbidden, "\(host)") { try await strict.address(of: host) }
        }
        let lax = WebhookResolver(allowsPrivate: true)
        #expect(try await lax.address(of: "127.1").description == "127.0.0.1")
    }

    @Test("a webhook's address has a scheme, a plain host and a valid port")
    func addresses() throws {
        for (text, host) in [
            ("https://hooks.example.org", "hooks.example.org"), ("https://h:8443/a/b?c=d", "h"),
            ("https://H.example/", "h.example"), ("https://é.fr/", "xn--9ca.fr"),
            ("http://127.0.0.1:80/", "127.0.0.1"), ("https://[2001:DB8::1]:443/x", "2001:db8::1"),
        ] {
            let address = try WebhookAddress(validating: text)
            #expect(address.host == host)
            #expect(address.isSecure == text.hasPrefix("https"))
        }
        for text in [
            "", "https://", "ftp://h/", "https:///x", "https://user@h/", "https://h:0/", "https://h:70000/",
            "https://h:/",
            "https://[::1/", "https://[x]/", "https://a b/", "https://h/#f", "https://.h/",
            "https://h_h/", "https://é/", "https://H/", "https://😀.fr/", "https://h/\u{200B}",
        ] {
            #expect(throws: InvalidText.self, "\(text)") { try WebhookAddress(validating: text) }
        }
    }

    @Test("an event names an entity and an action, either of which may be any")
    func events() throws {
        for text in ["person.changed", "person.*", "*.erased", "circleMeeting.created"] {
            #expect(try WebhookEvent(validating: text).text == text)
        }
        for text in [
            "", "person", "*", "*.*", "Person.changed", "person.gone", "per son.*", "person.changed.x", ".", "é.*",
        ] {
            #expect(throws: InvalidText.self, "\(text)") { try WebhookEvent(validating: text) }
        }
    }
}
