import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of the copy of the directory's people.
enum MemberStore {
    /// Keeps the directory's response about people who were not in the copy yet. A row that exists by now came from the
    /// feed, and only the feed changes rows: versions do not show which state is later, because an undone merge brings
    /// an old version back.
    static func keep(_ members: [Member], on executor: some PostgresExecutor) async throws {
        try await write(members, "do nothing", on: executor)
    }

    /// Applies the changes of the feed, in order.
    static func follow(_ members: [Member], on executor: some PostgresExecutor) async throws {
        try await write(
            members,
            """
            do update set name = excluded.name, email = excluded.email, organization = excluded.organization,
                version = excluded.version, gone = excluded.gone
            where not member.erased
            """, on: executor)
    }

    private static func write(
        _ members: [Member], _ resolution: SQL, on executor: some PostgresExecutor
    ) async throws {
        guard !members.isEmpty else { return }
        let json = JSONText(String(decoding: try WireJSON.encode(members), as: UTF8.self))
        try await executor.execute(
            """
            insert into member (id, name, email, organization, version, gone)
            select id, name, email, organization, version, gone
            from jsonb_to_recordset(\(json)) as news (
                id uuid, name text, email text, organization uuid, version integer, gone boolean)
            order by id
            on conflict (id) \(resolution)
            """)
    }

    /// Deletes what people who are gone wrote about themselves.
    static func forget(_ people: [Person.ID], in transaction: PostgresTransaction) async throws {
        guard !people.isEmpty else { return }
        try await transaction.execute(
            """
            update registration set note = null, version = version + 1, updated_at = now()
            where person = any(\(people)) and note is not null
            """)
    }

    static func get(_ id: Person.ID, on executor: some PostgresExecutor) async throws -> Member? {
        try await executor.query(
            "select id, name, email, organization, version, gone from member where id = \(id)"
        ).first?.decode(Member.self)
    }
}
