import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of the copy of the directory's people.
enum MemberStore {
    /// Keeps what the directory answered about somebody who was not there yet. Whoever is there by now came by the feed, which
    /// alone changes what is there: versions do not tell what is later, for an undone merge brings an old one back.
    static func keep(_ members: [Member], on executor: some PostgresExecutor) async throws {
        try await write(members, "do nothing", on: executor)
    }

    /// Keeps what the feed says, change by change in its order.
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

    /// Takes away what people wrote about themselves who are gone.
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
