import ClubProtocol
import Glibc
import Synchronization

/// The date of a response (RFC 9110, 5.6.7), formatted once a second.
enum HTTPDate {
    private static let cache = Mutex<(second: Int64, text: String)>((0, ""))

    static var now: String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let second = Int64(time.tv_sec)
        return cache.withLock { cache in
            if cache.second != second { cache = (second, text(unixSeconds: second)) }
            return cache.text
        }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    static func text(unixSeconds: Int64) -> String {
        let days = Int(unixSeconds >= 0 ? unixSeconds / 86_400 : (unixSeconds - 86_399) / 86_400)
        let rest = Int(unixSeconds) - days * 86_400
        let day = Day(daysSince1970: days)
        // 1970-01-01 was a Thursday.
        let weekday = weekdays[((days % 7) + 11) % 7]
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(weekday), \(two(day.day)) \(months[day.month - 1]) \(String(day.year + 10_000).dropFirst()) "
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
