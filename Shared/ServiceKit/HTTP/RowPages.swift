package import Postgres

extension PostgresExecutor {
    /// Reads all that a statement finds, however much that is, a page at a time: for answers that are written as they go out.
    ///
    /// Each page is a statement of its own, and nothing of the database is held while `body` runs: who reads an answer slowly keeps
    /// no connection from anybody, and no transaction open. So the pages are not of one moment. A row that nobody touches meanwhile
    /// comes once; one that is changed comes as it is when its page is read, and if its place in the order moves, it may be missed
    /// or come again.
    ///
    /// - Parameters:
    ///   - statement: finds at most `limit` rows in the order of a key that no two have, from the one after the last row on.
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

/// How many rows a page has: about as many as make 256 KiB, by what the last page took.
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
