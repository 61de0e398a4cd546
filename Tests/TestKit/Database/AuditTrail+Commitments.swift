import ClubProtocol
import Postgres
package import ServiceKit

/// What a commitment in the audit trail proves, and to whom.
extension AuditTrail {
    /// Whether an entry commits to these values.
    ///
    /// - Parameter entry: the row's `id`.
    /// - Returns: nil if it cannot be known: the row was not found, it has no values, or the key of its subject was
    ///   deleted.
    package func matches(_ values: some Encodable, entry: Int64) async throws -> Bool? {
        let message = try WireJSON.encode(values)
        return try await database.first(
            """
            select commitment = sha256(substr(pads, 65) || sha256(substr(pads, 1, 64) || \(message))) as same
            from audit join audit_key using (entity, subject) where id = \(entry)
            """)?.optional("same")
    }
}
