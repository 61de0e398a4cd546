/// The time of day in France, by the rule that the European Union's members share (Directive 2000/84/EC, articles 2 and 3): summer
/// time is from the last Sunday of March to the last Sunday of October, each at 01:00 UTC. True from 1996 on, when France
/// first kept it; what the club records is later.
///
/// A rule and no table of time zones: such a table is a file that each machine would need, or 30 MB in each executable.
package enum ParisTime {
    /// Seconds by which the clocks are ahead of UTC: 3,600 in winter, 7,200 in summer.
    ///
    /// - Parameter moment: seconds since 1970.
    package static func offset(at moment: Int) -> Int {
        let year = Day(daysSince1970: Int((Double(moment) / 86_400).rounded(.down))).year
        let summer = change(in: 3, of: year)..<change(in: 10, of: year)
        return summer.contains(moment) ? 7200 : 3600
    }

    /// The day that the calendars in Paris show.
    ///
    /// - Parameter moment: seconds since 1970.
    package static func day(at moment: Int) -> Day {
        Day(daysSince1970: Int((Double(moment + offset(at: moment)) / 86_400).rounded(.down)))
    }

    /// 01:00 UTC on the last Sunday of a month of 31 days.
    private static func change(in month: Int, of year: Int) -> Int {
        let last = Day(year: year, month: month, day: 31).daysSince1970
        // 1970-01-01 was a Thursday: day 3 was a Sunday.
        let sinceSunday = ((last - 3) % 7 + 7) % 7
        return (last - sinceSunday) * 86_400 + 3600
    }
}
