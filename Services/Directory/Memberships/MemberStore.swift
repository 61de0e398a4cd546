import ClubProtocol
import Postgres
import ServiceKit

/// The standing of organizations with the club, from the facts of a day: the memberships in force, the contributions
/// called, and the payments received.
enum MemberStore {
    /// No row for an organization that has never been a member by then.
    static func standing(
        of organization: Organization.ID, on day: Day, executor: any PostgresExecutor
    ) async throws -> Rows {
        try await executor.query(standing(of: "\(organization)", on: day))
    }

    /// What a caller may see: a representative only its own organization.
    private static func visible(to principal: Principal) -> [SQL] {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: []
        case .representative: ["organization.id = \(principal.organization)"]
        case .ambassador, .expert: ["false"]
        }
    }

    /// The present and former members, each with its standing on the day of a query.
    static func source(_ query: ListMembers.Filter) -> SQL {
        let day = query.asOf ?? .today
        return "organization cross join lateral (\(standing(of: "organization.id", on: day))) as standing"
    }

    /// The first day of an organization's first membership.
    static let since: SQL = "(select min(from_day) from membership where organization = organization.id)"

    /// The condition of the list across all its pages, and of its export.
    static func selection(_ query: ListMembers.Filter, for principal: Principal) -> [SQL] {
        let day = query.asOf ?? .today
        var rules =
            visible(to: principal) + [
                "organization.id in (select organization from membership where from_day <= \(day)::date)"
            ]
        if let kind = query.kind { rules.append("organization.kind = \(kind)") }
        if let tier = query.tier { rules.append("standing.tier = \(tier)") }
        if let status = query.status { rules.append("standing.status = \(status)") }
        return rules
    }

    static func list(
        _ query: ListMembers.Query, _ page: PageRequest, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = selection(query.filter, for: principal)
        if let after = try page.position(of: Organization.self) {
            rules.append("(organization.sort_key, organization.id) > (\(after.key), \(after.id))")
        }
        return try await executor.query(
            """
            select organization.id as organization, organization.name, organization.kind, standing.status,
                standing.membership, standing.tier, standing.owed,
                \(since) as since,
                organization.sort_key as "_key"
            from \(source(query.filter))
            where \(rules.all)
            order by organization.sort_key, organization.id limit \(page.limit + 1)
            """)
    }

    private static func standing(of organization: SQL, on day: Day) -> SQL {
        """
        select
            case when held.id is null then 'lapsed' when owed.overdue > 0 then 'late' else 'active' end as status,
            held.id as membership, held.tier,
            case when held.id is not null then json_build_object(
                'monthlySeats', held.monthly_seats, 'workshopSeats', held.workshop_seats,
                'insertions', held.insertions) end as entitlements,
            \(SQL.money("owed.amount")) as owed
        from (select) as one
        left join lateral (
            select membership.id, membership.tier, tier.monthly_seats, tier.workshop_seats, tier.insertions
            from membership join tier on tier.code = membership.tier
            where membership.organization = \(organization) and membership.during @> \(day)::date
        ) as held on true
        cross join lateral (
            select coalesce(sum(rest), 0) as amount, count(*) filter (where rest > 0 and due_on < \(day)::date) as overdue
            from (
                select due_on, amount - coalesce((
                    select sum(payment.amount - payment.credited) from payment
                    where payment.contribution = contribution.id and payment.paid_on <= \(day)::date), 0) as rest
                from contribution
                where contribution.organization = \(organization) and called_on <= \(day)::date
                    and (cancelled_on is null or cancelled_on > \(day)::date)
            ) as called
        ) as owed
        where exists (
            select from membership where membership.organization = \(organization) and from_day <= \(day)::date)
        """
    }
}
