import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of lanes. Their limits hold over all replicas together, because they are kept here.
struct LaneStore: Sendable {
    let database: PostgresClient
    let mails: OutgoingMailStore

    /// What a connection may send.
    struct Grant: Sendable {
        /// Identifies the connection.
        var id: Identifier<LaneStore>
        var mails: [OutgoingMail]
        /// How often in a row the provider refused us as a sender.
        var refusals: Int
    }

    /// Reserves a connection in a lane, and claims mails for it: letters first, then deliveries.
    ///
    /// - Parameters:
    ///   - kinds: only letters where deliveries must wait, because the last connections are kept free for letters.
    /// - Returns: nil if nothing is due, or the lane's limits do not allow it now.
    func grant(
        _ lane: String, _ rule: LaneRule, for sender: MailDispatcher.ID, of kinds: MailDispatcher.Mails
    ) async throws -> Grant? {
        try await database.transaction { transaction in
            guard let place = try await take(lane, in: transaction) else { return nil }
            let most = max(1, place.isSlowed ? Int(Double(rule.connections) * place.share) : rule.connections)
            let left = most - place.connections
            guard left > 0 else { return nil }
            let limit = min(rule.messagesPerConnection, place.budget(rule))
            guard limit > 0 else { return nil }
            var claimed: [OutgoingMail] = []
            if kinds != .deliveries {
                claimed = try await mails.claimLetters(lane, for: sender, atMost: limit, in: transaction)
            }
            if claimed.isEmpty, kinds != .letters, left > 1 || most == 1 {
                claimed = try await mails.claimDeliveries(lane, for: sender, atMost: limit, in: transaction)
            }
            guard !claimed.isEmpty else { return nil }
            let id = Identifier<LaneStore>()
            try await transaction.execute(
                "insert into mail_connection (id, sender, lane) values (\(id), \(sender), \(lane))")
            try await count(claimed.count, in: lane, in: transaction)
            return Grant(id: id, mails: claimed, refusals: place.refusals)
        }
    }

    /// Ends a connection: what was claimed and not begun is free again, and does not count.
    func end(
        _ connection: Identifier<LaneStore>, in lane: String, leaving mails: [OutgoingMail],
        by sender: MailDispatcher.ID
    ) async throws {
        try await database.transaction { transaction in
            try await transaction.execute("delete from mail_connection where id = \(connection)")
            guard !mails.isEmpty else { return }
            try await transaction.execute(
                """
                update outgoing_mail set sender = null, due_at = now(), updated_at = now()
                where id = any(\(mails.map(\.id))) and sender is not distinct from \(sender)
                    and state = 'pending'
                """)
            try await transaction.execute(
                """
                update mail_lane set minute_claimed = greatest(0, minute_claimed - \(mails.count)),
                    day_claimed = greatest(0, day_claimed - \(mails.count))
                where code = \(lane)
                """)
        }
    }

    // MARK: Limits

    /// A lane at the time of a grant.
    private struct Place {
        var isSlowed: Bool
        var share: Double
        var refusals: Int
        var connections: Int
        var inMinute: Int
        var inDay: Int

        /// How many messages its rates allow now.
        func budget(_ rule: LaneRule) -> Int {
            let minute = rule.messagesPerMinute.map { max(1, Int(Double($0) * share)) - inMinute } ?? .max
            let day = rule.messagesPerDay.map { $0 - inDay } ?? .max
            return min(minute, day)
        }
    }

    /// Locks a lane until the transaction ends; nil if nothing may be sent in it now. One that was slowed and has waited
    /// grows by a tenth.
    private func take(_ lane: String, in transaction: PostgresTransaction) async throws -> Place? {
        try await transaction.execute("insert into mail_lane (code) values (\(lane)) on conflict do nothing")
        let row = try await transaction.first(
            """
            select state, share::double precision as share, refusals, coalesce(wait_until > now(), false) as waits,
                case when minute = date_trunc('minute', now()) then minute_claimed else 0 end as in_minute,
                case when day = current_date then day_claimed else 0 end as in_day
            from mail_lane where code = \(lane) for update
            """)
        guard let row, let state = MailLane.State(rawValue: try row["state"]), state != .paused, try !row["waits"]
        else { return nil }
        let share: Double = try row["share"]
        if state != .open {
            try await transaction.execute(
                """
                update mail_lane set share = least(1, share + 0.1),
                    state = case when share + 0.1 >= 1 then 'open' else 'slowed' end,
                    wait_seconds = case when share + 0.1 >= 1 then 0 else wait_seconds end,
                    reason = case when share + 0.1 >= 1 then null else reason end,
                    version = version + 1, updated_at = now()
                where code = \(lane)
                """)
        }
        // In a statement after the one that waited for the lock, which may not see what its holder has written.
        let open = try await transaction.first(
            "select count(*)::integer as count from mail_connection where lane = \(lane)")
        return Place(
            isSlowed: state != .open, share: share, refusals: try row["refusals"],
            connections: try open?["count"] ?? 0,
            inMinute: try row["in_minute"], inDay: try row["in_day"])
    }

    private func count(_ claimed: Int, in lane: String, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update mail_lane set
                minute_claimed = \(claimed) + case when minute = date_trunc('minute', now()) then minute_claimed else 0 end,
                minute = date_trunc('minute', now()),
                day_claimed = \(claimed) + case when day = current_date then day_claimed else 0 end, day = current_date
            where code = \(lane)
            """)
    }

    // MARK: What providers tell us

    /// The least share of its limits that a provider gets.
    private static let leastShare = 1.0 / 64

    /// Halves the rate, and sends nothing for twice as long as last time, up to an hour.
    func slow(_ lane: String, because reason: String) async throws {
        try await database.execute(
            """
            update mail_lane set share = greatest(share / 2, \(Self.leastShare)),
                state = case when state = 'paused' then 'paused' else 'slowed' end,
                wait_seconds = least(3600, greatest(15, wait_seconds * 2)),
                wait_until = now() + make_interval(secs => least(3600, greatest(15, wait_seconds * 2))),
                reason = left(\(reason), 500), version = version + 1, updated_at = now()
            where code = \(lane) and coalesce(wait_until < now(), true)
            """)
    }

    /// Counts a refusal of us as a sender; after three in a row the lane is closed for an hour.
    ///
    /// - Returns: whether it is closed now.
    func refuse(_ lane: String, because reason: String) async throws -> Bool {
        try await database.write(
            """
            update mail_lane set refusals = case when refusals >= 2 then 0 else refusals + 1 end,
                state = case when state <> 'paused' and refusals >= 2 then 'closed' else state end,
                share = case when refusals >= 2 then greatest(share / 2, \(Self.leastShare)) else share end,
                wait_until = case when refusals >= 2 then now() + interval '1 hour' else wait_until end,
                reason = left(\(reason), 500), version = version + 1, updated_at = now()
            where code = \(lane)
            returning state = 'closed' as closed
            """
        ).first?["closed"] ?? false
    }

    /// Gives a domain a lane of its own, and moves its mails there that wait: only those, since the domain of a mail is
    /// not indexed.
    ///
    /// - Parameter connection: the one that waits for the domain.
    func separate(_ domain: String, from lane: String, with connection: Identifier<LaneStore>) async throws {
        guard lane.hasSameBytes(as: LaneName.other) else { return }
        let own = LaneName.domain(domain)
        try await database.transaction { transaction in
            try await transaction.execute(
                """
                insert into mail_lane (code, state, reason) values (\(own), 'slowed', 'the domain did not answer')
                on conflict (code) do update set updated_at = now()
                """)
            try await transaction.execute("update mail_connection set lane = \(own) where id = \(connection)")
            try await transaction.execute(
                """
                update outgoing_mail mail set lane = \(own), updated_at = now()
                from delivery join issue on issue.id = delivery.issue
                where issue.state in ('sending', 'paused') and mail.id = delivery.id
                    and lower(split_part(delivery.email, '@', 2)) = \(domain)
                    and mail.lane = \(lane) and mail.state = 'pending' and mail.sender is null
                """)
            try await transaction.execute(
                """
                update outgoing_mail mail set lane = \(own), updated_at = now()
                from letter
                where mail.id = letter.id and mail.issue is null and mail.state = 'pending' and mail.sender is null
                    and mail.lane = \(lane) and lower(split_part(letter.email, '@', 2)) = \(domain)
                """)
        }
    }

    /// The domains' own lanes, of those that have one.
    static func separated(of domains: [String], on executor: any PostgresExecutor) async throws -> Set<String> {
        Set(
            try await executor.query(
                "select code from mail_lane where code = any(\(domains.map(LaneName.domain)))"
            ).map { try $0["code"] })
    }

    /// Removes lanes of domains that have nothing to send and have not been slow for a day.
    func tidy() async throws {
        try await database.execute(
            """
            delete from mail_lane
            where code like 'domain:%' and state in ('open', 'slowed') and updated_at < now() - interval '1 day'
                and not exists (select from outgoing_mail where lane = code and state = 'pending' and issue is null)
                and not exists (
                    select from delivery_count where lane = code and delivery_count.state = 'pending'
                    group by lane having sum(count) > 0)
            """)
    }

    /// A message was accepted: it no longer refuses us.
    func accept(_ lane: String) async throws {
        try await database.execute("update mail_lane set refusals = 0 where code = \(lane) and refusals > 0")
    }
}
