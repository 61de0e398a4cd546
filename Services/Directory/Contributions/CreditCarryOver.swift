import ClubProtocol
import Postgres
import ServiceKit

/// Uses an organization's credit for what it is called for.
struct CreditCarryOver: Sendable {
    let backend: Backend

    private struct CarriedOver: Encodable, Sendable {
        var carriedOver: Int
    }

    /// Uses credit for contributions that have just been called, at most one per organization; those that are fully
    /// paid by it get their receipts.
    ///
    /// - Returns: the amount, in cents.
    func apply(
        to contributions: [Contribution.ID], by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Int {
        let carried = try await CreditStore.carryOver(to: contributions, in: transaction)
        try await transaction.record(
            carried.map {
                .init(
                    .changed, .contribution, $0.contribution, version: $0.version,
                    values: CarriedOver(carriedOver: $0.amount))
            }, by: principal)
        for paid in carried where paid.isPaid {
            try await ReceiptIssuer(backend: backend).issue(for: paid.contribution, by: principal, in: transaction)
        }
        return carried.reduce(0) { $0 + $1.amount }
    }
}
