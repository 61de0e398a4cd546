import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of offers. Every change of one locks its referral first (`ReferralStore.lock(_:for:in:)`).
enum ReferralOfferStore {
    /// An offer past its deadline has expired, whether or not the scheduled job has processed it.
    static let state: SQL = """
        case when offer.state = 'sent' and answer_by < directory.today() then 'expired' else offer.state end
        """

    /// Whether an offer keeps its expert from being asked again, as in the index `referral_offer_once`: one without an
    /// answer, or one that was answered. An expert whose offer was withdrawn or expired may be asked again.
    static let isInForce: SQL = "offer.state not in ('withdrawn', 'expired')"

    private static func columns(for principal: Principal) -> SQL {
        let firm: SQL =
            principal.role == .expert
            ? "case when offer.state in ('accepted', 'done') then \(ReferralStore.firm) end" : ReferralStore.firm
        return """
            offer.id, offer.referral, offer.expert, \(state) as state, referral.topics,
            referral.postal_code as "postalCode", referral.departement, referral.description, \(firm) as firm,
            answer_by as "answerBy", answered_at as "answeredAt", satisfaction, amount, note, offer.version,
            offer.created_at as "createdAt", offer.updated_at as "updatedAt"
            """
    }

    /// What a caller may see: an ambassador the offers of its referrals, an expert those sent to it.
    private static func visible(to principal: Principal) -> [SQL] {
        principal.role == .expert ? ["offer.expert = \(principal.organization)"] : ReferralStore.visible(to: principal)
    }

    static func get(
        _ id: ReferralOffer.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let rules = ["offer.id = \(id)"] + visible(to: principal)
        return try await executor.query(
            """
            select \(columns(for: principal))
            from referral_offer as offer join referral on referral.id = offer.referral
            where \(rules.all)
            """)
    }

    /// The condition of a state. An offer past its deadline has expired, even if this is not recorded yet.
    private static func isIn(_ state: ReferralOffer.State) -> SQL {
        switch state {
        case .sent: "offer.state = 'sent' and answer_by >= directory.today()"
        case .expired:
            "offer.id in (select id from referral_offer where state = 'expired' union all "
                + "select id from referral_offer where state = 'sent' and answer_by < directory.today())"
        case .accepted, .declined, .withdrawn, .done, .abandoned: "offer.state = \(state.rawValue)"
        }
    }

    static func list(
        _ query: ListReferralOffers.Query, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = visible(to: principal)
        if let referral = query.referral { rules.append("offer.referral = \(referral)") }
        if let expert = query.expert { rules.append("offer.expert = \(expert)") }
        if let state = query.state { rules.append(isIn(state)) }
        if let after = try page.position(of: ReferralOffer.self) { rules.append("offer.id < \(after.id)") }
        return try await executor.query(
            """
            select \(columns(for: principal))
            from referral_offer as offer join referral on referral.id = offer.referral
            where \(rules.all)
            order by offer.id desc limit \(page.limit + 1)
            """)
    }

    /// The referral of an offer; nil if the caller may not see such an offer.
    static func referral(
        of id: ReferralOffer.ID, for principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Referral.ID? {
        let rules = ["offer.id = \(id)"] + visible(to: principal)
        return try await transaction.first(
            """
            select offer.referral from referral_offer as offer join referral on referral.id = offer.referral
            where \(rules.all)
            """)?["referral"]
    }

    /// Locks experts until the end of the transaction, after their referral: an expert who is leaving concurrently
    /// waits, or has left already.
    static func hold(_ experts: [Expert.ID], in transaction: PostgresTransaction) async throws {
        try await transaction.execute("select from expert where id = any(\(experts)) order by id for share")
    }

    /// Which of these experts have been asked already, by an offer that was neither withdrawn nor expired.
    static func asked(
        _ experts: [Expert.ID], for referral: Referral.ID, in transaction: PostgresTransaction
    ) async throws -> Set<Expert.ID> {
        let rows = try await transaction.query(
            """
            select expert from referral_offer as offer
            where referral = \(referral) and expert = any(\(experts)) and \(isInForce)
            """)
        return Set(try rows.map { try $0["expert", as: Expert.ID.self] })
    }

    /// Asks those of these experts who match.
    ///
    /// - Returns: the newly asked experts.
    static func send(
        _ referral: Referral, to experts: [Expert.ID], ids: [ReferralOffer.ID], answerBy: Day,
        in transaction: PostgresTransaction
    ) async throws -> Set<Expert.ID> {
        let rows = try await transaction.query(
            """
            insert into referral_offer (id, referral, expert, answer_by)
            select chosen.id, \(referral.id), candidate.id, \(answerBy)
            from unnest(\(ids), \(experts)) as chosen (id, expert)
            join (\(MatchStore.candidates(for: referral))) as candidate on candidate.id = chosen.expert
            returning expert
            """)
        return Set(try rows.map { try $0["expert", as: Expert.ID.self] })
    }

    static func get(
        _ ids: [ReferralOffer.ID], for principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await transaction.query(
            """
            select \(columns(for: principal))
            from referral_offer as offer join referral on referral.id = offer.referral
            where offer.id = any(\(ids)) order by offer.id desc
            """)
    }

    /// Records the new state of an offer. The database refuses to take a place that is not free.
    static func transition(
        _ id: ReferralOffer.ID, _ body: ChangeReferralOffer.Body, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            update referral_offer set
                state = \(body.state), satisfaction = \(body.satisfaction), amount = \(body.amount),
                note = coalesce(\(body.note), note), answered_at = coalesce(answered_at, now()),
                version = version + 1, updated_at = now()
            where id = \(id)
            """)
    }

    /// Tells everyone who has not answered that no answer is needed.
    static func withdraw(
        from referral: Referral.ID, in transaction: PostgresTransaction
    ) async throws -> [ReferralOffer.ID] {
        try await transaction.query(
            """
            update referral_offer set state = 'withdrawn', version = version + 1, updated_at = now()
            where referral = \(referral) and state = 'sent'
            returning id
            """
        ).map { try $0["id"] }
    }

    /// Marks offers accepted a month ago as asked for their outcome; those older by a season are not asked any more.
    ///
    /// - Returns: at most a hundred of them.
    static func askOutcomes(in transaction: PostgresTransaction) async throws -> [ReferralOffer.ID] {
        try await transaction.query(
            """
            update referral_offer set outcome_asked_at = now()
            where id in (
                select id from referral_offer
                where state = 'accepted' and outcome_asked_at is null
                    and answered_at between now() - interval '120 days' and now() - interval '30 days'
                order by answered_at limit 100 for update skip locked)
            returning id
            """
        ).map { try $0["id"] }
    }

    /// Locks the referrals for which an expert has an unanswered offer, before the expert leaves.
    static func holdReferrals(of expert: Expert.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            select from referral
            where id in (select referral from referral_offer where expert = \(expert) and state = 'sent')
            order by id for update
            """)
    }

    /// Withdraws every offer that an expert has not answered.
    static func withdraw(
        of expert: Expert.ID, in transaction: PostgresTransaction
    ) async throws -> [(offer: ReferralOffer.ID, referral: Referral.ID)] {
        try await transaction.query(
            """
            update referral_offer set state = 'withdrawn', version = version + 1, updated_at = now()
            where expert = \(expert) and state = 'sent'
            returning id, referral
            """
        ).map { (try $0["id"], try $0["referral"]) }
    }

    /// Ends the offers past their deadline, of at most a hundred referrals, which are locked first.
    static func expire(in transaction: PostgresTransaction) async throws -> [ReferralOffer.ID] {
        try await transaction.query(
            """
            with due as materialized (
                select id from referral
                where exists (
                    select from referral_offer as offer
                    where offer.referral = referral.id and offer.state = 'sent' and answer_by < directory.today())
                order by id limit 100 for update skip locked)
            update referral_offer set state = 'expired', version = version + 1, updated_at = now()
            where referral in (select id from due) and state = 'sent' and answer_by < directory.today()
            returning id
            """
        ).map { try $0["id"] }
    }
}

extension ReferralOffer.State: PostgresEncodable {}
extension ReferralOffer.Amount: PostgresEncodable {}
