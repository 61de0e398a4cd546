import ClubProtocol
import CommandKit

/// The figures of an issue as `club issue show` prints them.
struct FiguresSheet {
    private let figures: IssueFigures

    init(_ figures: IssueFigures) {
        self.figures = figures
    }

    /// Empty for an issue that nobody is to get yet.
    var text: String {
        guard figures.total.frozen > 0 else { return "" }
        var lines = [table.text]
        let missed = figures.total.missed.map { "\($0.count) \($0.reason?.rawValue ?? "failed, and forgotten since")" }
        if !missed.isEmpty { lines.append("not everybody has got it: \(missed.joined(separator: ", "))") }
        if figures.total.bounced > 0 { lines.append("accepted and came back: \(figures.total.bounced)") }
        let head = figures.auditHead
        lines.append("by the audit trail of \(head.service.rawValue) up to entry \(head.seq), \(head.hash)")
        return lines.joined(separator: "\n")
    }

    private var table: TextTable {
        var table = TextTable(
            "edition", "provider", "frozen", "sent", "delivered", "bounced", "missed", "spam", "left",
            right: [2, 3, 4, 5, 6, 7, 8])
        func add(_ edition: String, _ provider: String, _ figures: DeliveryFigures) {
            table.add(
                edition, provider, "\(figures.frozen)", "\(figures.sent)", "\(figures.delivered)",
                "\(figures.bounced)", "\(figures.frozen - figures.sent)", "\(figures.complaints)",
                "\(figures.departures)")
        }
        for edition in figures.editions {
            for one in edition.providers { add(edition.audience.rawValue, one.provider, one.figures) }
        }
        add("total", "", figures.total)
        return table
    }
}
