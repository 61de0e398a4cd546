import ClubProtocol
import Testing

@testable import Directory

@Suite("bank texts")
struct BankTextTests {
    @Test(
        "an invisible character is removed unless it separates combining marks: no text is lost, no run is too long",
        arguments: [
            "\u{200B}", "\u{2060}", "\u{FEFF}", "\u{AD}", "\u{200E}", "\u{202A}", "\u{2069}", "\u{61C}", "\u{FFFF}",
        ])
    func marks(sign: String) throws {
        let first = "a" + String(repeating: "\u{301}", count: 30)
        let second = String(repeating: "\u{316}", count: 30)
        let remittance = try #require(BankText.remittance("Facture \(first)\(sign)\(second) du\(sign) mois"))
        #expect(StreamSafe.accepts(remittance) && remittance.hasBytePrefix("Facture a"))
        #expect(remittance.unicodeScalars.count { $0 == "\u{301}" || $0 == "\u{316}" } == 60)
        let line = try #require(BankText.line("\(first)\(sign)\(second)"))
        #expect(StreamSafe.accepts(line.text) && line.text.unicodeScalars.count == 62)
        #expect(BankText.remittance("Fac\(sign)ture\(sign) 12")?.hasSameBytes(as: "Facture 12") == true)
        #expect(BankText.line("Fac\(sign)ture")?.text == "Facture")
    }
}
