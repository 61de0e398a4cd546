import Postgres

extension PostgresTransaction {
    /// A merge that commits between finding organizations and writing about them removes some of them. Then both steps
    /// are repeated: a row that refers to a record waits for the merge that has locked it, so the next attempt sees the
    /// result.
    nonisolated(nonsending) func retryingAfterMerge<T: Sendable>(
        _ body: (PostgresTransaction) async throws -> T
    ) async throws -> T {
        for _ in 1...3 {
            do {
                return try await savepoint(body)
            } catch let error as PostgresError where error.sqlState == SQLState.foreignKeyViolation {}
        }
        return try await savepoint(body)
    }
}
