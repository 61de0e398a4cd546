package import ClubProtocol
import HTTPTypes
package import Postgres

/// What the kit itself keeps of people in every service, beside the service's own tables: answers that are stored for
/// repetitions, and what jobs are to work on.
package enum Traces {
    /// Operations whose stored answers name an identifier and nothing else of somebody, and must still be repeatable.
    private static let exempt = ["createErasure", "moveErasure", "reportErasure"]

    /// The statements that take the traces of somebody away.
    ///
    /// A stored answer stays as one that says 410: were the row gone, a repetition of the request would be done anew, and
    /// bring the person back. Jobs about the person have nothing to work on any more. What another table of the kit keeps
    /// of people is to be added here.
    ///
    /// - Parameter words: identifiers and addresses by which a trace is known.
    /// - Throws: what encoding the answer throws.
    private static func statements(_ words: [String]) throws -> [SQL] {
        let words = words.map { $0.lowercased() }
        let answer = try WireJSON.encode(ProblemDocument(Problem(.erased), requestID: nil))
        return [
            """
            update idempotency set status = \(ProblemType.erased.status.code)::integer,
                headers = '{"contentType": "application/problem+json"}', body = \(answer)
            where operation <> all(\(exempt)) and exists (
                select from unnest(\(words)::text[]) as word where strpos(lower(encode(body, 'escape')), word) > 0)
            """,
            """
            delete from job where kind <> \(ErasureWork.kind.name) and exists (
                select from unnest(\(words)::text[]) as word where strpos(lower(payload::text), word) > 0)
            """,
        ]
    }

    /// Takes away what the kit keeps of somebody, in the transaction that erases it from the service's own tables.
    ///
    /// - Parameters:
    ///   - subjects: the person, and the records that were merged into it.
    ///   - addresses: all that are known of it.
    package static func erase(
        _ subjects: [DataSubject.ID], addresses: [String], in transaction: PostgresTransaction
    ) async throws {
        for statement in try statements(subjects.map(\.text) + addresses) { try await transaction.execute(statement) }
    }
}
