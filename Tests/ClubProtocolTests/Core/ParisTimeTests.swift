import ClubProtocol
import Foundation
import Testing

@Suite("the time in Paris")
struct ParisTimeTests {
    @Test("agrees with the time zone database, at every hour of the days around each change and of every tenth day")
    func table() throws {
        let zone = try #require(TimeZone(identifier: "Europe/Paris"))
        let first = Day("1996-01-01").daysSince1970
        let last = Day("2037-12-31").daysSince1970
        for number in first...last {
            let day = Day(daysSince1970: number)
            guard [3, 10].contains(day.month) && day.day >= 24 || number % 10 == 0 else { continue }
            for moment in stride(from: number * 86_400, to: (number + 1) * 86_400, by: 1800) {
                for second in [moment - 1, moment] {
                    let known = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
                    #expect(ParisTime.offset(at: second) == known, "\(day)")
                }
            }
        }
    }

    @Test("a day begins at midnight in Paris, before and after 1970")
    func days() {
        #expect(ParisTime.day(at: 1_798_757_999) == "2026-12-31")
        #expect(ParisTime.day(at: 1_798_758_000) == "2027-01-01")
        #expect(ParisTime.day(at: 1_782_856_799) == "2026-06-30")
        #expect(ParisTime.day(at: 1_782_856_800) == "2026-07-01")
        #expect(ParisTime.day(at: -3601) == "1969-12-31")
    }
}
