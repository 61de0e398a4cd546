package import ClubProtocol

/// When something recurs: at an interval, or every day at a time.
package enum Schedule: Hashable, Sendable {
    /// At an interval of at least a millisecond, counted from when it was last due.
    case every(Duration)
    /// Once a day, at a time in Paris.
    case daily(at: TimeOfDay)

    /// The first time after the given one.
    package func next(after time: Timestamp) -> Timestamp {
        switch self {
        case .every(let interval): time.advanced(by: interval)
        case .daily(let timeOfDay): timeOfDay.next(after: time)
        }
    }
}

extension Schedule: CustomStringConvertible {
    /// `every 60.0 seconds`, `daily at 03:10`. The scheduler stores it, to detect that a schedule was changed.
    package var description: String {
        switch self {
        case .every(let interval): "every \(interval)"
        case .daily(let timeOfDay): "daily at \(timeOfDay)"
        }
    }
}

/// A time of day, hours and minutes: `03:10`.
package struct TimeOfDay: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// `03:10`
    package let description: String
    private let secondsSinceMidnight: Int

    /// - Throws: `InvalidText`, unless it is `00:00` to `23:59`.
    package init(validating text: String) throws(InvalidText) {
        let digits = text.utf8.map { Int($0) - 48 }
        guard digits.count == 5, Array(text.utf8)[2] == UInt8(ascii: ":"),
            [0, 1, 3, 4].allSatisfy({ (0...9).contains(digits[$0]) })
        else { throw InvalidText("must be a time of day such as 03:10") }
        let (hour, minute) = (digits[0] * 10 + digits[1], digits[3] * 10 + digits[4])
        guard hour < 24, minute < 60 else { throw InvalidText("must be 00:00 to 23:59") }
        description = text
        secondsSinceMidnight = hour * 3600 + minute * 60
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    /// The first moment after the given one at which it is this time in Paris.
    func next(after time: Timestamp) -> Timestamp {
        let after = Int(time.microseconds / 1_000_000)
        let day = Day(daysSince1970: (after + ParisTime.offset(at: after)) / 86_400)
        let today = moment(on: day)
        return Timestamp(microseconds: Int64(today > after ? today : moment(on: day.adding(days: 1))) * 1_000_000)
    }

    private func moment(on day: Day) -> Int {
        ParisTime.moment(showing: day.daysSince1970 * 86_400 + secondsSinceMidnight)
    }
}
