/// The time of day in France, by the rule shared by the members of the European Union (Directive 2000/84/EC, articles
/// 2 and 3): summer time runs from the last Sunday of March to the last Sunday of October, each at 01:00 UTC. Correct
/// from 1996 on, when France first followed it; all of the club's records are later.
///
/// A rule rather than a time zone database, which would be a file on every machine or 30 MB in every executable.
package enum ParisTime {
    /// The offset from UTC in seconds: 3,600 in winter, 7,200 in summer.
    ///
    /// - Parameter moment: seconds since 1970.
    package static func offset(at moment: Int) -> Int {
        let year = Day(daysSince1970: Int((Double(moment) / 86_400).rounded(.down))).year
        let summer = change(in: 3, of: year)..<change(in: 10, of: year)
        return summer.contains(moment) ? 7200 : 3600
    }

    /// The calendar day in Paris.
    ///
    /// - Parameter moment: seconds since 1970.
    package static func day(at moment: Int) -> Day {
        Day(daysSince1970: Int((Double(moment + offset(at: moment)) / 86_400).rounded(.down)))
    }

    /// The moment at which clocks show a time.
    ///
    /// When the clocks go back, some times occur twice: the first one counts. When they go forward, some times do not
    /// occur: the moment is then the one at which clocks show an hour more.
    ///
    /// - Parameter wall: seconds since 1970, as if the time were in UTC.
    /// - Returns: seconds since 1970.
    package static func moment(showing wall: Int) -> Int {
        let (summer, winter) = (wall - 7200, wall - 3600)
        return offset(at: summer) == 7200 ? summer : winter
    }

    /// 01:00 UTC on the last Sunday of a 31-day month.
    private static func change(in month: Int, of year: Int) -> Int {
        let last = Day(year: year, month: month, day: 31).daysSince1970
        // 1970-01-01 was a Thursday, so day 3 was a Sunday.
        let sinceSunday = ((last - 3) % 7 + 7) % 7
        return (last - sinceSunday) * 86_400 + 3600
    }
}
