import ClubProtocol
import Postgres
import ServiceKit

/// The tiers of membership, with their yearly prices.
enum TierStore {
    private static let columns: SQL = """
        code, label, kind, \(SQL.money("fee")) as fee, monthly_seats as "monthlySeats",
        workshop_seats as "workshopSeats", insertions, complement, version, created_at as "createdAt", updated_at as "updatedAt"
        """

    static func list(_ page: PageRequest, on executor: any PostgresExecutor) async throws -> Rows {
        var rules: [SQL] = []
        if let after = try page.position { rules.append("(sort_key, code) > (\(after.key), \(after.code))") }
        return try await executor.query(
            """
            select \(columns), sort_key as "_key" from tier
            where \(rules.all)
            order by sort_key, code limit \(page.limit + 1)
            """)
    }

    static func get(_ code: Tier, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from tier where code = \(code)")
    }

    static func create(_ body: CreateTier.Body, in transaction: PostgresTransaction) async throws -> Rows {
        try check(body.fee)
        return try await transaction.query(
            """
            insert into tier (code, label, kind, fee, monthly_seats, workshop_seats, insertions, complement)
            values (
                \(body.code), \(body.label), \(body.kind), \(body.fee.amount), \(body.monthlySeats ?? 0),
                \(body.workshopSeats ?? 0), \(body.insertions ?? 0), \((body.complement ?? .proRata).rawValue))
            returning \(columns)
            """)
    }

    static func change(
        _ code: Tier, _ patch: ChangeTier.Body, at version: Int?, in transaction: PostgresTransaction
    ) async throws -> Rows {
        try check(patch.fee)
        guard
            let row = try await transaction.first("select \(columns) from tier where code = \(code) for update")
        else { throw Problem(.notFound) }
        let tier = try row.decode(TierTerms.self, at: version)
        let kind = patch.kind ?? tier.kind
        return try await transaction.query(
            """
            update tier set
                label = \(patch.label ?? tier.label), kind = \(kind), fee = \((patch.fee ?? tier.fee).amount),
                monthly_seats = \(patch.monthlySeats ?? tier.monthlySeats),
                workshop_seats = \(patch.workshopSeats ?? tier.workshopSeats),
                insertions = \(patch.insertions ?? tier.insertions),
                complement = \((patch.complement ?? tier.complement).rawValue), version = version + 1, updated_at = now()
            where code = \(code)
            returning \(columns)
            """)
    }

    /// The yearly prices of two tiers, in cents, and how the second is complemented.
    struct Fees {
        var old: Int
        var new: Int
        var complement: TierTerms.Complement
    }

    /// - Throws: 422 at `/tier` if one is not found.
    static func fees(from old: Tier, to new: Tier, in transaction: PostgresTransaction) async throws -> Fees {
        let row = try await transaction.first(
            """
            select (select fee from tier where code = \(old)) as old, fee as new, complement from tier
            where code = \(new) for share
            """)
        guard let row, let complement = TierTerms.Complement(rawValue: try row["complement"]) else {
            throw Problem.invalid("/tier", "unknown tier")
        }
        return Fees(old: try row["old"], new: try row["new"], complement: complement)
    }

    private static func check(_ fee: Money?) throws {
        if let fee, !(0...Int(Int32.max)).contains(fee.amount) {
            throw Problem.invalid("/fee/amount", "must be from 0 to 2147483647 cents")
        }
    }
}
