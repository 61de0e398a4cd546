import ClubProtocol
import Postgres
import ServiceKit

/// A reader leaves what a mail was for.
enum Departure {
    struct Recipient: Decodable, Sendable {
        var email: EmailAddress
        /// Nil for a letter that nobody can leave.
        var purpose: Suppression.Purpose?
    }

    /// Whom a mail was to, and what it was for; nil if there is no such mail.
    static func recipient(
        of mail: MailMessage.ID, in transaction: PostgresTransaction
    ) async throws -> Recipient? {
        try await transaction.query(
            """
            select email, 'flashInfo' as purpose from delivery where id = \(mail)
            union all
            select email, consent from letter where id = \(mail)
            """
        ).first?.decode(Recipient.self)
    }

    /// - Parameter message: in which they say so.
    /// - Returns: false if there is no such mail, or nothing to leave.
    static func leave(
        _ mail: MailMessage.ID, from message: InboundMessage.ID, in transaction: PostgresTransaction
    ) async throws -> Bool {
        guard let recipient = try await recipient(of: mail, in: transaction), let purpose = recipient.purpose else {
            return false
        }
        // An erased person gets no mail anyway; suppressing the address would store it again.
        if try await !ErasedReaders.contains(recipient.email, in: transaction) {
            try await SuppressionStore.add(
                recipient.email, .unsubscribed, for: purpose, by: .service(.content), in: transaction)
        }
        try await MailReportStore.addDeparture(of: mail, from: message, in: transaction)
        return true
    }
}
