import ClubProtocol
import Postgres

/// People and experts who were erased, and the addresses of those who asked for it, as hashes.
enum ErasedReaders {
    private static let lock: SQL = "hashtextextended(current_schema() || ' erased_reader', 0)"

    /// Blocks erasures until the transaction ends; call it before writing addresses.
    static func lockShared(in transaction: PostgresTransaction) async throws {
        try await transaction.query("select pg_advisory_xact_lock_shared(\(lock))")
    }

    /// Whether an address was erased; that cannot change until the transaction ends.
    static func contains(_ email: EmailAddress, in transaction: PostgresTransaction) async throws -> Bool {
        try await lockShared(in: transaction)
        let row = try await transaction.first(
            "select exists (select from erased_address where hash = address_hash(\(email.text))) as erased")
        return try row?["erased"] ?? false
    }

    /// Which of these addresses were erased; that cannot change until the transaction ends.
    static func among(
        _ emails: [EmailAddress], in transaction: PostgresTransaction
    ) async throws -> Set<EmailAddress> {
        try await lockShared(in: transaction)
        return Set(
            try await transaction.query(
                """
                select email from unnest(\(emails)::text[]) as email
                where exists (select from erased_address where hash = address_hash(email))
                """
            ).map { try $0["email"] })
    }

    /// Which of these readers were erased; that cannot change until the transaction ends.
    static func among(
        _ readers: [DataSubject.ID], in transaction: PostgresTransaction
    ) async throws -> Set<DataSubject.ID> {
        try await lockShared(in: transaction)
        return Set(
            try await transaction.query("select id from erased_reader where id = any(\(readers))").map { try $0["id"] })
    }

    /// Bars these readers from mail for ever, and these addresses until someone consents again.
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

    /// Waits for transactions that write addresses, and blocks new ones until this transaction ends.
    static func lockExclusive(in transaction: PostgresTransaction) async throws {
        try await transaction.query("select pg_advisory_xact_lock(\(lock))")
    }
}
