import ClubProtocol
import TestKit
import Testing

@Suite("Domain names")
struct DomainNameTests {
    @Test(
        "a name is normalised to its DNS form, however it is written",
        arguments: [
            ("example.org", "example.org"), ("EXAMPLE.Org", "example.org"),
            ("économie-numérique.fr", "xn--conomie-numrique-9pbl.fr"),
            ("ÉCONOMIE-NUMÉRIQUE.FR", "xn--conomie-numrique-9pbl.fr"),
            ("e\u{301}conomie-nume\u{301}rique.fr", "xn--conomie-numrique-9pbl.fr"),
            ("müller.example", "xn--mller-kva.example"), ("xn--mller-kva.example", "xn--mller-kva.example"),
            ("XN--Mller-KVA.example", "xn--mller-kva.example"), ("straße.de", "xn--strae-oqa.de"),
            ("ｅｘａｍｐｌｅ．org", "example.org"), ("école。fr", "xn--cole-9oa.fr"), ("日本語.jp", "xn--wgv71a119e.jp"),
            ("ec\u{AD}ole.fr", "ecole.fr"), ("ab--c.fr", "ab--c.fr"), ("œuvre.fr", "xn--uvre-f4a.fr"),
        ])
    func names(text: String, name: String) {
        #expect(DomainName.ascii(text.utf8) == name)
        #expect(DomainName.ascii(name.utf8) == name)
    }

    @Test(
        "an invalid name is refused",
        arguments: [
            "", ".", "fr", "é", "example.", "école.fr.", ".fr", "a..fr", "é..fr", "-a.fr", "é-.fr", "a_b.fr", "é_b.fr",
            "😀.fr", "i❤.ws",
            "xn--e28h.fr", "xn--a.fr", "xn--www-xn.fr", "١٢٣é.example", "a\u{200D}b.fr", "é b.fr", "é/b.fr", "é@b.fr",
            "é:80.fr",
            "é%41.fr", "é\0.fr", "a℀b.fr", "é⁄x.fr", "\u{202E}a.fr",
        ])
    func none(text: String) {
        #expect(DomainName.ascii(text.utf8) == nil)
    }

    @Test("a long name is refused, and the worst name of 253 bytes costs no more than fifty ordinary ones")
    func long() {
        #expect(DomainName.ascii((String(repeating: "a.", count: 125) + "fr").utf8) != nil)
        #expect(DomainName.ascii((String(repeating: "a.", count: 126) + "fr").utf8) == nil)
        #expect(DomainName.ascii(String(repeating: "é", count: 1_000_000).utf8) == nil)
        let worst = "a" + String(repeating: "\u{301}", count: 62) + String(repeating: "\u{316}", count: 62) + ".fr"
        let plain = String(repeating: "é", count: 10) + "." + String(repeating: "è", count: 100) + ".fr"
        func cost(_ name: String) -> Double {
            TextCost.nanoseconds { for _ in 0..<100 { _ = DomainName.ascii(name.utf8) } }
        }
        #expect(worst.utf8.count <= 253 && cost(worst) < cost(plain) * 50)
    }
}
