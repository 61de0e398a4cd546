package import ClubProtocol
import Foundation

/// When something is to be done again and again: at an interval, or by a cron expression read on the clock of Paris.
package struct CronSchedule: Hashable, Sendable, CustomStringConvertible {
    private enum Rule: Hashable {
        case every(Duration)
        case expression(CronExpression)
    }

    private let rule: Rule
    /// `every 60.0 seconds`, or the expression.
    package let description: String

    private init(_ rule: Rule, _ description: String) {
        self.rule = rule
        self.description = description
    }

    /// At an interval, counted from when it was last due.
    package static func every(_ interval: Duration) -> CronSchedule {
        precondition(interval >= .milliseconds(1))
        return CronSchedule(.every(interval), "every \(interval)")
    }

    /// By five fields: minute, hour, day of the month, month, day of the week (0 or 7 is Sunday). A field is `*`, a number, a
    /// range `1-5`, any of these with a step `*/15`, or a list of them by commas. If both days are restricted, either will do
    /// (POSIX, crontab).
    ///
    /// - Throws: `InvalidText` with the reason, also for an expression that no day fulfils.
    package init(_ expression: String) throws(InvalidText) {
        rule = .expression(try CronExpression(expression))
        description = expression
    }

    /// The first time after the one given.
    package func next(after time: Timestamp) -> Timestamp {
        switch rule {
        case .every(let interval): time.advanced(by: interval)
        // That there is one was found out when the expression was read.
        case .expression(let expression): expression.next(after: time) ?? time.advanced(by: .seconds(86_400))
        }
    }
}

/// The five fields, as sets of numbers.
struct CronExpression: Hashable, Sendable {
    private let minutes: Set<Int>
    private let hours: Set<Int>
    private let days: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    private let isEveryHour: Bool
    private let isEveryDay: Bool
    private let isEveryWeekday: Bool

    init(_ text: String) throws(InvalidText) {
        let fields = text.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count == 5 else { throw InvalidText("has \(fields.count) fields instead of 5") }
        minutes = try Self.read(fields[0], 0...59, "minute")
        hours = try Self.read(fields[1], 0...23, "hour")
        days = try Self.read(fields[2], 1...31, "day of the month")
        months = try Self.read(fields[3], 1...12, "month")
        weekdays = Set(try Self.read(fields[4], 0...7, "day of the week").map { $0 % 7 })
        isEveryHour = hours.count == 24
        isEveryDay = days.count == 31
        isEveryWeekday = weekdays.count == 7
        guard next(after: Timestamp(microseconds: 0)) != nil else { throw InvalidText("comes on no day") }
    }

    private static func read(_ field: Substring, _ range: ClosedRange<Int>, _ name: String) throws(InvalidText) -> Set<
        Int
    > {
        var numbers: Set<Int> = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
            let bounds = (pieces.first ?? "").split(separator: "-", omittingEmptySubsequences: false)
            let refusal = InvalidText("has a \(name) that is none of \(range.lowerBound) to \(range.upperBound)")
            var first = range.lowerBound
            var last = range.upperBound
            if bounds != ["*"] {
                guard (1...2).contains(bounds.count), let from = number(bounds[0]),
                    let to = number(bounds[bounds.count - 1]),
                    range.contains(from), range.contains(to), from <= to
                else { throw refusal }
                first = from
                // `5/10` is from 5 on, as `5-59/10`.
                last = bounds.count == 1 && pieces.count == 2 ? range.upperBound : to
            }
            var step = 1
            if pieces.count > 1 {
                guard pieces.count == 2, let given = number(pieces[1]), given > 0 else { throw refusal }
                step = given
            }
            numbers.formUnion(stride(from: first, through: last, by: step))
        }
        return numbers
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 3, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    private func matches(_ day: Day) -> Bool {
        guard months.contains(day.month) else { return false }
        let monthDay = days.contains(day.day)
        // 1970-01-01 was a Thursday.
        let weekday = weekdays.contains(((day.daysSince1970 + 4) % 7 + 7) % 7)
        return isEveryDay || isEveryWeekday ? monthDay && weekday : monthDay || weekday
    }

    /// The first moment after the one given; nil if none comes within a leap year's cycle (8 years, for 1900 and 2100 had none).
    func next(after time: Timestamp) -> Timestamp? {
        let after = Int(time.microseconds / 1_000_000)
        var day = Day(daysSince1970: (after + ParisClock.offset(at: after)) / 86_400 - 1)
        for _ in 0...(8 * 366 + 2) {
            if matches(day), let seconds = first(on: day, after: after) {
                return Timestamp(microseconds: Int64(seconds) * 1_000_000)
            }
            day = day.adding(days: 1)
        }
        return nil
    }

    private func first(on day: Day, after: Int) -> Int? {
        let midnight = day.daysSince1970 * 86_400
        var best: Int?
        for hour in hours.sorted() {
            // The offset of Paris is one hour or two: no need to ask about hours that are certainly over.
            guard midnight + hour * 3600 + 3600 > after else { continue }
            for minute in minutes {
                for candidate in ParisClock.moments(midnight + hour * 3600 + minute * 60, every: isEveryHour)
                where candidate > after && candidate < best ?? .max {
                    best = candidate
                }
            }
            if let best, best <= midnight + (hour + 1) * 3600 - 7200 { break }
        }
        return best
    }
}

/// The legal time of France, and its two special nights a year.
enum ParisClock {
    private static let zone = TimeZone(identifier: "Europe/Paris")

    /// Seconds east of Greenwich at a moment in seconds since 1970. A system without time zones has winter all year.
    static func offset(at moment: Int) -> Int {
        zone?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment))) ?? 3600
    }

    /// The moments at which the clocks show a time, given as if it were in UTC.
    ///
    /// In the night when the clocks go back, a time comes twice; when they go forward, never. What is to be done at certain hours
    /// is then done once: the first time, or an hour later by the clock. What is to be done every hour just follows time itself.
    static func moments(_ wall: Int, every isEveryHour: Bool) -> [Int] {
        let summer = wall - 7200
        let winter = wall - 3600
        switch (offset(at: summer) == 7200, offset(at: winter) == 3600) {
        case (true, true): return isEveryHour ? [summer, winter] : [summer]
        case (true, false): return [summer]
        case (false, true): return [winter]
        case (false, false): return isEveryHour ? [] : [winter]
        }
    }
}
