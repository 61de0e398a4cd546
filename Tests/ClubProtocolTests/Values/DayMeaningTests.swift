import ClubProtocol
import Testing

@Suite("Days and their bounds")
struct DayMeaningTests {
    private static let today: Day = "2027-03-14"

    @Test(
        "each kind of day has a lower and an upper bound",
        arguments: [
            (.payment, "1990-01-01", "2027-03-15"), (.enrolment, "1990-01-01", "2027-03-15"),
            (.membership, "1990-01-01", "2037-03-14"), (.mandate, "1990-01-01", "2037-03-14"),
            (.end, "1990-01-01", "2099-12-31"), (.due, "2027-03-14", "2029-03-14"),
            (.office, "1958-10-04", "2047-03-14"),
            (.meeting, "1990-01-01", "2032-03-14"),
        ] as [(DayMeaning, Day, Day)])
    func bounds(meaning: DayMeaning, first: Day, last: Day) {
        #expect(meaning.bounds(today: Self.today) == first...last)
        #expect(meaning.fault(of: first, today: Self.today) == nil && meaning.fault(of: last, today: Self.today) == nil)
        #expect(meaning.fault(of: first.adding(days: -1), today: Self.today) != nil)
        #expect(meaning.fault(of: last.adding(days: 1), today: Self.today) != nil)
        #expect(meaning.fault(of: "0206-11-28", today: Self.today) != nil)
    }

    @Test("the 29th of February has bounds, too")
    func leapDay() {
        for meaning in DayMeaning.allCases { #expect(meaning.bounds(today: "2028-02-29").contains("2028-02-29")) }
        #expect(DayMeaning.due.bounds(today: "2028-02-29").upperBound == "2030-02-28")
    }

    @Test("a day out of bounds is a problem at its pointer, or an error of its cell")
    func faults() {
        #expect(throws: Problem.self) { try DayMeaning.payment.check("0206-11-28", at: "/paidOn") }
        #expect(throws: InvalidText("is in the future")) { try DayMeaning.enrolment.checked(Day.today.adding(days: 2)) }
        #expect(throws: Never.self) { try DayMeaning.payment.check(nil, at: "/paidOn") }
    }

    @Test("a time is judged by its day in Paris, where an issue may be scheduled for the first hour of tomorrow")
    func times() throws {
        let today: Day = "2026-12-01"
        #expect(DayMeaning.due.fault(at: try Timestamp(validating: "2026-11-30T23:30:00Z"), today: today) == nil)
        #expect(DayMeaning.due.fault(at: try Timestamp(validating: "2026-11-30T22:30:00Z"), today: today) == "is over")
    }
}
