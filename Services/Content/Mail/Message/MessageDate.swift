import ClubProtocol
import FoundationEssentials

/// The date of a message (RFC 5322, 3.3), in UTC.
enum MessageDate {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Thu, 29 Feb 2024 12:34:56 +0000`
    static func write(_ date: Date, into bytes: inout [UInt8]) {
        let timestamp = Timestamp(date)
        let day = timestamp.day
        // The days before 1970 are negative.
        let weekday = weekdays[(day.daysSince1970 % 7 + 7) % 7]
        bytes += "\(weekday), \(day.day) \(months[day.month - 1]) \(day.year) ".utf8
        bytes += timestamp.text.utf8.dropFirst(11).prefix(8)
        bytes += " +0000".utf8
    }

    /// Reads what ``write(_:into:)`` writes.
    ///
    /// - Returns: seconds since 1970; nil for any other text.
    static func seconds(in text: ArraySlice<UInt8>) -> Int? {
        let words = text.split(separator: UInt8(ascii: " "))
        guard words.count == 6, words[5].elementsEqual("+0000".utf8), words[4].count == 8,
            let month = months.firstIndex(where: { $0.utf8.elementsEqual(words[2]) })
        else { return nil }
        let day = String(decoding: (words[1].count == 1 ? [UInt8(ascii: "0")] : []) + words[1], as: UTF8.self)
        let (year, time) = (String(decoding: words[3], as: UTF8.self), String(decoding: words[4], as: UTF8.self))
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        guard let timestamp = try? Timestamp(validating: "\(year)-\(number)-\(day)T\(time)Z") else { return nil }
        return Int(timestamp.microseconds / 1_000_000)
    }
}
