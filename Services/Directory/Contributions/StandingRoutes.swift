import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/organizations/{organization}/standing`
struct StandingRoutes {
    let backend: Backend

    func mount(on parts: inout ServiceParts) {
        let database = backend.database
        parts.routes.read(GetStanding.self) { call in
            let organization = call.path.organization
            // Somebody else's organization is none.
            guard call.principal.role != .representative || call.principal.organization == organization else {
                throw Problem(.notFound)
            }
            return try .row(
                try await database.query(Self.standing(of: organization, on: call.query.asOf ?? .today)))
        }
    }

    /// By the facts of the day: memberships that hold, contributions that had been called, payments that had come.
    /// No row for who has never been a member by then.
    private static func standing(of organization: Organization.ID, on day: Day) -> SQL {
        """
        select
            case when held.id is null then 'lapsed' when owed.overdue > 0 then 'late' else 'active' end as status,
            held.id as membership, held.tier,
            case when held.id is not null then json_build_object(
                'monthlySeats', held.monthly_seats, 'workshopSeats', held.workshop_seats,
                'insertions', held.insertions) end as entitlements,
            \(ContributionStore.money("owed.amount")) as owed
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
                    select sum(payment.amount) from payment
                    where payment.contribution = contribution.id and payment.paid_on <= \(day)::date), 0) as rest
                from contribution where organization = \(organization) and called_on <= \(day)::date
            ) as called
        ) as owed
        where exists (
            select from membership where organization = \(organization) and from_day <= \(day)::date)
        """
    }
}
