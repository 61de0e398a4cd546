import ClubProtocol
import Postgres
import ServiceKit

/// Mails that wait in a table to be handed over: the deliveries of an edition, or the letters.
///
/// A mail is claimed under a lease and stays `pending`; it becomes `sending` just before its text goes out and ends as soon
/// as the mail server has answered. What is still `sending` when its sender is gone may have been taken.
///
/// As with jobs, `due_at` is when a mail is to be taken: one that waits at its time, one that a sender holds when its lease ends.
struct MailQueue: Sendable {
    /// `delivery` or `letter`; both have the columns that this file names.
    let table: SQL
    /// Which of the table's rows are in this queue.
    let scope: SQL
    /// The suppressions that keep these mails back.
    let suppressing: SQL

    /// Claims what is due, under a lease of `seconds` seconds.
    ///
    /// - Parameters:
    ///   - columns: what a `Mail` is read from.
    ///   - token: of the sender; each statement about a claimed mail names it.
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

    /// Says that the text goes out now; false when the mail is not this sender's any more or was suppressed since.
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

    /// Writes down how it ended; `retryAfter` seconds with `pending` tries again.
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

    /// Gives back what was claimed and not begun.
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

    /// Deals with what lost senders had in hand: tried again where a second try changes nothing, else uncertain. One
    /// that was only paused finds its leases gone and changes nothing.
    ///
    /// - Parameters:
    ///   - again: whether handing over the same message twice leaves one.
    ///   - orphaned: the leases whose senders are known to be gone.
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

    /// How many have not ended, and in how many seconds the next one is due.
    func left(on executor: some PostgresExecutor) async throws -> (open: Int, wait: Int) {
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

/// How it stands with a mail that was handed over; the words that deliveries and letters share.
enum MailState: String {
    case pending, sent, failed, uncertain
}

extension MailState: PostgresEncodable {}
