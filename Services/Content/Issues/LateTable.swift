import ClubProtocol
import ServiceKit

extension LateReaders {
    /// Writes them as a table with the columns of the others, some at a time.
    func write(_ issue: Issue.ID, as format: TableFormat, to output: TextWriter) async throws {
        try await output.write { bytes in
            bytes.append(contentsOf: format.mark)
            Self.append(ExportTable.missedHeaders, as: format, to: &bytes)
        }
        var key: String?
        while true {
            let rows = try await list(issue, after: key, limit: Self.batch)
            try await output.write { bytes in
                for row in rows {
                    Self.append(
                        [
                            row.reason.french, row.email.text, row.name ?? "", row.audience.french, "\(row.attempts)",
                            "",
                            "",
                        ], as: format, to: &bytes)
                }
            }
            guard rows.count == Self.batch else { return }
            key = rows.last?.email.text.asciiLowercased
        }
    }

    private static func append(_ cells: [String], as format: TableFormat, to bytes: inout [UInt8]) {
        for (index, cell) in cells.enumerated() {
            format.append(cell.utf8, to: &bytes)
            format.end(isLast: index == cells.count - 1, in: &bytes)
        }
    }
}
