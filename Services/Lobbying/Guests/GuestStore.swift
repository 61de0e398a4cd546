import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of the copy of the directory's people.
enum GuestStore {
    /// Keeps the directory's response about people who were not in the copy yet. A row that exists by now came from the
    /// feed, and only the feed changes rows: versions do not show which state is later, because an undone merge brings
    /// an old version back.
    static func keep(_ guests: [Guest], on executor: some PostgresExecutor) async throws {
        try await write(guests, "do nothing", on: executor)
    }

    /// Applies the changes of the feed, in order.
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

    /// Which of these people are in the copy and not gone, and which are in it at all.
    static func known(_ ids: [Person.ID], on executor: some PostgresExecutor) async throws -> [Person.ID: Guest] {
        let guests = try await executor.query(
            "select id, name, version, gone from guest where id = any(\(ids))"
        ).decode(Guest.self)
        return Dictionary(uniqueKeysWithValues: guests.map { ($0.id, $0) })
    }
}
