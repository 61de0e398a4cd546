import ClubProtocol
import Postgres
import ServiceKit

/// Mails that wait in a table to be handed over: the deliveries of an edition, or the letters.
///
/// A mail is claimed for a while and stays `pending`; it becomes `sending` just before its text goes out and ends as soon
/// as the mail server has answered. What is still `sending` when its sender is gone may have been taken.
struct MailQueue: Sendable {
    /// `delivery` or `letter`; both have the columns that this file names.
    let table: SQL
    /// Which of the table's rows are in this queue.
    let scope: SQL
    /// The suppressions that keep these mails back.
    let suppressing: SQL

    /// Claims what is due, for `seconds` seconds.
    ///
    /// - Parameter columns: what a `Mail` is read from.
    func claim<Mail: Decodable>(
        _: Mail.Type, _ columns: SQL, by sender: Identifier<MailSender>, seconds: Int, limit: Int,
        on database: PostgresClient
    ) async throws -> [Mail] {
        try await database.write(
            """
            with due as (
                select id as due_id from \(table)
                where \(scope) and state = 'pending' and next_try_at <= now()
                    and (claimed_until is null or claimed_until < now())
                order by next_try_at, id
                limit \(limit)
                for update skip locked
            )
            update \(table) set claim = \(sender), claimed_until = now() + make_interval(secs => \(seconds)),
                updated_at = now()
            from due where id = due_id
            returning \(columns)
            """
        ).decode(Mail.self)
    }

    /// Says that the text goes out now; false when the mail is not this sender's any more or was suppressed since.
    func begin(
        _ mail: MailMessage.ID, by sender: Identifier<MailSender>, seconds: Int, on database: PostgresClient
    ) async throws -> Bool {
        try await database.query(
            """
            update \(table) as mail set
                state = case when exists (
                        select from suppression where suppression.email = lower(mail.email) and \(suppressing))
                    then 'suppressed' else 'sending' end,
                attempts = attempts + 1, claimed_until = now() + make_interval(secs => \(seconds)), updated_at = now()
            where id = \(mail) and claim = \(sender) and state = 'pending'
            returning state = 'sending' as begun
            """
        ).first.map { try $0["begun"] } ?? false
    }

    /// Writes down how it ended; `retryAfter` seconds with `pending` tries again.
    func end(
        _ mail: MailMessage.ID, by sender: Identifier<MailSender>, as state: MailState, reply: String?,
        retryAfter: Int = 0, on database: PostgresClient
    ) async throws {
        try await database.execute(
            """
            update \(table) set state = \(state), reply = \(reply), claim = null, claimed_until = null,
                next_try_at = now() + make_interval(secs => \(retryAfter)), updated_at = now()
            where id = \(mail) and claim = \(sender) and state = 'sending'
            """)
    }

    /// Gives back what was claimed and not begun.
    func release(
        _ mails: [MailMessage.ID], by sender: Identifier<MailSender>, retryAfter: Int, on database: PostgresClient
    ) async throws {
        try await database.execute(
            """
            update \(table) set claim = null, claimed_until = null,
                next_try_at = now() + make_interval(secs => \(retryAfter)), updated_at = now()
            where id = any(\(mails)) and claim = \(sender) and state = 'pending'
            """)
    }

    /// Deals with what lost senders had in hand: tried again where a second try changes nothing, else uncertain. One
    /// that was only paused finds its claims gone and changes nothing.
    ///
    /// - Parameters:
    ///   - again: whether handing over the same message twice leaves one.
    ///   - orphaned: the claims whose senders are known to be gone.
    func settleLost(_ orphaned: SQL, again: Bool, on database: PostgresClient) async throws -> Int {
        try await database.execute(
            """
            update \(table) set claim = null, claimed_until = null, updated_at = now(),
                state = case when state = 'pending' or \(again) then 'pending' else 'uncertain' end,
                reply = case when state = 'pending' or \(again) then reply
                             else 'the sender was lost while the message went out' end
            where \(scope) and state in ('pending', 'sending') and claim is not null and \(orphaned)
            """)
    }

    /// How many have not ended, and in how many seconds the next one is due.
    func left(on executor: some PostgresExecutor) async throws -> (open: Int, wait: Int) {
        let row = try await executor.query(
            """
            select count(*)::integer as open,
                coalesce(greatest(0, ceil(extract(epoch from
                    min(greatest(next_try_at, coalesce(claimed_until, next_try_at))) - now()))), 0)::integer as wait
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
