import ClubProtocol
import Postgres
import ServiceKit

/// Issues a receipt with the payment that completes a contribution; its letter is sent by ``ReceiptRoutes``.
struct ReceiptIssuer: Sendable {
    static let letter = JobKind<Receipt.ID>("receipt.letter", maximumAttempts: 500)

    let backend: Backend

    /// With the job that mails it, if this contribution is paid and has none.
    func issue(
        for contribution: Contribution.ID, by principal: Principal, in transaction: PostgresTransaction
    ) async throws {
        guard let receipt = try await ReceiptStore.issue(for: contribution, in: transaction) else { return }
        try await transaction.record(.created, .receipt, receipt, by: principal)
        try await backend.jobs.enqueue(Self.letter, receipt, unique: receipt.text, in: transaction)
    }
}
