import ClubProtocol
import Foundation
import Testing

@Suite("Days")
struct DayTests {
    @Test("every day of 800 years has a text, a number and a successor")
    func roundTrip() throws {
        let first = Day("1600-01-01").daysSince1970
        var before = Day(daysSince1970: first - 1)
        for number in first..<(first + 292_194) {
            let day = Day(daysSince1970: number)
            #expect(day.daysSince1970 == number)
            #expect(before < day)
            before = day
        }
        #expect(before == "2399-12-31")
        for day in ["0001-01-01", "1970-01-01", "2000-02-29", "2024-02-29", "9999-12-31"] {
            #expect(try Day(validating: day).text == day)
        }
        #expect(Day("1970-01-01").daysSince1970 == 0)
        #expect(Day("2000-03-01").daysSince1970 == 11_017)
        #expect(Day("2024-02-28").adding(days: 2) == "2024-03-01")
        #expect(Day("2027-01-01").adding(days: -1) == "2026-12-31")
    }

    @Test(
        "an invalid day is refused",
        arguments: [
            "", "2027-3-14", "27-03-14", "2027/03/14", "2027-00-01", "2027-13-01", "2027-01-00", "2027-01-32",
            "2027-04-31",
            "2027-02-29", "1900-02-29", "2100-02-29", "0000-01-01", "2027-03-14T00:00:00Z", " 2027-03-14",
            "2027-03-14 ", "20270314",
            "+027-03-14", "-027-03-14", "２027-03-1", "2027-03-1x", "tomorrow", "2027-W11-7",
        ])
    func refused(text: String) {
        #expect(refusal(Day.self, text) == "is not a valid date (YYYY-MM-DD)")
    }
}

@Suite("Points in time")
struct TimestampTests {
    @Test(
        "RFC 3339 is read with any offset and written in UTC",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z"),
            ("1970-01-01T00:00:00.000001Z", 1, "1970-01-01T00:00:00.000001Z"),
            ("1970-01-01T00:00:00.5Z", 500_000, "1970-01-01T00:00:00.5Z"),
            ("1970-01-01T00:00:00.1000Z", 100_000, "1970-01-01T00:00:00.1Z"),
            ("1970-01-01T00:00:00.1234567Z", 123_456, "1970-01-01T00:00:00.123456Z"),
            ("2027-03-14t09:30:00z", 1_805_016_600_000_000, "2027-03-14T09:30:00Z"),
            ("2027-03-14T10:30:00+01:00", 1_805_016_600_000_000, "2027-03-14T09:30:00Z"),
            ("2027-03-13T23:00:00-10:30", 1_805_016_600_000_000, "2027-03-14T09:30:00Z"),
            ("1970-01-01T00:00:00-00:00", 0, "1970-01-01T00:00:00Z"),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000, "9999-12-31T23:59:59Z"),
        ] as [(String, Int64, String)])
    func read(text: String, microseconds: Int64, written: String) throws {
        let timestamp = try Timestamp(validating: text)
        #expect(timestamp.microseconds == microseconds)
        #expect(timestamp.text == written)
        #expect(try Timestamp(validating: written) == timestamp)
    }

    @Test("every microsecond survives being written and read")
    func roundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let microseconds = Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &generator)
            let timestamp = Timestamp(microseconds: microseconds)
            #expect(try Timestamp(validating: timestamp.text) == timestamp, "\(microseconds)")
        }
    }

    @Test(
        "what is not a valid RFC 3339 timestamp is refused",
        arguments: [
            "", "2027-03-14", "2027-03-14T09:30Z", "2027-03-14T09:30:00", "2027-03-14 09:30:00Z",
            "2027-03-14T24:00:00Z",
            "2027-03-14T23:60:00Z", "2027-03-14T23:59:60Z", "2027-02-30T00:00:00Z", "2027-03-14T09:30:00.Z",
            "2027-03-14T09:30:00,5Z",
            "2027-03-14T09:30:00+1:00", "2027-03-14T09:30:00+0100", "2027-03-14T09:30:00+24:00",
            "2027-03-14T09:30:00+01:60",
            "2027-03-14T09:30:00ZZ", "2027-03-14T09:30:00Z ", "2027-03-14T09:30:00.123456789012345678Z",
            "2027-03-14T09:30:00.5", "2027-03-14T0a:30:00Z", "now", "1805016600", "0000-01-01T00:00:00Z",
            "2027-03-14T09:30:00é", "é027-03-14T09:30:00Z", "2027-03-14T-9:30:00Z",
        ])
    func refused(text: String) {
        #expect(refusal(Timestamp.self, text) == "is not a valid RFC 3339 timestamp")
    }

    @Test("the first and last instant of the calendar keep their year when an offset shifts them")
    func edges() {
        for text in ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"] {
            if let timestamp = try? Timestamp(validating: text) {
                #expect(
                    (try? Timestamp(validating: timestamp.text)) == timestamp,
                    "\(text) is read but not as it is written")
            }
        }
    }

    @Test("points in time are ordered and can be moved by durations")
    func order() {
        let timestamp = Timestamp(microseconds: 1_000_000)
        #expect(timestamp < Timestamp(microseconds: 1_000_001))
        #expect(timestamp.advanced(by: .milliseconds(1500)).microseconds == 2_500_000)
        #expect(timestamp.advanced(by: .seconds(-2)).microseconds == -1_000_000)
        #expect(Timestamp(Date(timeIntervalSince1970: 1.000001)).microseconds == 1_000_001)
        #expect(Timestamp(microseconds: 1_805_016_600_123_456).date.timeIntervalSince1970 > 1_805_016_600)
    }
}
