import ClubProtocol
import Postgres
import ServiceKit

/// Does what follows from what came back: an address that is gone or complained is not mailed any more. An address
/// counts, not a person: a changed one begins at zero.
struct MailReports: Sendable {
    /// An address whose mailbox is full, or that cannot be reached for another reason that may pass, is given up after so
    /// many issues in a row, over at least so many days: a fortnight's absence gives nobody up.
    private static let mostSoftBounces = 5
    private static let softDays = 60

    private static let atOnce = 200

    let database: PostgresClient

    func mount(on builder: inout ServiceBuilder) {
        builder.schedule("apply-mail-reports", .every(.seconds(1))) { _ in
            while try await database.transaction(apply) == Self.atOnce {}
        }
    }

    /// - Returns: how many reports there were.
    @Sendable func apply(in transaction: PostgresTransaction) async throws -> Int {
        let due = try await MailReportStore.claim(atMost: Self.atOnce, in: transaction)
        var reasons: [EmailAddress: Suppression.Reason] = [:]
        for report in due {
            guard let reason = try await suppression(after: report, in: transaction) else { continue }
            if reasons[report.email] != .complaint { reasons[report.email] = reason }
        }
        if !reasons.isEmpty {
            try await SuppressionStore.add(
                reasons.map { .init(email: $0, reason: $1) }, by: .service(.content), in: transaction)
        }
        // Who asked for a letter learns that it came back.
        try await transaction.record(
            due.filter(\.isLetter).map { .init(.changed, .letter, $0.mail) }, by: .service(.content))
        return due.count
    }

    private func suppression(
        after report: MailReportStore.Due, in transaction: PostgresTransaction
    ) async throws -> Suppression.Reason? {
        switch report.kind {
        case .complaint: return .complaint
        case .departure: return nil
        case .bounce:
            guard !report.tookLater else { return nil }
            if report.isHard == true { return .bounced }
            let bounces = try await MailReportStore.softBounces(of: report.email, atMost: 50, in: transaction)
            guard bounces.count >= Self.mostSoftBounces, let last = bounces.first, let first = bounces.last,
                first.advanced(by: .seconds(Self.softDays * 86_400)) <= last
            else { return nil }
            return .bounced
        }
    }
}
