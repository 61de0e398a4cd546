import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of the copy of the directory's people.
enum GuestStore {
    /// Keeps what the directory answered about somebody who was not there yet. Whoever is there by now came by the feed, which
    /// alone changes what is there: versions do not tell what is later, for an undone merge brings an old one back.
    static func keep(_ guests: [Guest], on executor: some PostgresExecutor) async throws {
        try await write(guests, "do nothing", on: executor)
    }

    /// Keeps what the feed says, change by change in its order.
    static func follow(_ guests: [Guest], on executor: some PostgresExecutor) async throws {
        try await write(
            guests,
            """
            do update set name = excluded.name, version = excluded.version, gone = excluded.gone where not guest.erased
            """, on: executor)
    }

    private static func write(_ guests: [Guest], _ resolution: SQL, on executor: some PostgresExecutor) async throws {
        guard !guests.isEmpty else { return }
        let json = JSONText(String(decoding: try WireJSON.encode(guests), as: UTF8.self))
        try await executor.execute(
            """
            insert into guest (id, name, version, gone)
            select id, name, version, gone
            from jsonb_to_recordset(\(json)) as news (id uuid, name text, version integer, gone boolean)
            order by id
            on conflict (id) \(resolution)
            """)
    }

    /// Those of these people who are in the copy and not gone, and those who are in it at all.
    static func known(_ ids: [Person.ID], on executor: some PostgresExecutor) async throws -> [Person.ID: Guest] {
        let guests = try await executor.query(
            "select id, name, version, gone from guest where id = any(\(ids))"
        ).decode(Guest.self)
        return Dictionary(uniqueKeysWithValues: guests.map { ($0.id, $0) })
    }
}
