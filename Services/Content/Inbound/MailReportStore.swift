import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of what is known of a mail beside its state.
enum MailReportStore {
    /// Notes a bounce, once for each mail; what was soft may turn out hard.
    static func addBounce(
        of mail: MailMessage.ID, isHard: Bool, class replyClass: ReplyClass?, status: String?, diagnostic: String?,
        from message: InboundMessage.ID, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            insert into mail_report as kept (
                mail, kind, is_hard, class, status, diagnostic, was_accepted, inbound_message)
            select id, 'bounce', \(isHard), \(replyClass), \(status), left(\(diagnostic), 2000),
                state in ('sent', 'uncertain'), \(message)
            from outgoing_mail where id = \(mail) for key share
            on conflict on constraint mail_report_once do update
                set is_hard = true, class = excluded.class, status = excluded.status, diagnostic = excluded.diagnostic,
                    inbound_message = excluded.inbound_message, reported_at = now(), applied_at = null
                where excluded.is_hard and not kept.is_hard
            """)
    }

    static func addComplaint(
        of mail: MailMessage.ID, from message: InboundMessage.ID, in transaction: PostgresTransaction
    ) async throws {
        try await add("complaint", of: mail, from: message, isApplied: false, in: transaction)
    }

    /// - Parameter message: nil if they left by a link.
    static func addDeparture(
        of mail: MailMessage.ID, from message: InboundMessage.ID?, in transaction: PostgresTransaction
    ) async throws {
        try await add("departure", of: mail, from: message, isApplied: true, in: transaction)
    }

    private static func add(
        _ kind: String, of mail: MailMessage.ID, from message: InboundMessage.ID?, isApplied: Bool,
        in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            insert into mail_report (mail, kind, was_accepted, inbound_message, applied_at)
            select id, \(kind), state in ('sent', 'uncertain'), \(message), case when \(isApplied) then now() end
            from outgoing_mail where id = \(mail) for key share
            on conflict on constraint mail_report_once do nothing
            """)
    }

    // MARK: What follows

    /// A report from which something follows.
    struct Due: Decodable, Sendable {
        enum Kind: String, Decodable, Sendable {
            case bounce, complaint, departure
        }

        var id: Identifier<Due>
        var mail: MailMessage.ID
        var kind: Kind
        var isHard: Bool?
        var isLetter: Bool
        /// In lower case.
        var email: EmailAddress
        /// Whether the address took a mail after this one.
        var tookLater: Bool
    }

    /// Claims reports from which nothing has followed yet, the oldest first.
    static func claim(atMost limit: Int, in transaction: PostgresTransaction) async throws -> [Due] {
        try await transaction.query(
            """
            with due as (
                select id, mail, kind, is_hard from mail_report where applied_at is null
                order by reported_at limit \(limit) for update skip locked
            ), named as (
                select due.*, mail.issue is null as is_letter, mail.updated_at,
                    lower(coalesce(delivery.email, letter.email)) as email
                from due join outgoing_mail mail on mail.id = due.mail
                    left join delivery on delivery.id = due.mail left join letter on letter.id = due.mail
            ), applied as (
                update mail_report set applied_at = now() from due where mail_report.id = due.id
            )
            select id, mail, kind, is_hard as "isHard", is_letter as "isLetter", email,
                exists (
                    select from (
                        select id from delivery where lower(delivery.email) = named.email
                        union all
                        select id from letter where lower(letter.email) = named.email
                    ) as other join outgoing_mail taken using (id)
                    where taken.state = 'sent' and taken.updated_at > named.updated_at and not exists (
                        select from mail_report where mail_report.mail = taken.id and mail_report.kind = 'bounce')
                ) as "tookLater"
            from named
            """
        ).decode(Due.self)
    }

    /// The deliveries of an address since it last took one, the latest first: when each came back for a reason that may
    /// pass.
    static func softBounces(
        of email: EmailAddress, atMost limit: Int, in transaction: PostgresTransaction
    ) async throws -> [Timestamp] {
        let rows = try await transaction.query(
            """
            select report.reported_at, report.id is not null as came_back
            from delivery join outgoing_mail mail using (id) join issue on issue.id = delivery.issue
                left join mail_report report on report.mail = delivery.id and report.kind = 'bounce'
            where lower(delivery.email) = \(email.text.asciiLowercased) and (mail.state = 'sent' or report.id is not null)
            order by issue.number desc limit \(limit)
            """)
        var bounces: [Timestamp] = []
        for row in rows {
            guard try row["came_back"] else { break }
            bounces.append(try row["reported_at"])
        }
        return bounces
    }
}
