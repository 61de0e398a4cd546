import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of deliveries and suppressions.
///
/// A delivery is claimed for a while and stays `pending`; it becomes `sending` just before its text goes out and ends
/// as soon as the mail server has answered. What is still `sending` when its sender is gone may have been taken.
enum DeliveryStore {
    /// One reader of an edition, as the directory names them.
    struct Reader: Sendable {
        var email: EmailAddress
        var name: String
        /// Whose address it is, where the directory says so.
        var subject: DataSubject?

        init(_ member: AudienceMember) {
            email = member.email
            name = member.name
            subject =
                switch member.entity {
                case .ambassador: member.person.map { DataSubject($0) }
                case .expert: DataSubject(entity: .expert, id: .init(member.id.uuid))
                }
        }
    }

    /// A delivery that a sender has claimed.
    struct Claimed: Decodable, Sendable {
        var id: Delivery.ID
        var audience: Edition.Audience
        var email: EmailAddress
        var name: String?
        var attempts: Int
    }

    /// Adds a delivery for each address that has none in this issue yet; a suppressed address gets one that says so, one
    /// that was erased gets none.
    static func add(
        _ readers: [Reader], issue: Issue.ID, audience: Edition.Audience, in transaction: PostgresTransaction
    ) async throws {
        try await ErasedAddresses.hold(in: transaction)
        try await transaction.execute(
            """
            insert into delivery (id, issue, audience, email, name, state, reader_entity, reader)
            select reader.id, \(issue), \(audience), reader.email, nullif(reader.name, ''),
                case when suppression.email is null then 'pending' else 'suppressed' end, reader.entity, reader.subject
            from unnest(
                \(readers.map { _ in Delivery.ID() })::uuid[], \(readers.map(\.email))::text[],
                \(readers.map(\.name))::text[], \(readers.map { $0.subject?.entity.rawValue })::text[],
                \(readers.map { $0.subject?.id.text })::uuid[]) as reader (id, email, name, entity, subject)
            left join suppression on suppression.email = lower(reader.email)
            where not exists (select from erased_address where hash = address_hash(reader.email))
            on conflict (issue, lower(email)) do nothing
            """)
    }

    /// Claims what is due, for `seconds` seconds.
    static func claim(
        of issue: Issue.ID, _ audience: Edition.Audience, by sender: Identifier<IssueSender>, seconds: Int, limit: Int,
        on database: PostgresClient
    ) async throws -> [Claimed] {
        try await database.query(
            """
            with due as (
                select id from delivery
                where issue = \(issue) and audience = \(audience) and state = 'pending' and next_try_at <= now()
                    and (claimed_until is null or claimed_until < now())
                order by next_try_at, id
                limit \(limit)
                for update skip locked
            )
            update delivery set claim = \(sender), claimed_until = now() + make_interval(secs => \(seconds)),
                updated_at = now()
            from due where delivery.id = due.id
            returning delivery.id, audience, email, name, attempts
            """
        ).decode(Claimed.self)
    }

    /// Says that the text goes out now; false when the delivery is not this sender's any more or was suppressed since.
    static func begin(
        _ delivery: Delivery.ID, by sender: Identifier<IssueSender>, seconds: Int, on database: PostgresClient
    ) async throws -> Bool {
        try await database.query(
            """
            update delivery set
                state = case when exists (select from suppression where suppression.email = lower(delivery.email))
                             then 'suppressed' else 'sending' end,
                attempts = attempts + 1, claimed_until = now() + make_interval(secs => \(seconds)), updated_at = now()
            where id = \(delivery) and claim = \(sender) and state = 'pending'
            returning state
            """
        ).first.map { try $0["state"] == Delivery.State.sending } ?? false
    }

    /// Writes down how it ended; `retryAfter` seconds with `pending` tries again.
    static func end(
        _ delivery: Delivery.ID, by sender: Identifier<IssueSender>, as state: Delivery.State, reply: String?,
        retryAfter: Int = 0, on database: PostgresClient
    ) async throws {
        try await database.execute(
            """
            update delivery set state = \(state), reply = \(reply), claim = null, claimed_until = null,
                next_try_at = now() + make_interval(secs => \(retryAfter)), updated_at = now()
            where id = \(delivery) and claim = \(sender) and state = 'sending'
            """)
    }

    /// Gives back what was claimed and not begun.
    static func release(
        _ deliveries: [Delivery.ID], by sender: Identifier<IssueSender>, retryAfter: Int, on database: PostgresClient
    ) async throws {
        try await database.execute(
            """
            update delivery set claim = null, claimed_until = null,
                next_try_at = now() + make_interval(secs => \(retryAfter)), updated_at = now()
            where id = any(\(deliveries)) and claim = \(sender) and state = 'pending'
            """)
    }

    /// Deals with what a sender before us had in hand: tried again where a second try changes nothing, else uncertain.
    ///
    /// The job of an edition is leased to one sender at a time, so whoever begins has no living predecessor; one that was
    /// only paused finds its claims gone and changes nothing.
    static func settleLost(
        of issue: Issue.ID, _ audience: Edition.Audience, again: Bool, on database: PostgresClient
    ) async throws -> Int {
        try await database.execute(
            """
            update delivery set claim = null, claimed_until = null, updated_at = now(),
                state = case when state = 'pending' or \(again) then 'pending' else 'uncertain' end,
                reply = case when state = 'pending' or \(again) then reply
                             else 'the sender was lost while the message went out' end
            where issue = \(issue) and audience = \(audience) and state in ('pending', 'sending') and claim is not null
            """)
    }

    static func cancelPending(of issue: Issue.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update delivery set state = 'cancelled', claim = null, claimed_until = null, updated_at = now()
            where issue = \(issue) and state = 'pending'
            """)
    }

    /// What is left of an edition: how many deliveries have not ended, and in how many seconds the next one is due.
    static func left(
        of issue: Issue.ID, _ audience: Edition.Audience, on executor: some PostgresExecutor
    ) async throws -> (open: Int, wait: Int) {
        let row = try await executor.query(
            """
            select count(*)::integer as open,
                coalesce(greatest(0, ceil(extract(epoch from
                    min(greatest(next_try_at, coalesce(claimed_until, next_try_at))) - now()))), 0)::integer as wait
            from delivery where issue = \(issue) and audience = \(audience) and state in ('pending', 'sending')
            """
        ).first
        return (try row?["open"] ?? 0, try row?["wait"] ?? 0)
    }

    /// Whether both editions of an issue are resolved and none of its deliveries is open.
    static func isFinished(_ issue: Issue.ID, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.query(
            """
            select (select bool_and(resolved) from edition where issue = \(issue)) and not exists (
                select from delivery where issue = \(issue) and state in ('pending', 'sending')) as finished
            """
        ).first?["finished"] ?? false
    }

    static func list(
        _ issue: Issue.ID, _ query: ListDeliveries.Query, _ page: PageRequest, on database: some PostgresExecutor
    ) async throws -> Rows {
        let state: SQL = if let state = query.state { "and state = \(state)" } else { "" }
        let audience: SQL = if let audience = query.audience { "and audience = \(audience)" } else { "" }
        let after: SQL = if let key = page.after?.first { "and email > \(key)" } else { "" }
        return try await database.query(
            """
            select id, issue, audience, email, name, state, attempts, reply, updated_at as "updatedAt"
            from delivery where issue = \(issue) \(state) \(audience) \(after)
            order by email limit \(page.limit + 1)
            """)
    }

    static func suppress(
        _ email: EmailAddress, _ reason: Suppression.Reason, in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await transaction.query(
            """
            insert into suppression (id, email, reason) values (\(Suppression.ID()), lower(\(email)), \(reason))
            on conflict (email) do update set reason = suppression.reason
            returning id, email, reason, created_at as "createdAt"
            """)
    }

    static func suppressions(_ page: PageRequest, on database: some PostgresExecutor) async throws -> Rows {
        let after: SQL = if let key = page.after?.first { "where email > \(key)" } else { "" }
        return try await database.query(
            """
            select id, email, reason, created_at as "createdAt" from suppression \(after)
            order by email limit \(page.limit + 1)
            """)
    }
}
