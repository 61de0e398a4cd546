import ClubProtocol
import Postgres
import ServiceKit

/// Who gives people and experts their names. The database writes it down with the names; a writer says before, in the same
/// transaction, who does: unsaid, it may be the records themselves.
enum NameStore {
    enum Giver: String {
        case staff
        /// Only moves names from record to record.
        case merge
    }

    static func say(_ giver: Giver, in transaction: PostgresTransaction) async throws {
        try await transaction.query("select set_config('directory.named_by', \(giver.rawValue), true)")
    }

    /// The same of whoever the caller is: what anybody but the staff says is a record's own word.
    static func say(by principal: Principal, in transaction: PostgresTransaction) async throws {
        guard principal.role == .operator else { return }
        try await say(.staff, in: transaction)
    }
}
