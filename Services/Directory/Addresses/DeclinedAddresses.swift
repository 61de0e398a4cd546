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
    /// For a reader who agreed again at an address: what was declined there until then. What was declined later, as by an
    /// erasure, stays.
    static func remove(
        _ address: EmailAddress, _ purpose: Purpose, until time: Timestamp, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            delete from declined_address
            where hash = directory.address_hash(\(address.text)) and purpose = \(purpose.rawValue)
                and declined_at <= \(time)
            """)
    }
}
