import ClubProtocol
import Postgres
import ServiceKit

/// Mails waiting in a table to be handed over: the deliveries of an edition, or the letters.
///
/// A mail is claimed under a lease and stays `pending`. It becomes `sending` just before its text is sent, and ends as
/// soon as the mail server has replied. If the sender is lost while a mail is `sending`, the server may have accepted
/// it.
///
/// As with jobs, `due_at` is when a sender may claim a mail: the scheduled time while it waits, the end of the lease
/// while a sender holds it.
struct MailQueue: Sendable {
    /// `delivery` or `letter`; both have the columns named in this file.
    let table: SQL
    /// Which rows of the table belong to this queue.
    let scope: SQL
    /// Which suppressions apply to these mails.
    let suppressing: SQL

    /// Claims mails that are due, under a lease of `seconds` seconds.
    ///
    /// - Parameters:
    ///   - columns: the columns that a `Mail` is decoded from.
    ///   - token: identifies the sender; each statement about a claimed mail names it.
    func claim<Mail: Decodable>(
        _: Mail.Type, _ columns: SQL, under token: Identifier<MailSender>, seconds: Int, limit: Int,
        on database: PostgresClient
    ) async throws -> [Mail] {
        try await database.write(
            """
            with due as (
                select id as due_id from \(table)
                where \(scope) and state = 'pending' and due_at <= now()
                order by due_at, id
                limit \(limit)
                for update skip locked
            )
            update \(table) set lease_token = \(token), due_at = now() + make_interval(secs => \(seconds)),
                updated_at = now()
            from due where id = due_id
            returning \(columns)
            """
        ).decode(Mail.self)
    }

    /// Marks the mail as `sending`; false when this sender has lost its lease or the address has been suppressed.
    func begin(
        _ mail: MailMessage.ID, under token: Identifier<MailSender>, seconds: Int, on database: PostgresClient
    ) async throws -> Bool {
        try await database.query(
            """
            update \(table) as mail set
                state = case when exists (
                        select from suppression where suppression.email = lower(mail.email) and \(suppressing))
                    then 'suppressed' else 'sending' end,
                attempt = attempt + 1, due_at = now() + make_interval(secs => \(seconds)), updated_at = now()
            where id = \(mail) and lease_token = \(token) and state = 'pending'
            returning state = 'sending' as begun
            """
        ).first.map { try $0["begun"] } ?? false
    }

    /// Records the outcome; `pending` with `retryAfter` seconds tries again.
    func end(
        _ mail: MailMessage.ID, under token: Identifier<MailSender>, as state: MailState, reply: String?,
        retryAfter: Int = 0, on database: PostgresClient
    ) async throws {
        try await database.execute(
            """
            update \(table) set state = \(state), reply = \(reply), lease_token = null,
                due_at = now() + make_interval(secs => \(retryAfter)), updated_at = now()
            where id = \(mail) and lease_token = \(token) and state = 'sending'
            """)
    }

    /// Releases mails that were claimed but not begun.
    func release(
        _ mails: [MailMessage.ID], under token: Identifier<MailSender>, retryAfter: Int, on database: PostgresClient
    ) async throws {
        try await database.execute(
            """
            update \(table) set lease_token = null,
                due_at = now() + make_interval(secs => \(retryAfter)), updated_at = now()
            where id = any(\(mails)) and lease_token = \(token) and state = 'pending'
            """)
    }

    /// Recovers the mails that lost senders had claimed: pending again if they were not begun or can be repeated
    /// harmlessly, otherwise uncertain. A sender that was only paused finds its leases gone and changes nothing.
    ///
    /// - Parameters:
    ///   - again: whether handing over the same message twice leaves one message.
    ///   - orphaned: selects the leases whose senders are known to be lost.
    func settleLost(_ orphaned: SQL, again: Bool, on database: PostgresClient) async throws -> Int {
        try await database.execute(
            """
            update \(table) set lease_token = null, due_at = least(due_at, now()), updated_at = now(),
                state = case when state = 'pending' or \(again) then 'pending' else 'uncertain' end,
                reply = case when state = 'pending' or \(again) then reply
                             else 'the sender was lost while the message went out' end
            where \(scope) and state in ('pending', 'sending') and lease_token is not null and \(orphaned)
            """)
    }

    /// How many mails have not ended, and the seconds until the next one is due.
    func left(on executor: any PostgresExecutor) async throws -> (open: Int, wait: Int) {
        let row = try await executor.query(
            """
            select count(*)::integer as open,
                coalesce(greatest(0, ceil(extract(epoch from min(due_at) - now()))), 0)::integer as wait
            from \(table) where \(scope) and state in ('pending', 'sending')
            """
        ).first
        return (try row?["open"] ?? 0, try row?["wait"] ?? 0)
    }
}

/// The state of a mail in the queue; deliveries and letters share these values.
enum MailState: String {
    case pending, sent, failed, uncertain
}

extension MailState: PostgresEncodable {}
