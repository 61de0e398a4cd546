package import Postgres

extension PostgresExecutor {
    /// Reads all rows that a statement finds, however many, a page at a time: for streamed responses.
    ///
    /// Each page is a statement of its own, and no database resource is held while `body` runs: a client that reads
    /// slowly occupies no connection and keeps no transaction open. So the pages do not share a snapshot. A row that is
    /// not changed meanwhile appears once. A changed row appears as it is when its page is read; if its position in the
    /// order changes, it may be missing or appear twice.
    ///
    /// - Parameters:
    ///   - statement: finds at most `limit` rows in the order of a unique key, after the last row.
    ///   - body: takes a page, which is never empty.
    package nonisolated(nonsending) func forEachPage(
        _ statement: (_ last: Row?, _ limit: Int) throws -> SQL, _ body: (Rows) async throws -> Void
    ) async throws {
        var last: Row?
        var limit = PageSize.first
        while true {
            let rows = try await query(try statement(last, limit))
            guard let end = rows.last else { return }
            try await body(rows)
            guard rows.count == limit else { return }
            last = end
            limit = PageSize.next(after: rows)
        }
    }
}

/// How many rows a page has: about as many as make 256 KiB, estimated from the previous page.
enum PageSize {
    static let first = 200
    private static let most = 2000
    private static let bytes = 256 << 10

    static func next(after rows: Rows) -> Int {
        let columns = rows.columns.indices
        var taken = 0
        for row in rows {
            for column in columns { taken += row.withBytes(column) { unsafe $0?.count ?? 0 } }
        }
        return max(1, min(most, bytes * rows.count / max(taken, 1)))
    }
}
