import FoundationEssentials
import ServiceKit

/// A table for a terminal: columns are as wide as their widest cell, numbers are right-aligned. If the table is wider
/// than the terminal, its widest columns are narrowed and their cells wrapped.
package struct TextTable {
    /// The number of spaces between two columns.
    private static let gap = 2

    private var rows: [[String]]
    private let header: [String]
    private let right: Set<Int>

    package init(_ header: String..., right: Set<Int> = []) {
        self.header = header
        self.right = right
        rows = []
    }

    package mutating func add(_ cells: String...) {
        rows.append(cells)
    }

    /// The table, fitted to the terminal.
    package var text: String { text(width: Self.terminalWidth()) }

    /// - Parameter width: in terminal columns; no line is longer, unless every table column has shrunk to one.
    func text(width: Int) -> String {
        let widths = widths(within: width)
        let rule = widths.map { String(repeating: "-", count: $0) }
        return ([header, rule] + rows).flatMap { lines($0, widths) }.joined(separator: "\n")
    }

    /// The value of `COLUMNS`, or the terminal's width, or 80 without a terminal.
    static func terminalWidth(
        environment: [String: String] = ProcessInfo.processInfo.environment, output: OpenFile = .standardOutput
    ) -> Int {
        if let said = environment["COLUMNS"].flatMap({ Int($0) }), said > 0 { return said }
        return output.columns ?? 80
    }

    private func lines(_ cells: [String], _ widths: [Int]) -> [String] {
        let columns = zip(cells, widths).map { TerminalText.lines($0, width: $1) }
        return (0..<(columns.map(\.count).max() ?? 0)).map { number in
            let padded = columns.enumerated().map { column, lines in
                let line = number < lines.count ? lines[number] : ""
                let space = String(repeating: " ", count: max(0, widths[column] - TerminalText.width(line)))
                return right.contains(column) ? space + line : line + space
            }
            let line = padded.joined(separator: String(repeating: " ", count: Self.gap))
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    // MARK: Widths

    /// The widest columns shrink first, down to their longest words; if that is not enough, words are cut.
    private func widths(within width: Int) -> [Int] {
        let all = [header] + rows
        let natural = header.indices.map { column in all.map { TerminalText.width($0[column]) }.max() ?? 0 }
        let room = max(header.count, width - Self.gap * (header.count - 1))
        guard natural.reduce(0, +) > room else { return natural }
        let words = header.indices.map { column in
            right.contains(column) ? natural[column] : all.map { TerminalText.longestWord($0[column]) }.max() ?? 0
        }
        if words.reduce(0, +) <= room { return Self.shrunk(natural, to: room, atLeast: words) }
        return Self.shrunk(words, to: room, atLeast: words.map { _ in 1 })
    }

    /// Takes one from the widest column until all fit.
    private static func shrunk(_ widths: [Int], to room: Int, atLeast least: [Int]) -> [Int] {
        var widths = widths
        var excess = widths.reduce(0, +) - room
        while excess > 0 {
            let givers = widths.indices.filter { widths[$0] > least[$0] }
            guard let widest = givers.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }
}
