import Postgres

/// Removes obsolete changes from the feed: those older than 30 days that a later change of the same record follows. A
/// reader that starts at the beginning still sees every record, in its present state.
///
/// Two passes walk the feed in order, each from where it ended the day before. The first looks at changes that have
/// become old, and removes those that a later one follows. The second looks at new changes, and removes the old change
/// before each, if the first pass left one; there is at most one for each record. So each change is examined twice,
/// with one index lookup each time, however long the feed is.
struct FeedCompaction: Sendable {
    /// How many changes one statement examines.
    static let piece = 10_000

    let database: PostgresClient

    /// Runs both passes to their end.
    ///
    /// - Parameter betweenPieces: throws to stop early.
    func run(betweenPieces: () async throws -> Void = {}) async throws {
        // Old changes first: then the second pass meets few that a change of today follows and the first has not
        // examined yet.
        while try await removeOld() { try await betweenPieces() }
        while try await removeFollowed() { try await betweenPieces() }
    }

    /// Examines the next old changes, and removes those that a later one follows.
    ///
    /// - Returns: whether there may be more.
    private func removeOld() async throws -> Bool {
        try await database.transaction { transaction in
            let (start, _) = try await places(in: transaction)
            // The first recent change ends the pass, even if one behind it is old by its own timestamp: it is examined
            // another day.
            return try await advance(
                """
                with next as materialized (
                    select xid, id, entity, subject, at from change
                    where (xid, id) > (\(start.xid)::text::xid8, \(start.id))
                        and xid < pg_snapshot_xmin(pg_current_snapshot())
                    order by xid, id limit \(Self.piece)
                ), piece as materialized (
                    select * from (
                        select *, bool_and(at < now() - interval '30 days') over (order by xid, id) as is_old from next
                    ) as each where is_old
                ), gone as (
                    delete from change using piece
                    where (change.xid, change.id) = (piece.xid, piece.id) and exists (
                        select from change as later
                        where (later.entity, later.subject) = (piece.entity, piece.subject)
                            and (later.xid, later.id) > (piece.xid, piece.id))
                ), last as (
                    select xid, id from piece order by xid desc, id desc limit 1
                ), moved as (
                    update feed_compaction set old_xid = last.xid, old_id = last.id from last
                )
                select count(*) as count from piece
                """, in: transaction)
        }
    }

    /// Examines the next changes, and removes the old changes that they follow.
    ///
    /// - Returns: whether there may be more.
    private func removeFollowed() async throws -> Bool {
        try await database.transaction { transaction in
            let (old, start) = try await places(in: transaction)
            return try await advance(
                """
                with piece as materialized (
                    select xid, id, entity, subject from change
                    where (xid, id) > (\(start.xid)::text::xid8, \(start.id))
                        and xid < pg_snapshot_xmin(pg_current_snapshot())
                    order by xid, id limit \(Self.piece)
                ), newest as materialized (
                    select distinct on (entity, subject) * from piece order by entity, subject, xid desc, id desc
                ), gone as (
                    delete from change using newest
                    where (change.entity, change.subject) = (newest.entity, newest.subject)
                        and (change.xid, change.id) < (newest.xid, newest.id)
                        and (change.xid, change.id) <= (\(old.xid)::text::xid8, \(old.id))
                ), last as (
                    select xid, id from piece order by xid desc, id desc limit 1
                ), moved as (
                    update feed_compaction set new_xid = last.xid, new_id = last.id from last
                )
                select count(*) as count from piece
                """, in: transaction)
        }
    }

    private func advance(_ statement: SQL, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.first(statement.plannedByValue)?["count", as: Int.self] == Self.piece
    }

    /// The positions of the two passes, locked until the end of the transaction. In it each change is looked up by its
    /// index: while the feed is short, the planner would rather read the whole table.
    private func places(
        in transaction: PostgresTransaction
    ) async throws -> (old: (xid: String, id: Int), new: (xid: String, id: Int)) {
        let row = try await transaction.first(
            """
            select old_xid::text as old_xid, old_id, new_xid::text as new_xid, new_id,
                set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
                set_config('enable_mergejoin', 'off', true)
            from feed_compaction for update
            """)
        guard let row else { throw PostgresError(.decoding, message: "feed_compaction has no row") }
        return ((try row["old_xid"], try row["old_id"]), (try row["new_xid"], try row["new_id"]))
    }
}
