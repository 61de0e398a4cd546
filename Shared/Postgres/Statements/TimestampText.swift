/// Conversion of timestamps and dates between PostgreSQL's form (`DateStyle=ISO`, `TimeZone=UTC`) and RFC 3339.
enum TimestampText {
    /// Appends `2026-11-22T23:14:16.123456Z`, which PostgreSQL accepts too; the fraction only if it is not zero.
    static func write(microsecondsSince1970: Double, into bytes: inout [UInt8]) {
        guard let moment = Int64(exactly: microsecondsSince1970) else {
            bytes.append(contentsOf: (microsecondsSince1970 < 0 ? "-infinity" : "infinity").utf8)
            return
        }
        let second = floorDivide(moment, 1_000_000)
        let fraction = moment - second * 1_000_000
        let day = floorDivide(second, 86_400)
        let clock = second - day * 86_400
        let (year, month, date) = civil(fromDays: day)
        guard (1...9_999).contains(year) else {
            bytes.append(contentsOf: (year < 1 ? "-infinity" : "infinity").utf8)
            return
        }
        write(year, digits: 4, into: &bytes)
        bytes.append(UInt8(ascii: "-"))
        write(month, digits: 2, into: &bytes)
        bytes.append(UInt8(ascii: "-"))
        write(date, digits: 2, into: &bytes)
        bytes.append(UInt8(ascii: "T"))
        write(clock / 3_600, digits: 2, into: &bytes)
        bytes.append(UInt8(ascii: ":"))
        write(clock / 60 % 60, digits: 2, into: &bytes)
        bytes.append(UInt8(ascii: ":"))
        write(clock % 60, digits: 2, into: &bytes)
        if fraction != 0 {
            bytes.append(UInt8(ascii: "."))
            write(fraction, digits: 6, into: &bytes)
            while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
        }
        bytes.append(UInt8(ascii: "Z"))
    }

    /// Appends a timestamptz of the server, `2026-11-22 23:14:16.123456+00`, as `2026-11-22T23:14:16.123456Z`.
    /// Anything in another form (`infinity`, years BC, another time zone) is appended unchanged.
    static func writeRFC3339(_ text: UnsafeRawBufferPointer, into bytes: inout [UInt8]) {
        let count = text.count
        guard unsafe isCommon(text) else {
            unsafe bytes.append(contentsOf: text)
            return
        }
        unsafe bytes.append(contentsOf: text[0..<10])
        bytes.append(UInt8(ascii: "T"))
        unsafe bytes.append(contentsOf: text[11..<count - 3])
        bytes.append(UInt8(ascii: "Z"))
    }

    /// Whether it has the usual form of timestamps since the year 1.
    static func isCommon(_ text: UnsafeRawBufferPointer) -> Bool {
        let count = text.count
        return unsafe count >= 22 && text[10] == UInt8(ascii: " ") && text[count - 3] == UInt8(ascii: "+")
            && text[count - 2] == UInt8(ascii: "0") && text[count - 1] == UInt8(ascii: "0")
    }

    /// Microseconds since 1970 of `2026-11-22`, `2026-11-22 23:14:16.123456` optionally with `+00`; otherwise nil.
    static func read(_ text: UnsafeRawBufferPointer) -> Int64? {
        let count = text.count
        guard count >= 10, unsafe text[4] == UInt8(ascii: "-"), unsafe text[7] == UInt8(ascii: "-"),
            let year = unsafe number(text, 0, 4), let month = unsafe number(text, 5, 2),
            let date = unsafe number(text, 8, 2)
        else { return nil }
        let midnight = days(fromCivil: year, month, date) * 86_400_000_000
        if count == 10 { return midnight }
        guard count >= 19, unsafe text[10] == UInt8(ascii: " "), unsafe text[13] == UInt8(ascii: ":"),
            unsafe text[16] == UInt8(ascii: ":"), let hour = unsafe number(text, 11, 2),
            let minute = unsafe number(text, 14, 2), let second = unsafe number(text, 17, 2)
        else { return nil }
        var fraction: Int64 = 0
        var index = 19
        if unsafe index < count && text[index] == UInt8(ascii: ".") {
            index += 1
            var scale: Int64 = 1_000_000
            while index < count, scale > 1, let digit = unsafe number(text, index, 1) {
                scale /= 10
                fraction += digit * scale
                index += 1
            }
        }
        if index + 3 == count {
            guard unsafe text[index] == UInt8(ascii: "+"), unsafe number(text, index + 1, 2) == 0 else { return nil }
        } else if index != count {
            return nil
        }
        return midnight + ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    }

    private static func number(_ text: UnsafeRawBufferPointer, _ start: Int, _ digits: Int) -> Int64? {
        guard start + digits <= text.count else { return nil }
        var value: Int64 = 0
        for index in start..<start + digits {
            let digit = unsafe text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }

    private static func write(_ value: Int64, digits: Int, into bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    /// Days since 1970-01-01 of a date in the proleptic Gregorian calendar (Howard Hinnant, `days_from_civil`).
    private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The inverse (Howard Hinnant, `civil_from_days`).
    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
