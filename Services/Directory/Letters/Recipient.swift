import ClubProtocol
import Postgres

/// Who is written to where. The rule is the database's `directory.mailbox`, which nothing goes around: of a person or an expert its own
/// address, the first of a person's; of an organization its mailbox for what the letter is about, else its own address, else that of
/// its titular representative today.
struct Recipient: Decodable, Sendable {
    var email: EmailAddress
    /// Whom the letter greets.
    var name: Line
    /// Whose data the letter is; nil at an organization's own address.
    var subject: DataSubject?

    /// As a column of a `select`, after ``join(_:_:role:)``.
    static let column: SQL = """
        jsonb_strip_nulls(jsonb_build_object(
            'email', mailbox.email, 'name', mailbox.name, 'subject', case when mailbox.reader is not null
                then jsonb_build_object('entity', mailbox.reader_entity, 'id', mailbox.reader) end)) as recipient
        """

    /// Leaves out what nobody can be written to about.
    ///
    /// - Parameters:
    ///   - entity: `'person'`, `'expert'` or `'organization'`, as a text of SQL.
    ///   - record: its identifier, of the tables before it in the `from`.
    ///   - role: which mailbox of an organization it is for.
    static func join(_ entity: SQL, _ record: SQL, role: Mailbox.Role? = nil) -> SQL {
        "cross join lateral directory.mailbox(\(entity), \(record), \(role?.rawValue)::text) as mailbox"
    }

    /// Whether somebody can be written to, as a condition.
    static func exists(_ entity: SQL, _ record: SQL, role: Mailbox.Role? = nil) -> SQL {
        "exists (select from directory.mailbox(\(entity), \(record), \(role?.rawValue)::text))"
    }

    /// Nil where nobody knows an address.
    static func find(_ subject: DataSubject, on executor: any PostgresExecutor) async throws -> Recipient? {
        struct Found: Decodable {
            var recipient: Recipient
        }
        return try await executor.first(
            """
            select \(column) from directory.mailbox(\(subject.entity.rawValue)::text, \(subject.id)) as mailbox
            """)?.decode(Found.self).recipient
    }
}
