import ClubProtocol

/// Days and amounts as the French write them.
enum FrenchFormat {
    private static let months = [
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
        "décembre",
    ]

    /// `1er mars 2027`
    static func day(_ day: Day) -> String {
        "\(day.day == 1 ? "1er" : "\(day.day)") \(months[day.month - 1]) \(day.year)"
    }

    static func day(_ time: Timestamp) -> String { day(dayInParis(time)) }

    static func dayInParis(_ time: Timestamp) -> Day {
        ParisTime.day(at: Int(time.microseconds / 1_000_000))
    }

    static func means(_ means: Payment.Means) -> String {
        switch means {
        case .transfer: "virement"
        case .cheque: "chèque"
        case .card: "carte"
        case .directDebit: "prélèvement"
        case .cash: "espèces"
        case .other: "autre"
        case .credit: "avoir"
        }
    }

    /// `virement, chèque et carte`
    static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return "\(words.dropLast().joined(separator: ", ")) et \(last)"
    }

    /// `1 200,00 €`, with no-break spaces.
    static func amount(_ money: Money) -> String {
        let cents = abs(money.amount)
        var euros = String(cents / 100)
        var place = euros.index(euros.endIndex, offsetBy: -3, limitedBy: euros.startIndex)
        while let index = place, index > euros.startIndex {
            euros.insert("\u{202F}", at: index)
            place = euros.index(index, offsetBy: -3, limitedBy: euros.startIndex)
        }
        let rest = cents % 100
        return "\(money.amount < 0 ? "−" : "")\(euros),\(rest < 10 ? "0" : "")\(rest)\u{A0}€"
    }
}
