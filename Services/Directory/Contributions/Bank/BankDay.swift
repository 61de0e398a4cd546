import ClubProtocol

/// Days as banks write them: in Paris time. Throws a reason that reads well after the name of a column.
enum BankDay {
    /// `14/03/2027`, `14-03-2027`, `14.03.27`, `2027-03-14`, each optionally followed by a time. A time with a zone,
    /// such as `2027-03-14T23:30:00Z`, is on the day that it was in Paris then.
    ///
    /// - Parameter isUTC: whether a time without a zone is in UTC.
    static func day(_ cell: String, of meaning: DayMeaning, isUTC: Bool = false) throws(InvalidText) -> Day {
        let text = Array(cell.trimmingBlanks.utf8.prefix(60))
        let date = text.prefix { $0 != 0x20 && $0 != UInt8(ascii: "T") }
        let parts = date.split(omittingEmptySubsequences: false) { [0x2F, 0x2D, 0x2E].contains($0) }
        guard parts.count == 3, parts.allSatisfy({ $0.allSatisfy(isDigit) }) else {
            throw InvalidText("is not a valid date")
        }
        var numbers = parts.map { String(decoding: $0, as: UTF8.self) }
        if parts[0].count == 4 { numbers.reverse() }
        guard (1...2).contains(numbers[0].utf8.count), (1...2).contains(numbers[1].utf8.count) else {
            throw InvalidText("is not a valid date")
        }
        let year = numbers[2].utf8.count == 2 ? "20\(numbers[2])" : numbers[2]
        func two(_ number: String) -> String { number.utf8.count == 1 ? "0\(number)" : number }
        let written = try Day(validating: "\(year)-\(two(numbers[1]))-\(two(numbers[0]))")
        guard let time = time(Array(text.dropFirst(date.count + 1))), let offset = time.offset ?? (isUTC ? 0 : nil)
        else { return try meaning.checked(written) }
        let seconds = written.daysSince1970 * 86_400 + time.seconds - offset
        return try meaning.checked(FrenchFormat.dayInParis(Timestamp(microseconds: Int64(seconds) * 1_000_000)))
    }

    /// - Returns: seconds since the day began, and its zone's offset from UTC in seconds, where it has one; nil if it
    ///   is not a time.
    private static func time(_ text: [UInt8]) -> (seconds: Int, offset: Int?)? {
        guard text.count >= 5, let hours = two(text, 0), hours <= 24, text[2] == UInt8(ascii: ":"),
            let minutes = two(text, 3), minutes < 60
        else { return nil }
        var seconds = hours * 3600 + minutes * 60
        var rest = text[5...]
        if rest.first == UInt8(ascii: ":"), let more = two(text, 6), more <= 60 {
            seconds += more
            rest = text[8...]
            if let sign = rest.first, sign == UInt8(ascii: ".") || sign == UInt8(ascii: ",") {
                rest = rest.dropFirst().drop(while: isDigit)
            }
        }
        return (seconds, offset(Array(rest.drop { $0 == 0x20 })))
    }

    /// `Z`, `UTC`, `+01:00`, `+0100`, `+01`; nil for anything else.
    private static func offset(_ zone: [UInt8]) -> Int? {
        if ["Z", "z", "UTC", "GMT"].contains(where: { zone.elementsEqual($0.utf8) }) { return 0 }
        guard let sign = zone.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        let digits = zone.dropFirst().filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 2 || digits.count == 4, let hours = two(digits, 0), hours < 24 else { return nil }
        guard let minutes = digits.count == 4 ? two(digits, 2) : 0, minutes < 60 else { return nil }
        return (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "+") ? 1 : -1)
    }

    private static func two(_ text: [UInt8], _ index: Int) -> Int? {
        guard index + 1 < text.count, isDigit(text[index]), isDigit(text[index + 1]) else { return nil }
        return Int(text[index] - 0x30) * 10 + Int(text[index + 1] - 0x30)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
