import ClubProtocol
import Postgres

/// Who is written to, and where. The rule is the database's `directory.mailbox`, which nothing bypasses: a person or an
/// expert at their own address, for a person the first; an organization at its mailbox for the letter's subject,
/// otherwise its own address, otherwise that of its current titular representative.
struct Recipient: Decodable, Sendable {
    var email: EmailAddress
    /// The name in the salutation.
    var name: Line
    /// The data subject of the letter; nil for an organization's own address.
    var subject: DataSubject?

    /// As a column of a `select`, after ``join(_:_:role:)``.
    static let column: SQL = """
        jsonb_strip_nulls(jsonb_build_object(
            'email', mailbox.email, 'name', mailbox.name, 'subject', case when mailbox.reader is not null
                then jsonb_build_object('entity', mailbox.reader_entity, 'id', mailbox.reader) end)) as recipient
        """

    /// An inner join: drops records that have no address to write to.
    ///
    /// - Parameters:
    ///   - entity: `'person'`, `'expert'` or `'organization'`, as an SQL literal.
    ///   - record: its identifier, from the tables before it in the `from`.
    ///   - role: which mailbox of an organization it is for.
    static func join(_ entity: SQL, _ record: SQL, role: Mailbox.Role? = nil) -> SQL {
        "cross join lateral directory.mailbox(\(entity), \(record), \(role?.rawValue)::text) as mailbox"
    }

    /// Whether there is an address to write to, as a condition.
    static func exists(_ entity: SQL, _ record: SQL, role: Mailbox.Role? = nil) -> SQL {
        "exists (select from directory.mailbox(\(entity), \(record), \(role?.rawValue)::text))"
    }

    /// Nil if no address is known.
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
