/// What a day says, and so on which days it can lie: `0206-11-28` is no day of a payment, and nobody enrols next year.
///
/// Looked at wherever a day comes in: by the API and by imports. Days of a question (`asOf`, `inOfficeOn`) may be any. Tests of each
/// service walk the days and times of its OpenAPI document.
package enum DayMeaning: CaseIterable, Sendable {
    /// Money came in.
    case payment
    /// From when money counts for the bank, which may be some days ahead.
    case value
    /// Somebody enrolled, or left.
    case enrolment
    /// Somebody agreed: never tomorrow, as it would count before what is answered until then.
    case consent
    /// The first day of a membership, or of a mandate in an organization; and the last one of whatever ends, for which people write 31
    /// December 2099 where there is none.
    case membership, mandate, end
    /// A contribution is due.
    case due
    /// The first or last day of a public mandate: of the Fifth Republic.
    case office
    /// The Cercle meets, or an event is held, or registration for it opens or closes.
    case meeting
    /// Nothing is published before.
    case embargo

    /// The first day that can be, and the last; both move with `today` where they follow from it. What has happened may have
    /// happened tomorrow by the calendar of Paris: in Nouméa it is ten hours later.
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

    /// Nothing that the club writes down is older; the database checks what has happened against it, too.
    package static let floor: Day = "1990-01-01"

    /// What is wrong with a day, as a sentence about its field; nil where it can be.
    package func fault(of day: Day, today: Day = .today) -> String? {
        let bounds = bounds(today: today)
        if day > bounds.upperBound {
            return [.payment, .enrolment, .consent].contains(self)
                ? "is in the future" : "is after \(bounds.upperBound)"
        }
        guard day < bounds.lowerBound else { return nil }
        return self == .due ? "is over" : "is before \(bounds.lowerBound)"
    }

    /// - Throws: 422 naming where the day stands.
    package func check(_ day: Day?, at pointer: String) throws(Problem) {
        if let day, let fault = fault(of: day) { throw Problem.invalid(pointer, fault) }
    }

    /// - Throws: why the day cannot be, as of a value that is none.
    package func checked(_ day: Day) throws(InvalidText) -> Day {
        if let fault = fault(of: day) { throw InvalidText(fault) }
        return day
    }
}

extension Day {
    /// The same day so many years later; 28 February for 29.
    fileprivate func adding(years: Int) -> Day {
        let text = "\(String(year + years + 10_000).dropFirst())-\(month < 10 ? "0" : "")\(month)-"
        return (try? Day(validating: "\(text)\(day < 10 ? "0" : "")\(day)")) ?? Day(stringLiteral: "\(text)28")
    }
}
