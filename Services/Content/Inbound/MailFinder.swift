import ClubProtocol
import Postgres
import ServiceKit

extension InboundMessage.FoundBy: PostgresEncodable, PostgresDecodable {}

/// Finds the mail that a report is about.
struct MailFinder: Sendable {
    /// A report about an older mail does not name its mail by the recipient alone.
    private static let days = 7

    struct Found: Sendable {
        var mail: MailMessage.ID
        var foundBy: InboundMessage.FoundBy
    }

    let returnPath: ReturnPath?

    /// The first of what names a mail that we have.
    ///
    /// - Parameter byRecipient: whether the recipient is enough. It is not where the report does something in the name of
    ///   its writer: anybody can write as anybody.
    func find(
        _ references: InboundReport.References, byRecipient: Bool, in transaction: PostgresTransaction
    ) async throws -> Found? {
        var candidates: [Found] = []
        if let token = references.returnToken, let mail = returnPath?.mail(of: token) {
            candidates.append(Found(mail: mail, foundBy: .returnToken))
        }
        if let text = references.envelopeID, let mail = try? MailMessage.ID(validating: text.asciiLowercased) {
            candidates.append(Found(mail: mail, foundBy: .envelopeID))
        }
        for messageID in references.messageIDs {
            let left = messageID.split(atByte: UInt8(ascii: "@"))[0].dropFirst()
            guard let mail = try? MailMessage.ID(validating: String(left).asciiLowercased) else { continue }
            candidates.append(Found(mail: mail, foundBy: .messageID))
        }
        let known: [MailMessage.ID] = try await transaction.query(
            "select id from outgoing_mail where id = any(\(candidates.map(\.mail)))"
        ).map { try $0["id"] }
        if let found = candidates.first(where: { known.contains($0.mail) }) { return found }
        guard byRecipient, !references.recipients.isEmpty else { return nil }
        let recipients = references.recipients.map(\.text.asciiLowercased)
        return try await transaction.query(
            """
            select id from (
                select id, updated_at from delivery join outgoing_mail mail using (id)
                where lower(email) = any(\(recipients)) and state in ('sent', 'uncertain')
                union all
                select id, updated_at from letter join outgoing_mail mail using (id)
                where lower(email) = any(\(recipients)) and state in ('sent', 'uncertain')
            ) as mail
            where updated_at > now() - make_interval(days => \(Self.days)::integer)
            order by updated_at desc limit 1
            """
        ).first.map { Found(mail: try $0["id"], foundBy: .recipient) }
    }
}
