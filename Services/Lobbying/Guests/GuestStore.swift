import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of the copy of the directory's people.
enum GuestStore {
    /// Keeps what is newer than what is there. Who is gone stays gone.
    static func keep(_ guests: [Guest], on executor: some PostgresExecutor) async throws {
        guard !guests.isEmpty else { return }
        let json = JSONText(String(decoding: try WireJSON.encode(guests), as: UTF8.self))
        try await executor.execute(
            """
            insert into guest (id, name, version, gone)
            select id, name, version, gone
            from jsonb_to_recordset(\(json)) as news (id uuid, name text, version integer, gone boolean)
            order by id
            on conflict (id) do update
            set name = excluded.name, version = excluded.version, gone = excluded.gone
            where not guest.gone and (excluded.gone or excluded.version > guest.version)
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
