/// What a date stands for, and so the range it must lie in: no payment was made on `0206-11-28`, and no one enrols
/// next year.
///
/// Checked wherever a date comes in, through the API or an import. Dates in a query (`asOf`, `inOfficeOn`) may be
/// any. Each service's tests check the dates and times in its OpenAPI document.
package enum DayMeaning: CaseIterable, Sendable {
    /// Money was received.
    case payment
    /// The bank's value date, which may be some days ahead.
    case value
    /// Someone enrolled or left.
    case enrolment
    /// Someone consented. Never tomorrow: the consent would take precedence over any answer given before then.
    case consent
    /// The first day of a membership, or of a mandate in an organization; and the last day of anything, which people
    /// write as 31 December 2099 where there is none.
    case membership, mandate, end
    /// A contribution is due.
    case due
    /// The first or last day of a public mandate, under the Fifth Republic.
    case office
    /// The Cercle meets, an event is held, or registration for it opens or closes.
    case meeting
    /// Nothing is published before this day.
    case embargo

    /// The first and last valid day; both move with `today` where they depend on it. What has already happened may be
    /// dated tomorrow by the Paris calendar: in Nouméa it is ten hours later.
    package func bounds(today: Day) -> ClosedRange<Day> {
        switch self {
        case .payment, .enrolment: Self.floor...today.adding(days: 1)
        case .consent: Self.floor...today
        case .value: Self.floor...today.adding(days: 366)
        case .membership, .mandate: Self.floor...today.adding(years: 10)
        case .end: Self.floor...Day("2099-12-31")
        case .due: today...today.adding(years: 2)
        case .office: Day("1958-10-04")...today.adding(years: 20)
        case .meeting, .embargo: Self.floor...today.adding(years: 5)
        }
    }

    /// No record of the club is older. For dates in the past, the database checks this too.
    package static let floor: Day = "1990-01-01"

    /// What is wrong with a date, as a phrase to follow the name of its field; nil if it is valid.
    package func fault(of day: Day, today: Day = .today) -> String? {
        let bounds = bounds(today: today)
        if day > bounds.upperBound {
            return [.payment, .enrolment, .consent].contains(self)
                ? "is in the future" : "is after \(bounds.upperBound)"
        }
        guard day < bounds.lowerBound else { return nil }
        return self == .due ? "is over" : "is before \(bounds.lowerBound)"
    }

    /// The same for the day in Paris on which a time falls: an hour before midnight in London it is tomorrow there.
    package func fault(at time: Timestamp, today: Day = .today) -> String? {
        fault(of: ParisTime.day(at: Int(time.microseconds / 1_000_000)), today: today)
    }

    /// - Throws: 422 naming the field.
    package func check(time: Timestamp?, at pointer: String) throws(Problem) {
        if let time, let fault = fault(at: time) { throw Problem.invalid(pointer, fault) }
    }

    /// - Throws: 422 naming the field.
    package func check(_ day: Day?, at pointer: String) throws(Problem) {
        if let day, let fault = fault(of: day) { throw Problem.invalid(pointer, fault) }
    }

    /// - Throws: the reason why the date is not valid.
    package func checked(_ day: Day) throws(InvalidText) -> Day {
        if let fault = fault(of: day) { throw InvalidText(fault) }
        return day
    }
}

extension Day {
    /// The same day that many years later; 28 February for 29 February.
    fileprivate func adding(years: Int) -> Day {
        let text = "\(String(year + years + 10_000).dropFirst())-\(month < 10 ? "0" : "")\(month)-"
        return (try? Day(validating: "\(text)\(day < 10 ? "0" : "")\(day)")) ?? Day(stringLiteral: "\(text)28")
    }
}
