import Synchronization

/// A query read through a server-side cursor. Like a stream, it has one reader at a time.
final class Cursor: Sendable {
    private enum Phase { case fresh, open, ended }

    private let lease: Lease
    private let sql: SQL
    private let batch: Int
    /// The cursor needs a transaction; this one begins and ends its own.
    private let ownsTransaction: Bool
    private let name: String
    private let phase = Mutex(Phase.fresh)

    init(lease: Lease, sql: SQL, batch: Int, ownsTransaction: Bool) {
        self.lease = lease
        self.sql = sql
        self.batch = max(1, batch)
        self.ownsTransaction = ownsTransaction
        name = "cursor_\(lease.loop.nextIdentifier())"
    }

    func stream() -> AsyncThrowingStream<Rows, any Error> {
        AsyncThrowingStream { try await self.next() }
    }

    private func next() async throws -> Rows? {
        let current = phase.withLock { phase in
            defer { if phase == .fresh { phase = .open } }
            return phase
        }
        let fetch = SQL(control: "fetch forward \(batch) from \(name)")
        let rows: Rows?
        do {
            switch current {
            case .fresh:
                var statements = [SQL(control: "declare \(name) no scroll cursor for ") + sql, fetch]
                if ownsTransaction { statements.insert(SQL(control: "begin read only"), at: 0) }
                rows = try await lease.batch(statements, prepares: false, as: .reading).last
            case .open: rows = try await lease.query(fetch, prepares: false, as: .reading)
            case .ended: return nil
            }
        } catch {
            phase.withLock { $0 = .ended }
            if ownsTransaction { _ = try? await lease.query("rollback", prepares: false, as: .reading) }
            throw error
        }
        // A partial batch is the last one.
        if let rows, rows.count == batch { return rows }
        phase.withLock { $0 = .ended }
        let end = ownsTransaction ? SQL(control: "commit") : SQL(control: "close \(name)")
        _ = try await lease.query(end, prepares: false, as: .reading)
        guard let rows, !rows.isEmpty else { return nil }
        return rows
    }
}
