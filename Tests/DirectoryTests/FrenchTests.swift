import ClubProtocol
import Testing

@testable import Directory

@Suite("days and amounts in French")
struct FrenchTests {
    @Test("amounts have a narrow no-break space between thousands and a comma before the cents")
    func amounts() {
        for (cents, text) in [
            (0, "0,00"), (5, "0,05"), (99_900, "999,00"), (120_000, "1\u{202F}200,00"),
            (123_456_789, "1\u{202F}234\u{202F}567,89"), (-2_050, "−20,50"),
        ] {
            #expect(FrenchFormat.amount(Money(cents: cents)) == "\(text)\u{A0}€")
        }
    }

    @Test("the first of a month is le 1er; a time takes its day in Paris")
    func days() throws {
        #expect(FrenchFormat.day("2027-03-01" as Day) == "1er mars 2027")
        #expect(FrenchFormat.day("2026-11-23" as Day) == "23 novembre 2026")
        #expect(FrenchFormat.day(try Timestamp(validating: "2026-12-31T23:30:00Z")) == "1er janvier 2027")
        #expect(FrenchFormat.day(try Timestamp(validating: "2026-07-14T21:59:59Z")) == "14 juillet 2026")
    }
}
