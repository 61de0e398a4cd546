import ClubProtocol
import Postgres

/// A position in the change feed: the transaction of a change, and its number.
///
/// The server numbers transactions. When a schema moves to another server by dump and restore, that server's counter
/// must be ahead (`pg_resetwal --next-transaction-id --epoch`), or new changes would sort before the old ones.
struct FeedPosition: Hashable, Sendable {
    let transaction: UInt64
    let id: Int64

    /// `xid.id`
    var cursor: Cursor {
        get throws { try Cursor(validating: "\(transaction).\(id)") }
    }

    static let beginning = FeedPosition(transaction: 0, id: 0)

    init(transaction: UInt64, id: Int64) {
        self.transaction = transaction
        self.id = id
    }

    /// - Throws: `Problem(.malformed)` for a cursor that no feed produced.
    init(_ cursor: Cursor) throws {
        let parts = cursor.text.split(atByte: UInt8(ascii: "."))
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let transaction = UInt64(parts[0]), let id = Int64(parts[1])
        else { throw Problem(.malformed, "after is not a valid cursor of this feed") }
        self.transaction = transaction
        self.id = id
    }

    /// The rows after this position, up to the oldest transaction that is still running, as `Change` has them.
    func rows(limit: Int) -> SQL {
        """
        select concat(xid, '.', id) as cursor, entity, subject as id, action, version, at from change
        where (xid, change.id) > (\(String(transaction))::xid8, \(id)) and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by change.xid, change.id limit \(limit)
        """
    }
}
