import ClubProtocol
import Postgres
import ServiceKit

/// What memberships cost for a year: numbered without gaps, and cancelled instead of deleted.
enum ContributionStore {
    /// A member whose contribution for a year has not been called.
    struct Candidate: Decodable {
        var organization: Organization.ID
        var membership: Membership.ID
        /// In cents.
        var amount: Int
        /// What a whole year of its tier costs, in cents.
        var fee: Int
    }

    /// What an organization was called for in a year.
    struct Called {
        /// The contribution that is not a complement.
        var base: Contribution.ID
        /// In cents: the full-year price, at that time, of the most expensive tier called for.
        var fee: Int
    }

    private static let columns: SQL = """
        id, organization, membership, year, complements, number, \(SQL.money("amount")) as amount, \(SQL.money("paid")) as paid,
        \(state) as state,
        called_on as "calledOn", due_on as "dueOn", cancelled_on as "cancelledOn",
        cancellation_reason as "cancellationReason", \(receipt) as receipt,
        version, created_at as "createdAt", updated_at as "updatedAt"
        """

    /// From its days and amounts; for a row of `contribution`.
    static let state: SQL = """
        case when cancelled_on is not null then 'cancelled' when paid = amount then 'paid'
            when due_on < directory.today() then 'overdue' when paid > 0 then 'partlyPaid' else 'due' end
        """

    /// The number of its latest receipt, as printed there; null if there is none.
    static let receipt: SQL = """
        (select receipt.year || '-' || receipt.number from receipt
        where receipt.contribution = contribution.id and \(ReceiptStore.isLatest))
        """

    // MARK: The yearly call

    /// Locks the year's counter until the end of the transaction, and returns the last number. A concurrent call of the
    /// same year waits here, and then sees what the first has called.
    static func lock(_ year: Int, in transaction: PostgresTransaction) async throws -> Int {
        try await transaction.execute(
            "insert into contribution_counter (year) values (\(year)) on conflict do nothing")
        let row = try await transaction.first("select last from contribution_counter where year = \(year) for update")
        return try row?["last"] ?? 0
    }

    /// The last number given in a year, for callers that give none themselves.
    static func last(_ year: Int, in transaction: PostgresTransaction) async throws -> Int {
        let row = try await transaction.first("select last from contribution_counter where year = \(year)")
        return try row?["last"] ?? 0
    }

    /// The members on a day of the year whose tier has a price and who have not been called; by name.
    static func candidates(_ year: Int, in transaction: PostgresTransaction) async throws -> [Candidate] {
        try await transaction.query(
            """
            select organization, membership, fee as amount, fee from (
                select distinct on (membership.organization)
                    membership.organization, membership.id as membership, tier.fee
                from membership join tier on tier.code = membership.tier
                where membership.during && daterange(make_date(\(year)::integer, 1, 1), make_date(\(year)::integer, 12, 31), '[]')
                    and tier.fee > 0
                    and not exists (
                        select from contribution
                        where contribution.organization = membership.organization and contribution.year = \(year)
                            and cancelled_on is null)
                order by membership.organization, membership.from_day desc
            ) as candidate join organization on organization.id = candidate.organization
            order by organization.sort_key, organization.id
            """
        ).decode(Candidate.self)
    }

    /// Creates the contributions, numbered from the one after `last`.
    static func insert(
        _ candidates: [Candidate], ids: [Contribution.ID], year: Int, dueOn: Day, after last: Int,
        in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            insert into contribution (id, organization, membership, year, number, amount, fee, called_on, due_on)
            select id, organization, membership, \(year), \(last) + place, amount, fee, directory.today(), \(dueOn)
            from unnest(
                \(ids), \(candidates.map(\.organization)), \(candidates.map(\.membership)), \(candidates.map(\.amount)),
                \(candidates.map(\.fee))
            ) with ordinality as called (id, organization, membership, amount, fee, place)
            """)
        try await transaction.execute(
            "update contribution_counter set last = \(last + candidates.count) where year = \(year)")
    }

    // MARK: Change of tier within the year

    /// What was called for an organization's year up to a day of it; nil if nothing was called. The caller holds the
    /// lock on the year's counter.
    static func called(
        _ organization: Organization.ID, until day: Day, in transaction: PostgresTransaction
    ) async throws -> Called? {
        // A concurrent cancellation waits for this, or this for it.
        let rows = try await transaction.query(
            """
            select contribution.id, complements is null as "isBase",
                case when complements is null or membership.from_day <= \(day)::date then coalesce(fee, amount) end as fee
            from contribution join membership on membership.id = contribution.membership
            where contribution.organization = \(organization) and year = \(day.year) and cancelled_on is null
            order by complements is not null, contribution.id for no key update of contribution
            """)
        guard let first = rows.first, try first["isBase"] else { return nil }
        let fees = try rows.compactMap { try $0.optional("fee", as: Int.self) }
        return Called(base: try first["id"], fee: fees.max() ?? 0)
    }

    /// Calls the price difference to another tier, with the number after `last`; the caller holds the lock on the
    /// year's counter.
    ///
    /// - Parameter base: the contribution that it complements; nil if the tier before was free, and this is the year's
    ///   first.
    static func complement(
        _ id: Contribution.ID, of member: Candidate, beside base: Contribution.ID?, year: Int, dueOn: Day,
        after last: Int, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            "update contribution_counter set last = \(last + 1) where year = \(year)")
        try await transaction.execute(
            """
            insert into contribution (
                id, organization, membership, year, complements, number, amount, fee, called_on, due_on)
            values (
                \(id), \(member.organization), \(member.membership), \(year), \(base), \(last + 1), \(member.amount),
                \(member.fee), directory.today(), \(dueOn))
            """)
    }

    /// Credit carried over to it goes back to the balance, as far as it has not been returned already.
    ///
    /// - Throws: `PostgresError` of constraint `contribution_cancelled_check` while money is paid on it.
    static func cancel(
        _ id: Contribution.ID, because reason: Line, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let row = try await transaction.first(
            "select cancelled_on is not null as cancelled from contribution where id = \(id) for no key update")
        guard let row else { throw Problem(.notFound) }
        guard try !row["cancelled", as: Bool.self] else { throw Problem(.contributionCancelled) }
        let complement = try await transaction.first(
            "select from contribution where complements = \(id) and cancelled_on is null")
        guard complement == nil else { throw Problem(.contributionComplemented) }
        try await transaction.execute(
            """
            insert into payment (id, contribution, amount, paid_on, means)
            select \(Payment.ID()), id, -carried.amount, directory.today(), 'credit'
            from contribution, lateral (
                select least(coalesce(sum(payment.amount), 0), paid) as amount from payment
                where payment.contribution = contribution.id and means = 'credit') as carried
            where id = \(id) and carried.amount > 0
            """)
        return try await transaction.query(
            """
            update contribution set
                cancelled_on = directory.today(), cancellation_reason = \(reason), version = version + 1, updated_at = now()
            where id = \(id)
            returning \(columns)
            """)
    }

    // MARK: Reading

    static func get(
        _ id: Contribution.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + SQL.recordsOfOrganizations(visibleTo: principal)
        return try await executor.query("select \(columns) from contribution where \(rules.all)")
    }

    /// The addresses at which links to a contribution's documents are valid.
    static func addresses(
        of contribution: Contribution.ID, on executor: any PostgresExecutor
    ) async throws -> [EmailAddress] {
        try await AddressStore.addresses(
            .organization, "(select organization from contribution where id = \(contribution))", on: executor)
    }

    /// The condition of the list across all its pages, and of its export.
    static func selection(_ query: ListContributions.Filter, for principal: Principal) -> [SQL] {
        var rules = SQL.recordsOfOrganizations(visibleTo: principal)
        if let organization = query.organization { rules.append("organization = \(organization)") }
        if let year = query.year { rules.append("year = \(year)") }
        switch query.state {
        case .due: rules.append("paid = 0 and due_on >= directory.today() and cancelled_on is null")
        case .partlyPaid: rules.append("paid > 0 and paid < amount and due_on >= directory.today()")
        case .overdue: rules.append("paid < amount and due_on < directory.today() and cancelled_on is null")
        case .paid: rules.append("paid = amount")
        case .cancelled: rules.append("cancelled_on is not null")
        case nil: break
        }
        return rules
    }

    static func list(
        _ query: ListContributions.Query, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = selection(query.filter, for: principal)
        if let after = try page.position(of: Contribution.self) {
            rules.append("(year, id) < (\(after.key)::text::integer, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns) from contribution
            where \(rules.all)
            order by year desc, id desc limit \(page.limit + 1)
            """)
    }

    /// The contributions with these identifiers as they are now, for the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(to_jsonb(found)) as data
        from (select \(columns) from contribution where id = any(\(ids))) as found
        """
    }
}
