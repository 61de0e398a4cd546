import ClubProtocol
import Postgres
import ServiceKit

/// Finds and ranks the experts for a referral.
///
/// Each expert's record is combined with a prior of some ordinary offers: three of five accepted, three firms satisfied
/// at 60 %. So one good or bad answer changes little, and a newcomer ranks above experts who decline most of what they
/// are sent. An entry is as fresh as its last confirmation: an import that touches it does not show that it is right.
/// Ties are broken by a random order specific to each referral, so that no one is always last.
enum MatchStore {
    /// The experts who could be asked, as a `select`. Département and topics find them by index.
    static func candidates(for referral: Referral) -> SQL {
        """
        select id, name, sub_kind, postal_code, commune, departement, topics, confirmed_at, email from expert
        where departements @> \([referral.departement])::text[] and topics && \(referral.topics)::text[]
            and \(.published)
            and not exists (
                select from referral_offer as offer
                where offer.referral = \(referral.id) and offer.expert = expert.id and \(ReferralOfferStore.isInForce))
        """
    }

    static func list(
        for referral: Referral, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        let place = try page.place(of: 3) { key -> (score: Int, chance: Int, expert: Expert.ID)? in
            guard let score = Int(key[0]), let chance = Int(key[1]), let id = try? Expert.ID(validating: key[2])
            else { return nil }
            return (score, chance, id)
        }
        if let (score, chance, id) = place {
            rules.append("(score, _chance, expert) < (\(score), \(chance), \(id))")
        }
        return try await executor.query(
            """
            select expert, name, sub_kind as "subKind", postal_code as "postalCode", commune, departement, score, topics,
                nearness, freshness, acceptance, is_mailed as "isMailed", satisfaction, _chance
            from (
                select candidate.id as expert, name, sub_kind, postal_code, commune, departement, known.topics, nearness,
                    freshness, acceptance, candidate.email is not null as is_mailed, satisfaction,
                    hashtextextended(candidate.id::text, hashtextextended(\(referral.id)::text, 0)) as _chance,
                    round((35 * known.topics + 25 * nearness + 10 * freshness + 15 * acceptance + 15 * satisfaction)
                        / 100.0)::bigint as score
                from (\(candidates(for: referral))) as candidate
                cross join lateral (
                    select 1000 * count(*) / \(referral.topics.count) as topics
                    from unnest(\(referral.topics)::text[]) as wanted where wanted = any(candidate.topics)
                ) as known
                cross join lateral (
                    select case
                        when postal_code = \(referral.postalCode) then 1000
                        when left(postal_code, 3) = left(\(referral.postalCode)::text, 3) then 900
                        when departement = \(referral.departement) then 700
                        else 300 end as nearness
                ) as place
                cross join lateral (
                    select round(1000 * power(0.5, greatest(
                        directory.today() - (confirmed_at at time zone 'Europe/Paris')::date, 0) / 365.0))::bigint as freshness
                ) as age
                cross join lateral (
                    select
                        round(1000.0 * (count(*) filter (where state in ('accepted', 'done', 'abandoned')) + 3)
                            / (count(*) filter (where state not in ('sent', 'withdrawn')) + 5))::bigint as acceptance,
                        round(1000.0 * (coalesce(sum((offer.satisfaction - 1) / 4.0), 0) + 1.8)
                            / (count(*) filter (where state in ('done', 'abandoned')) + 3))::bigint as satisfaction
                    from referral_offer as offer where offer.expert = candidate.id
                ) as record
            ) as match
            where \(rules.all)
            order by score desc, _chance desc, expert desc limit \(page.limit + 1)
            """)
    }
}
