import ClubProtocol
import Postgres

/// People and experts who were erased, and addresses that asked for it, which nobody can read.
enum ErasedReaders {
    private static let lock: SQL = "hashtextextended(current_schema() || ' erased_reader', 0)"

    /// Lets nobody be erased until the transaction ends: whoever writes addresses down calls it first.
    static func lockShared(in transaction: PostgresTransaction) async throws {
        try await transaction.query("select pg_advisory_xact_lock_shared(\(lock))")
    }

    /// Whether an address was erased; it stays as it is until the transaction ends.
    static func contains(_ email: EmailAddress, in transaction: PostgresTransaction) async throws -> Bool {
        try await lockShared(in: transaction)
        let row = try await transaction.first(
            "select exists (select from erased_address where hash = address_hash(\(email.text))) as erased")
        return try row?["erased"] ?? false
    }

    /// Whether somebody was erased; it stays as it is until the transaction ends.
    static func contains(_ reader: DataSubject, in transaction: PostgresTransaction) async throws -> Bool {
        try await lockShared(in: transaction)
        return try await transaction.first("select from erased_reader where id = \(reader.id)") != nil
    }

    /// Keeps these readers from being mailed ever after, and these addresses until somebody agrees to it anew.
    static func add(
        _ readers: [DataSubject.ID], at addresses: [String], in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            "insert into erased_reader (id) select id from unnest(\(readers)) as id on conflict do nothing")
        try await transaction.execute(
            """
            insert into erased_address (hash) select distinct address_hash(address) from unnest(\(addresses)) as address
            on conflict (hash) do update set created_at = excluded.created_at
            """)
    }

    /// Waits for those who write addresses down, and keeps others from it until the transaction ends.
    static func lockExclusive(in transaction: PostgresTransaction) async throws {
        try await transaction.query("select pg_advisory_xact_lock(\(lock))")
    }
}
