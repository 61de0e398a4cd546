import ClubProtocol
import Postgres
import ServiceKit

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

    static func get(key: Line, on executor: some PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from letter where key = \(key)")
    }

    static func get(_ id: Letter.ID, on executor: some PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from letter where id = \(id)")
    }

    static func list(
        _ query: ListLetters.Query, _ page: PageRequest, on executor: some PostgresExecutor
    ) async throws -> Rows {
        let state: SQL = if let state = query.state { "and state = \(state)" } else { "" }
        let purpose: SQL = if let purpose = query.purpose { "and purpose = \(purpose)" } else { "" }
        let email: SQL = if let email = query.email { "and lower(email) = lower(\(email.text))" } else { "" }
        let after: SQL = if let id = page.after?.first { "and id < \(id)::uuid" } else { "" }
        return try await executor.query(
            """
            select \(columns) from letter where true \(state) \(purpose) \(email) \(after)
            order by id desc limit \(page.limit + 1)
            """)
    }
}
