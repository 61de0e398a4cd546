import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/memberships`, `/v1/membership-renewals`
struct MembershipRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateMembership.self, create)
        builder.routes.read(ListMemberships.self, list)
        builder.routes.read(GetMembership.self, get)
        builder.routes.write(ChangeMembership.self, change)
        builder.routes.write(DeleteMembership.self, delete)
        builder.routes.write(ChangeMembershipTier.self, changeTier)
        builder.routes.write(RenewMemberships.self, renew)
        builder.snapshot(.membership, MembershipStore.snapshot)
        mountConstraints(on: &builder)
    }

    private func mountConstraints(on builder: inout ServiceBuilder) {
        builder.routes.constraint(
            "membership_organization_fkey", .invalid("/organization", "unknown organization"))
        builder.routes.constraint("membership_tier_fkey", .invalid("/tier", "unknown tier"))
        builder.routes.constraint(
            "membership_tier_kind", .invalid("/tier", "is for organizations of another kind"))
        builder.routes.constraint("membership_excl", Problem(.membershipOverlaps))
        builder.routes.constraint("contribution_membership_fkey", Problem(.membershipCalled))
        builder.routes.constraint(
            "membership_called_days",
            Problem(
                .membershipCalled,
                "It must keep the days that it has in every year for which a contribution was called on it: it may end earlier, as when "
                    + "a member resigns, or last longer. For other years, enter another membership; where the contribution was "
                    + "called in error, cancel it first."))
        builder.routes.constraint(
            "membership_called_tier",
            Problem(
                .membershipCalled,
                "Its contribution was called at this tier. To change the tier from a day on, use tier-changes; to correct it, cancel the "
                    + "contribution first."))
    }

    @Sendable func create(
        _ call: Call<CreateMembership>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Membership> {
        let id = Membership.ID()
        let rows = try await MembershipStore.create(id, call.body, in: transaction)
        try await transaction.record(.created, .membership, id, version: 1, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func list(_ call: Call<ListMemberships>) async throws -> RouteResponse<Page<Membership>> {
        try .page(
            try await MembershipStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "from", "id")
    }

    @Sendable func get(_ call: Call<GetMembership>) async throws -> RouteResponse<Membership> {
        try .row(try await MembershipStore.get(call.path, for: call.principal, on: backend.database))
    }

    @Sendable func change(
        _ call: Call<ChangeMembership>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Membership> {
        let id = call.path
        let rows = try await MembershipStore.change(id, call.body, at: call.ifMatch, in: transaction)
        try await transaction.record(
            .changed, .membership, id, version: try rows.first?["version"], values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func delete(
        _ call: Call<DeleteMembership>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        let id = call.path
        try await MembershipStore.delete(id, at: call.ifMatch, in: transaction)
        try await transaction.record(.deleted, .membership, id, by: call.principal)
        return .empty
    }

    @Sendable func changeTier(
        _ call: Call<ChangeMembershipTier>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TierChange> {
        .value(
            try await TierChanges(backend: backend).change(
                call.path, call.body, by: call.principal, in: transaction))
    }

    @Sendable func renew(
        _ call: Call<RenewMemberships>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<MembershipRenewal> {
        let year = call.body.year
        let lastYear = Day.today.year + 9
        guard (2000...lastYear).contains(year) else {
            throw Problem.invalid("/year", "must be from 2000 to \(lastYear)")
        }
        let made = try await transaction.retryingAfterMerge { transaction in
            try await RenewalStore.renew(
                try await RenewalStore.ending(year, in: transaction), after: year, in: transaction)
        }
        try await transaction.record(
            made.map { .init(.created, .membership, $0, version: 1, values: call.body) }, by: call.principal)
        return .value(
            MembershipRenewal(
                year: year, renewed: made.count,
                endedEarlier: try await RenewalStore.endedEarlier(year, in: transaction)))
    }
}
