import Postgres

extension PostgresTransaction {
    /// A merge that commits between finding organizations and writing about them takes some away. Then both are done again:
    /// whatever refers to a record waits for the merge that holds it, so the next look sees what it left.
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
