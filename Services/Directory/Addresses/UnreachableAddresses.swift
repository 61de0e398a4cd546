import ClubProtocol
import Postgres
import ServiceKit

/// Follows the content service: addresses that it stopped writing to because mail came back, and the records that have
/// one. The database looks up an address that is written (`m0029_unreachable.sql`); this tells the records that had it
/// before.
enum UnreachableAddresses {
    static func mount(on builder: inout ServiceBuilder, _ backend: Backend) {
        // With a cursor of its own, which begins with what came back before there was this follower.
        builder.follow(.content, name: "unreachable", apply)
        builder.schedule("unreachable-review", .daily(at: "04:10")) { _ in
            try await backend.database.transaction(review)
        }
    }

    /// Applies a batch of the content service's changes. Idempotent: a suppression that is known stays as it is.
    @Sendable static func apply(_ changes: [Change], _ transaction: PostgresTransaction) async throws {
        var bounced: [(change: Change, email: EmailAddress)] = []
        var others: [String] = []
        for change in changes where change.entity == .suppression {
            let notice = try change.data?.decoded(as: SuppressionNotice.self)
            if let notice, notice.reason == .bounced {
                bounced.append((change, notice.email))
            } else {
                others.append(change.id)
            }
        }
        let gone: [String] = try await transaction.query(
            "delete from unreachable_address where suppression = any(\(others)::uuid[]) returning email"
        ).map { try $0["email"] }
        let added: [String] = try await transaction.query(
            """
            insert into unreachable_address (suppression, email, since)
            select id, lower(email), since
            from unnest(
                \(bounced.map(\.change.id))::uuid[], \(bounced.map(\.email))::text[],
                \(bounced.map(\.change.at))::timestamptz[]) as notice (id, email, since)
            order by since
            on conflict do nothing
            returning email
            """
        ).map { try $0["email"] }
        try await tell(gone + added, in: transaction)
    }

    /// A record that was being written while its address came in does not know it: both were looked up before the other
    /// was committed. Once a day, whatever is not true is put right.
    @Sendable static func review(in transaction: PostgresTransaction) async throws {
        let known: [String] = try await transaction.query(
            """
            select email from unreachable_address
            union select lower(unreachable ->> 'email') from organization where unreachable is not null
            union select lower(unreachable ->> 'email') from person where unreachable is not null
            union select lower(unreachable ->> 'email') from expert where unreachable is not null
            """
        ).map { try $0["email"] }
        try await tell(known, in: transaction)
    }

    /// Writes it into the records that have one of these addresses, in lower case, and do not show what is true.
    private static func tell(_ emails: [String], in transaction: PostgresTransaction) async throws {
        guard !emails.isEmpty else { return }
        for kind in RecordKind.allCases {
            let answer: SQL = "directory.unreachable(\(kind.letterAddresses))"
            let told = try await transaction.query(
                """
                update \(kind.table) set unreachable = \(answer), version = version + 1, updated_at = now()
                where id in (
                        select record from address_held where kind = \(kind.literal) and email = any(\(emails)))
                    and unreachable is distinct from \(answer)
                returning id, version
                """)
            try await transaction.record(
                Journal.Entry.each(.changed, EntityName(kind), told), by: .service(.content))
        }
    }
}

extension RecordKind {
    /// The addresses that letters to a record may go to, from the columns of its table.
    fileprivate var letterAddresses: SQL {
        switch self {
        case .organization: "array_prepend(email, directory.mailbox_emails(mailboxes))"
        case .person, .expert: "array[email]"
        }
    }
}
