import ClubProtocol
import Postgres
import ServiceKit

/// Whose an e-mail address is, and which addresses a record has. The database's `address_held` tells it for every
/// address of every record; no one else reads the columns of a record for that.
enum AddressStore {
    /// The records of a kind that have an address, as a `select` of their identifiers.
    static func holders(_ kind: RecordKind, of email: EmailAddress) -> SQL {
        "select record from address_held where kind = \(kind.literal) and email = lower(\(email.text))"
    }

    /// Whether another person than this one has one of these addresses.
    static func isTaken(
        _ emails: [EmailAddress], besides person: Person.ID, on executor: any PostgresExecutor
    ) async throws -> Bool {
        let other = try await executor.first(
            """
            select from address_held
            where kind = 'person' and record <> \(person) and email = any(\(emails.map(\.text.asciiLowercased)))
            """)
        return other != nil
    }

    /// The addresses at which a link to a record's business is valid, in lower case: its own, and for an organization
    /// those of its titular representative today. All that ``Recipient`` may have written to are among them.
    ///
    /// - Parameter record: an expression for its identifier.
    static func addresses(
        _ kind: RecordKind, _ record: SQL, on executor: any PostgresExecutor
    ) async throws -> [EmailAddress] {
        var addresses: [SQL] = ["select email from address_held where record = \(record)"]
        if kind == .organization {
            addresses.append(
                """
                select held.email from mandate join address_held as held on held.record = mandate.person
                where mandate.organization = \(record) and mandate.kind = 'titular'
                    and mandate.during @> directory.today()
                """)
        }
        return try await executor.query(addresses.joined(separator: " union all ")).map { try $0["email"] }
    }

    static func addresses(of subject: DataSubject, on executor: any PostgresExecutor) async throws -> [EmailAddress] {
        try await addresses(subject.entity.kind, "\(subject.id)", on: executor)
    }

    /// Someone who has opened a record by a link mailed to one of its addresses, and acts by it, reads that mailbox:
    /// the address counts as if the staff had given it.
    static func confirm(
        _ address: EmailAddress, of subject: DataSubject, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            update address_held set counts_from = null
            where record = \(subject.id) and email = lower(\(address.text)) and counts_from is not null
            """)
    }
}
