package import FoundationEssentials

/// A point in time, to the microsecond as in PostgreSQL; RFC 3339 in UTC on the wire.
package struct Timestamp: TextValue, Comparable {
    /// Since 1970-01-01T00:00:00Z.
    package let microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package init(_ date: Date) {
        microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
    }

    package static var now: Timestamp { Timestamp(Date()) }

    package var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }

    /// The day in UTC.
    package var day: Day {
        let seconds = microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
        return Day(daysSince1970: Int(seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400))
    }

    /// Parses RFC 3339 with any offset; leap seconds are not preserved.
    package init(validating text: String) throws(InvalidText) {
        let refusal = InvalidText("is not a valid RFC 3339 timestamp")
        guard (20...35).contains(text.utf8.count) else { throw refusal }
        let bytes = Array(text.utf8)
        guard bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let day = try? Day(validating: String(decoding: bytes[..<10], as: UTF8.self)),
            let hour = Digits.read(bytes[11..<13]), let minute = Digits.read(bytes[14..<16]),
            let second = Digits.read(bytes[17..<19]), hour < 24, minute < 60, second < 60
        else { throw refusal }
        var index = 19
        var fraction: Int64 = 0
        if bytes[index] == UInt8(ascii: ".") {
            index += 1
            var scale: Int64 = 100_000
            let start = index
            while index < bytes.count, let digit = Digits.read(bytes[index...index]) {
                fraction += Int64(digit) * scale
                scale /= 10
                index += 1
            }
            guard index > start else { throw refusal }
        }
        guard index < bytes.count else { throw refusal }
        var offset = 0
        if bytes[index] == UInt8(ascii: "Z") || bytes[index] == UInt8(ascii: "z") {
            guard index == bytes.count - 1 else { throw refusal }
        } else {
            let sign = bytes[index] == UInt8(ascii: "+") ? 1 : bytes[index] == UInt8(ascii: "-") ? -1 : 0
            guard sign != 0, bytes.count == index + 6, bytes[index + 3] == UInt8(ascii: ":"),
                let hours = Digits.read(bytes[(index + 1)..<(index + 3)]), hours < 24,
                let minutes = Digits.read(bytes[(index + 4)..<(index + 6)]), minutes < 60
            else { throw refusal }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        let seconds = day.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset
        // The offset may move the time out of the range of four-digit years.
        guard (-62_135_596_800...253_402_300_799).contains(seconds) else { throw refusal }
        microseconds = Int64(seconds) * 1_000_000 + fraction
    }

    package var text: String {
        var seconds = microseconds / 1_000_000
        var fraction = microseconds % 1_000_000
        if fraction < 0 {
            fraction += 1_000_000
            seconds -= 1
        }
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        let time = "T\(Digits.two(rest / 3600)):\(Digits.two(rest / 60 % 60)):\(Digits.two(rest % 60))"
        var result = Day(daysSince1970: Int(days)).text + time
        if fraction != 0 {
            var digits = String(fraction + 1_000_000).dropFirst()
            while digits.last == "0" { digits.removeLast() }
            result += ".\(digits)"
        }
        return result + "Z"
    }

    package static var schema: TextSchema { TextSchema(format: "date-time", example: "2027-03-14T09:30:00Z") }
    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    package func advanced(by duration: Duration) -> Timestamp {
        let parts = duration.components
        return Timestamp(
            microseconds: microseconds + parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000)
    }
}

/// A day of the Gregorian calendar: `YYYY-MM-DD`.
package struct Day: TextValue, Comparable, ExpressibleByStringLiteral {
    package let year: Int
    package let month: Int
    package let day: Int

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count == 10 else { throw InvalidText("is not a valid date (YYYY-MM-DD)") }
        let bytes = Array(text.utf8)
        guard bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = Digits.read(bytes[0..<4]), let month = Digits.read(bytes[5..<7]),
            let day = Digits.read(bytes[8..<10]), year >= 1,
            (1...12).contains(month), (1...Day.length(ofMonth: month, in: year)).contains(day)
        else { throw InvalidText("is not a valid date (YYYY-MM-DD)") }
        self.year = year
        self.month = month
        self.day = day
    }

    /// A day that is known to be valid.
    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// In the proleptic Gregorian calendar, with years that begin in March (H. Hinnant's `civil_from_days`).
    package init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package var daysSince1970: Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Today in Paris, the club's time zone.
    package static var today: Day {
        ParisTime.day(at: Int(Date().timeIntervalSince1970))
    }

    package func adding(days: Int) -> Day { Day(daysSince1970: daysSince1970 + days) }

    package var text: String {
        "\(String(year + 10_000).dropFirst())-\(Digits.two(Int64(month)))-\(Digits.two(Int64(day)))"
    }

    package static var schema: TextSchema { TextSchema(format: "date", example: "2027-03-14") }

    package static func < (left: Day, right: Day) -> Bool { left.daysSince1970 < right.daysSince1970 }

    private static func length(ofMonth month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

enum Digits {
    /// The number written by these ASCII digits; nil if a byte is not a digit.
    static func read(_ bytes: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
