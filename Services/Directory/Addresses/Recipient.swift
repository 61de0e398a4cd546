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
    ///   - record: its identifier, from the tables before it in the `from`.
    ///   - role: which mailbox of an organization it is for.
    static func join(_ kind: RecordKind, _ record: SQL, role: Mailbox.Role? = nil) -> SQL {
        join(kind: kind.literal, record, role: role)
    }

    /// The same for rows that refer to records of several kinds.
    ///
    /// - Parameter kind: an expression whose values are those of `RecordKind`.
    static func join(kind: SQL, _ record: SQL, role: Mailbox.Role? = nil) -> SQL {
        "cross join lateral directory.mailbox(\(kind), \(record), \(role?.rawValue)::text) as mailbox"
    }

    /// Whether there is an address to write to, as a condition.
    static func exists(_ kind: RecordKind, _ record: SQL, role: Mailbox.Role? = nil) -> SQL {
        "exists (select from directory.mailbox(\(kind.literal), \(record), \(role?.rawValue)::text))"
    }

    /// The recipient of a query that selects ``column``; nil if it has no row.
    static func first(_ query: SQL, on executor: any PostgresExecutor) async throws -> Recipient? {
        struct Found: Decodable {
            var recipient: Recipient
        }
        return try await executor.first(query)?.decode(Found.self).recipient
    }

    /// Nil if no address is known.
    static func find(_ subject: DataSubject, on executor: any PostgresExecutor) async throws -> Recipient? {
        try await first(
            "select \(column) from directory.mailbox(\(subject.entity.rawValue)::text, \(subject.id)) as mailbox",
            on: executor)
    }

    /// The same at an address that it has given up; nil if the record is not found.
    static func find(
        _ subject: DataSubject, formerlyAt email: EmailAddress, on executor: any PostgresExecutor
    ) async throws -> Recipient? {
        try await first(
            """
            select \(column)
            from (
                select \(email.text)::text as email, directory.salutation(former) as name,
                    \(subject.entity.rawValue)::text as reader_entity, former.id as reader
                from \(subject.table) as former where former.id = \(subject.id)) as mailbox
            """, on: executor)
    }
}
