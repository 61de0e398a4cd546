import ClubProtocol
import Postgres

/// Hashes of addresses at which something was declined: by people who left the Flash info or the invitations through the
/// link in a mail, and people who asked to be erased. Importing an old table does not make them agree again.
enum DeclinedAddresses {
    /// - Parameter purposes: what was declined.
    static func add(
        _ addresses: [String], _ purposes: [Purpose], at time: Timestamp? = nil, in transaction: PostgresTransaction
    ) async throws {
        guard !addresses.isEmpty else { return }
        try await transaction.execute(
            """
            insert into declined_address (hash, purpose, declined_at)
            select distinct directory.address_hash(address), purpose, coalesce(\(time)::timestamptz, now())
            from unnest(\(addresses)) as address cross join unnest(\(purposes.map(\.rawValue))) as purpose
            on conflict (hash, purpose) do update
            set declined_at = greatest(declined_address.declined_at, excluded.declined_at)
            """)
    }
}
