package import Postgres

extension TableFormat {
    /// Writes a table page by page; holds no database resources while waiting for the reader.
    package func write(
        _ table: ExportTable, where condition: SQL, from database: PostgresClient, to output: TextWriter
    ) async throws {
        let columns = table.columns
        try await output.write { bytes in
            bytes.append(contentsOf: mark)
            for (index, column) in columns.enumerated() {
                append(column.header.utf8, to: &bytes)
                end(isLast: index == columns.count - 1, in: &bytes)
            }
        }
        try await database.forEachPage { last, limit in
            try table.page(where: condition, after: last, limit: limit)
        } _: { rows in
            try await output.write { bytes in
                for row in rows {
                    for (index, column) in columns.enumerated() {
                        row.withBytes(index) { cell in
                            guard let cell = unsafe cell else { return }
                            if column.isAmount {
                                unsafe append(number: cell, to: &bytes)
                            } else {
                                unsafe append(cell, to: &bytes)
                            }
                        }
                        end(isLast: index == columns.count - 1, in: &bytes)
                    }
                }
            }
        }
    }
}
