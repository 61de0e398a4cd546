package import ClubProtocol
package import Postgres

/// The hash chain of the audit trail: each sealed row has a number and a hash that covers the row before it.
///
/// Rows are written unsealed by the transactions that they describe (``Journal``), and ``AuditSealer`` chains them
/// after the commit. The database allows the service's role nothing more; tampering by the owner of the tables is
/// detected here.
package struct AuditTrail: Sendable {
    /// The end of the chain. Kept elsewhere, it proves later that nothing before it was rewritten.
    package struct Head: Codable, Hashable, Sendable {
        package var seq: Int64
        /// SHA-256, in hexadecimal digits.
        package var hash: String

        package init(seq: Int64, hash: String) {
            self.seq = seq
            self.hash = hash
        }
    }

    /// The result of verifying the whole chain.
    package enum Verdict: Hashable, Sendable {
        case intact(Head)
        case broken(at: Int64, Fault)
    }

    package typealias Fault = AuditVerification.Fault

    package let database: PostgresClient
    private static let piece = 5_000

    package init(database: PostgresClient) {
        self.database = database
    }

    package func head() async throws -> Head {
        guard let row = try await database.first("select seq, encode(hash, 'hex') as hash from audit_head") else {
            throw PostgresError(.decoding, table: "audit_head", message: "the head of the audit trail is missing")
        }
        return Head(seq: try row["seq"], hash: try row["hash"])
    }

    /// Chains committed entries in commit order, up to the oldest transaction that is still running.
    ///
    /// One at a time across all replicas; concurrent calls seal nothing. An interrupted seal leaves nothing behind.
    ///
    /// - Returns: how many rows this call sealed.
    @discardableResult func seal(limit: Int = 5_000) async throws -> Int {
        try await database.write("select audit_seal(\(limit)::integer) as sealed").first?["sealed"] ?? 0
    }

    /// The time of the oldest entry that could be sealed and is not.
    func unsealedSince() async throws -> Timestamp? {
        try await database.first("select at from audit where \(Self.unsealed) order by xid, id limit 1")?["at"]
    }

    /// How many entries have waited more than a minute for their seal, counted up to a thousand.
    func countOverdue() async throws -> Int {
        try await database.first(
            """
            select count(*) from (
                select from audit where \(Self.unsealed) and at < now() - interval '1 minute' limit 1000) as overdue
            """)?["count"] ?? 0
    }

    private static let unsealed: SQL = "seq is null and xid < pg_snapshot_xmin(pg_current_snapshot())"

    /// Walks the chain from its beginning, and checks that its guards are still in place.
    ///
    /// - Parameter noted: a head that was recorded earlier: only this detects that the chain was rewritten together
    ///   with its head. The head of an entry that retention has since deleted proves nothing, and counts as cut off.
    /// - Returns: the verified head, or the first number at which the chain is broken.
    func verify(noted: Head? = nil) async throws -> Verdict {
        // The head first: entries sealed during the walk are beyond it.
        let head = try await head()
        var last = try await base()
        if let noted, noted.seq < last.seq { return .broken(at: noted.seq + 1, .cutOff) }
        if let noted, noted.seq == last.seq, noted.hash != last.hash { return .broken(at: noted.seq, .rewritten) }
        guard try await isMarked(last) else { return .broken(at: last.seq, .cutOff) }
        while last.seq < head.seq {
            let rows = try await database.query(
                """
                select seq, encode(hash, 'hex') as hash, encode(previous, 'hex') as previous,
                    hash = sha256(previous || \(Self.canonical)) as whole
                from audit where seq > \(last.seq) and seq <= \(head.seq) order by seq limit \(Self.piece)
                """)
            guard !rows.isEmpty else { return .broken(at: last.seq + 1, .cutOff) }
            for row in rows {
                let seq: Int64 = try row["seq"]
                guard seq == last.seq + 1 else { return .broken(at: last.seq + 1, .removed) }
                guard try row["whole"] else { return .broken(at: seq, .changed) }
                guard try row["previous"] == last.hash else { return .broken(at: seq, .misplaced) }
                last = Head(seq: seq, hash: try row["hash"])
                if let noted, noted.seq == seq, noted.hash != last.hash { return .broken(at: seq, .rewritten) }
            }
        }
        guard last.hash == head.hash else { return .broken(at: last.seq, .changed) }
        if let noted, noted.seq > last.seq { return .broken(at: last.seq + 1, .cutOff) }
        let added: Int64? = try await database.first(
            """
            select min(seq) as seq from audit where seq > (select seq from audit_head)
            """
        )?.optional("seq")
        if let added { return .broken(at: added, .added) }
        guard try await isGuarded() else { return .broken(at: head.seq, .unguarded) }
        return .intact(head)
    }

    /// Deletes the keys of records whose values must no longer be provable: their commitments stay in the chain and
    /// reveal nothing. Recording a record as `erased` does this too.
    package static func forget(
        _ entity: EntityName, _ ids: [some TextValue], in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            "delete from audit_key where entity = \(entity) and subject = any(\(ids.map(\.text)))")
    }
}
