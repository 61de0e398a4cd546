import ClubProtocol
import ServiceKit

/// The coverage as a table.
struct CoverageTable {
    private let of: Coverage.Subject?
    private let format: TableFormat

    init(of: Coverage.Subject?, _ format: TableFormat) {
        self.of = of
        self.format = format
    }

    /// With the byte order mark before the first line.
    var head: [UInt8] {
        format.mark + row(["departement", "name", "topic", "label"], Coverage.Subject.allCases.map(\.rawValue))
    }

    func line(_ line: CoverageStore.Line) -> [UInt8] {
        row([line.departement, line.name, line.topic, line.label], [String(line.ambassadors), String(line.experts)])
    }

    /// - Parameter counts: ambassadors, then experts.
    private func row(_ cells: [String], _ counts: [String]) -> [UInt8] {
        let counts: [String] =
            switch of {
            case .ambassadors: [counts[0]]
            case .experts: [counts[1]]
            case nil: counts
            }
        let cells = cells + counts
        var line: [UInt8] = []
        for (place, cell) in cells.enumerated() {
            format.append(cell.utf8, to: &line)
            format.end(isLast: place == cells.count - 1, in: &line)
        }
        return line
    }
}
