import ClubProtocol
import CommandKit

/// An issue as `club issue show` prints it.
struct IssueSheet {
    private let issue: Issue

    init(_ issue: Issue) {
        self.issue = issue
    }

    /// The state, with the time or the reason that belongs to it.
    var state: String {
        let about: String? =
            switch issue.state {
            case .scheduled: issue.scheduledFor.map { " for \($0.text)" }
            case .sent: issue.sentAt.map { " since \($0.text)" }
            case .draft, .paused: issue.holdReason.map { ": \($0)" }
            case .sending, .cancelled: nil
            }
        return issue.state.rawValue + (about ?? "")
    }

    /// How many of its addresses have not got it, for whatever reason.
    var missed: Int { issue.editions.reduce(0) { $0 + $1.counts.total - $1.counts.sent } }

    var text: String {
        var lines = ["issue \(issue.number): \(issue.title)", state]
        if !issue.items.isEmpty { lines.append(items.text) }
        if !issue.editions.isEmpty { lines.append(editions.text) }
        // Not a column: the table would be wider than a terminal.
        let skipped = issue.editions.reduce(0) { $0 + $1.counts.skipped }
        if skipped > 0 { lines.append("skipped as their readers wish: \(skipped)") }
        if missed > 0 {
            lines.append("\(missed) have not got it; see `club issue missed \(issue.number)`")
        }
        return lines.joined(separator: "\n")
    }

    private var items: TextTable {
        var table = TextTable("item", "kind", "for", "title", right: [0])
        for (index, item) in issue.items.enumerated() {
            table.add(
                "\(index + 1)", item.kind.rawValue, item.audiences.map(\.rawValue).joined(separator: ", "),
                item.title.text)
        }
        return table
    }

    private var editions: TextTable {
        var table = TextTable(
            "edition", "readers", "sent", "waiting", "failed", "uncertain", "suppressed", "cancelled",
            right: [1, 2, 3, 4, 5, 6, 7])
        for edition in issue.editions {
            let counts = edition.counts
            table.add(
                edition.audience.rawValue,
                // More are to come while the directory still lists them.
                "\(counts.total)\(edition.resolved ? "" : "+")", "\(counts.sent)",
                "\(counts.pending + counts.sending)", "\(counts.failed)", "\(counts.uncertain)",
                "\(counts.suppressed)", "\(counts.cancelled)")
        }
        return table
    }
}
