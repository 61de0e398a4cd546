import ClubProtocol
import Postgres
import ServiceKit

extension Letter.State: PostgresEncodable, PostgresDecodable {}
extension Letter.Purpose: PostgresEncodable, PostgresDecodable {}

/// The SQL of letters; ``MailQueue`` has the SQL of handing them over.
enum LetterStore {
    private static let columns: SQL = """
        id, key, purpose, email, name, subject, state, attempt as attempts, reply,
        created_at as "createdAt", updated_at as "updatedAt"
        """

    /// A letter that a sender has claimed.
    struct Claimed: ClaimedMail {
        var id: MailMessage.ID
        var email: EmailAddress
        var name: String?
        var subject: String
        var paragraphs: [String]
        var actionLabel: String?
        var actionURL: String?
        var attempt: Int
    }

    static let claimed: SQL = """
        id, email, name, subject, paragraphs, action_label as "actionLabel", action_url as "actionURL", attempt
        """

    /// All letters. Unsubscribing from the Flash info does not stop letters about the reader's own affairs.
    static let queue = MailQueue(table: "letter", scope: "true", suppressing: "suppression.reason <> 'unsubscribed'")

    /// Adds a letter; no row when one with this key exists, even uncommitted.
    static func add(_ body: SendLetter.Body, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query(
            """
            insert into letter (
                id, key, purpose, email, name, reader_entity, reader, subject, paragraphs, action_label, action_url)
            values (\(Letter.ID()), \(body.key), \(body.purpose), \(body.email), \(body.name),
                \(body.reader?.entity.rawValue), \(body.reader?.id), \(body.subject), \(body.paragraphs.map(\.text)),
                \(body.action?.label), \(body.action?.url))
            on conflict (key) do nothing
            returning \(columns)
            """)
    }

    static func get(key: Line, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from letter where key = \(key)")
    }

    static func get(_ id: Letter.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from letter where id = \(id)")
    }

    static func list(
        _ query: ListLetters.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let state = query.state { rules.append("state = \(state)") }
        if let purpose = query.purpose { rules.append("purpose = \(purpose)") }
        if let email = query.email { rules.append("lower(email) = lower(\(email.text))") }
        if let key = page.after?.first { rules.append("id < \(key)::uuid") }
        return try await executor.query(
            """
            select \(columns) from letter where \(rules.all)
            order by id desc limit \(page.limit + 1)
            """)
    }
}
