import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of handing mails over. A mail that is held by a sender is due never, so that others need not skip it.
struct OutgoingMailStore: Sendable {
    let database: PostgresClient

    // MARK: Senders

    /// How long a sender counts as alive after its last sign.
    static let lifetime = 30

    /// Of which mails handing over the same message twice leaves one message.
    struct Repeatable: Sendable {
        var deliveries: Bool
        var letters: Bool
    }

    /// Makes a sender known, or tells that it is alive.
    ///
    /// - Returns: false if it counts as lost: then others have what it held.
    func renew(_ sender: MailDispatcher.ID, isNew: Bool) async throws -> Bool {
        try await database.write(
            isNew
                ? """
                insert into mail_sender (id, expires_at) values (\(sender), now() + make_interval(secs => \(Self.lifetime)))
                on conflict do nothing returning id
                """
                : """
                update mail_sender set expires_at = now() + make_interval(secs => \(Self.lifetime))
                where id = \(sender) and expires_at > now() returning id
                """
        ).isEmpty == false
    }

    /// Gives up everything that a sender holds, at its end.
    func retire(_ sender: MailDispatcher.ID, again: Repeatable) async throws {
        try await database.transaction { transaction in
            try await transaction.execute("delete from mail_sender where id = \(sender)")
            try await settle([sender], again: again, in: transaction)
        }
    }

    /// Frees what lost senders held: pending again if it was not begun or can be repeated harmlessly, otherwise
    /// uncertain. A sender that was only paused finds that it holds nothing any more.
    ///
    /// - Returns: how many mails were held by lost senders.
    func recover(again: Repeatable) async throws -> Int {
        guard try await database.first("select 1 as lost from mail_sender where expires_at < now() limit 1") != nil
        else { return 0 }
        return try await database.transaction { transaction in
            let lost: [MailDispatcher.ID] = try await transaction.query(
                "delete from mail_sender where expires_at < now() returning id"
            ).map { try $0["id"] }
            return try await settle(lost, again: again, in: transaction)
        }
    }

    @discardableResult
    private func settle(
        _ senders: [MailDispatcher.ID], again: Repeatable, in transaction: PostgresTransaction
    ) async throws -> Int {
        try await transaction.execute(
            """
            with unbegun as (
                update outgoing_mail set sender = null, due_at = now(), updated_at = now()
                where sender = any(\(senders)) and state = 'pending'
                returning id
            ), begun as (
                update outgoing_mail set sender = null, due_at = now(), updated_at = now(),
                    state = case
                        when case when issue is null then \(again.letters) else \(again.deliveries) end then 'pending'
                        else 'uncertain' end,
                    class = null,
                    reply = 'the sender was lost while the message went out'
                where sender = any(\(senders)) and state = 'sending'
                returning id
            )
            select id from unbegun union all select id from begun
            """)
    }

    // MARK: What there is to do

    /// The channel on which senders hear that there is something to send.
    static let channel = "content_mail"

    /// Wakes senders when the transaction commits.
    static func notify(in transaction: PostgresTransaction) async throws {
        try await transaction.query("select pg_notify(\(channel), '')")
    }

    /// The lanes with mails that may be claimed, now or later, and the seconds until then.
    func lanes(with mails: MailDispatcher.Mails = .all) async throws -> [(lane: String, wait: Double)] {
        try await database.query(
            """
            with waiting as (
                select issue.id as issue, kept.lane from issue join delivery_count kept on kept.issue = issue.id
                where issue.state = 'sending' and frozen_at is not null and kept.state = 'pending'
                group by issue.id, kept.lane having sum(kept.count) > 0
            ), due as (
                select lane, (
                    select due_at from outgoing_mail
                    where issue = waiting.issue and lane = waiting.lane and state = 'pending'
                    order by due_at limit 1) as due_at
                from waiting where \(mails != .letters)
                union all
                select lane, min(due_at) from outgoing_mail
                where issue is null and state = 'pending' and \(mails != .deliveries) group by lane
            )
            select due.lane, greatest(0, extract(epoch from
                greatest(min(due.due_at), min(wait_until)) - now()))::double precision as wait
            from due left join mail_lane on code = due.lane
            where due.due_at < 'infinity' and coalesce(mail_lane.state, 'open') <> 'paused'
            group by due.lane order by wait
            """
        ).map { (try $0["lane"], try $0["wait"]) }
    }

    /// Ends what has passed its deadline, some at a time: a letter has expired, a delivery has failed.
    func expire() async throws -> Int {
        try await database.execute(
            """
            update outgoing_mail set state = case when issue is null then 'expired' else 'failed' end, updated_at = now(),
                reply = left('not accepted within its time' || coalesce('; ' || reply, ''), 500)
            where id = any(array(
                select id from outgoing_mail where state = 'pending' and deadline < now() and sender is null
                limit 1000 for update skip locked))
            """)
    }

    // MARK: A connection's mails

    private static let common: SQL = """
        mail.id, mail.issue, mail.audience, attempt, class as "lastClass", email, name
        """

    /// Claims letters that are due in a lane, the most urgent first. Suppressed ones end here, as many as are found: one
    /// whose turn came would cost its connection.
    func claimLetters(
        _ lane: String, for sender: MailDispatcher.ID, atMost limit: Int, in transaction: PostgresTransaction
    ) async throws -> [OutgoingMail] {
        try await transaction.query(
            """
            with due as (
                select id, due_at from outgoing_mail
                where issue is null and lane = \(lane) and state = 'pending' and due_at <= now() and deadline > now()
                order by priority, due_at limit \(limit) for update skip locked
            ), claimed as (
                update outgoing_mail mail set
                    state = case when is_suppressed then 'suppressed' else 'pending' end,
                    sender = case when is_suppressed then null else \(sender) end,
                    due_at = 'infinity', updated_at = now()
                from (
                    select due.id, due.due_at, \(SuppressionStore.holds("letter.email", for: "letter.consent")) as is_suppressed
                    from due join letter using (id)
                ) as next
                where mail.id = next.id
                returning mail.*, next.due_at as was_due
            )
            select \(Self.common), letter.created_at as "createdAt", reply_to as "replyTo", consent, subject, paragraphs,
                action_label as "actionLabel", action_url as "actionURL",
                exists (select from letter_attachment where letter = mail.id) as "hasFiles",
                exists (select from issue_test where letter = mail.id) as "isTest"
            from claimed mail join letter using (id) where state = 'pending'
            order by priority, was_due
            """
        ).decode(OutgoingMail.self)
    }

    /// Claims deliveries that are due in a lane, those of the earliest issue first.
    func claimDeliveries(
        _ lane: String, for sender: MailDispatcher.ID, atMost limit: Int, in transaction: PostgresTransaction
    ) async throws -> [OutgoingMail] {
        try await transaction.query(
            """
            with due as (
                select mail.id, running.content_version from (
                    select id, number, content_version from issue where state = 'sending' and frozen_at is not null
                ) as running cross join lateral (
                    select id from outgoing_mail
                    where issue = running.id and lane = \(lane) and state = 'pending' and due_at <= now()
                        and deadline > now()
                    order by due_at limit \(limit) for update skip locked
                ) as mail
                order by running.number limit \(limit)
            )
            update outgoing_mail mail set sender = \(sender), due_at = 'infinity', updated_at = now()
            from due join delivery using (id) where mail.id = due.id
            returning \(Self.common), delivery.created_at as "createdAt", delivery.kinds,
                due.content_version as "contentVersion"
            """
        ).decode(OutgoingMail.self)
    }

    /// Frees mails that were claimed but not begun.
    func release(_ mails: [MailMessage.ID], by sender: MailDispatcher.ID) async throws {
        try await database.execute(
            """
            update outgoing_mail set sender = null, due_at = now(), updated_at = now()
            where id = any(\(mails)) and sender is not distinct from \(sender) and state = 'pending'
            """)
    }

    // MARK: Turns

    private static let isSuppressed = SuppressionStore.holds(
        "coalesce(delivery.email, letter.email)",
        for: "case when letter.id is null then 'flashInfo' else letter.consent end")

    /// What the connections of a process end and begin in one turn, in one statement, and so in one commit. Repeating it
    /// changes nothing more.
    ///
    /// The sender is compared so that no index has it: the planner would take the mails that a sender holds for few, and
    /// look through them for each that is named.
    ///
    /// A mail is begun only if the sender still holds it, its issue and its lane are not paused, its issue has not been
    /// corrected since it was claimed, its deadline has not passed and its address is not suppressed.
    ///
    /// - Returns: the mails that were begun.
    func turn(
        _ endings: [MailEnding], _ beginnings: [MailBeginning], by sender: MailDispatcher.ID
    ) async throws -> Set<MailMessage.ID> {
        let rows = try await database.write(
            """
            with ended as (
                update outgoing_mail mail set state = said.state, class = said.class, reply = said.reply, sender = null,
                    attempt = attempt - case when said.counts or mail.state = 'pending' then 0 else 1 end
                        + case when said.counts and mail.state = 'pending' then 1 else 0 end,
                    due_at = now() + make_interval(secs => said.wait), updated_at = now()
                from unnest(
                    \(endings.map(\.id)), \(endings.map(\.state))::text[], \(endings.map(\.replyClass))::text[],
                    \(endings.map(\.reply)), \(endings.map(\.wait)), \(endings.map(\.counts))
                ) as said (id, state, class, reply, wait, counts)
                where mail.id = said.id and mail.sender is not distinct from \(sender)
            ), begun as (
                update outgoing_mail mail set
                    state = case when is_suppressed then 'suppressed' else 'sending' end,
                    attempt = mail.attempt + case when is_suppressed then 0 else 1 end,
                    sender = case when is_suppressed then null else mail.sender end, updated_at = now(),
                    content_version = case when is_suppressed then mail.content_version
                                           else nullif(next.content_version, 1) end
                from (
                    select next.id, next.attempt, next.content_version, \(Self.isSuppressed) as is_suppressed
                    from unnest(
                        \(beginnings.map(\.id)), \(beginnings.map(\.attempt)),
                        \(beginnings.map(\.contentVersion))::integer[]
                    ) as next (id, attempt, content_version)
                        left join delivery using (id) left join letter using (id)
                ) as next
                where mail.id = next.id and mail.sender is not distinct from \(sender) and mail.state = 'pending' and mail.deadline > now()
                    and (mail.issue is null
                        or exists (
                            select from issue
                            where issue.id = mail.issue and issue.state = 'sending'
                                and issue.content_version = next.content_version))
                    and not exists (select from mail_lane where code = mail.lane and mail_lane.state = 'paused')
                returning mail.id, mail.state
            )
            select id from begun where state = 'sending'
            union all
            select mail.id
            from unnest(\(beginnings.map(\.id)), \(beginnings.map(\.attempt))) as next (id, attempt)
                join outgoing_mail mail using (id)
            where mail.sender is not distinct from \(sender) and mail.state = 'sending' and mail.attempt = next.attempt + 1
            """)
        return Set(try rows.map { try $0["id"] })
    }
}
