import ClubProtocol
import Postgres
import ServiceKit

/// Who gives people and experts their names and addresses. The database records it with them; the writer sets it first,
/// in the same transaction. Unset, it may be the records themselves.
enum NameStore {
    enum Giver: String {
        case staff
        /// Only moves them from record to record.
        case merge
        /// Moves them back.
        case undo
    }

    static func setGiver(_ giver: Giver, in transaction: PostgresTransaction) async throws {
        try await transaction.query("select set_config('directory.named_by', \(giver.rawValue), true)")
    }

    /// The same for any caller: what is given by anyone but the staff counts as the record's own claim.
    static func setGiver(by principal: Principal, in transaction: PostgresTransaction) async throws {
        guard principal.role == .operator else { return }
        try await setGiver(.staff, in: transaction)
    }
}
