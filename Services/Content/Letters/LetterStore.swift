import ClubProtocol
import Postgres
import ServiceKit

extension Letter.State: PostgresEncodable, PostgresDecodable {}
extension Letter.Purpose: PostgresEncodable, PostgresDecodable {}

/// The SQL of letters; ``OutgoingMailStore`` has the SQL of handing them over.
enum LetterStore {
    private static let columns: SQL = """
        letter.id, key, purpose, email, name, subject, state, attempt as attempts, reply,
        created_at as "createdAt", updated_at as "updatedAt"
        """
    private static let source: SQL = "letter join outgoing_mail using (id)"

    /// How long a letter is tried, in seconds.
    private static let patience = 72 * 3600

    /// Adds a letter; no row when one with this key exists, even uncommitted.
    static func add(
        _ body: SendLetter.Body, lane: String, in transaction: PostgresTransaction
    ) async throws -> Letter.ID? {
        try await transaction.query(
            """
            with added as (
                insert into letter (
                    id, key, purpose, email, name, reader_entity, reader, subject, paragraphs, action_label, action_url)
                values (\(Letter.ID()), \(body.key), \(body.purpose), \(body.email), \(body.name),
                    \(body.reader?.entity.rawValue), \(body.reader?.id), \(body.subject),
                    \(body.paragraphs.map(\.text)), \(body.action?.label), \(body.action?.url))
                on conflict (key) do nothing
                returning id
            )
            insert into outgoing_mail (id, lane, priority, state, deadline)
            select id, \(lane), \(body.purpose.priority), 'pending', now() + make_interval(secs => \(patience)) from added
            returning id
            """
        ).first?["id"]
    }

    static func get(key: Line, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from \(source) where key = \(key)")
    }

    static func get(_ id: Letter.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from \(source) where id = \(id)")
    }

    static func list(
        _ query: ListLetters.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let state = query.state { rules.append("issue is null and state = \(state)") }
        if let purpose = query.purpose { rules.append("purpose = \(purpose)") }
        if let email = query.email { rules.append("lower(email) = lower(\(email.text))") }
        if let key = page.after?.first { rules.append("id < \(key)::uuid") }
        return try await executor.query(
            """
            select \(columns) from \(source) where \(rules.all)
            order by id desc limit \(page.limit + 1)
            """)
    }
}

extension Letter.Purpose {
    /// The order in which letters go out: what its reader waits for comes first.
    var priority: Int {
        switch self {
        case .confirmation, .selfService, .receipt: 0
        case .contribution, .notice: 1
        }
    }
}
