import ClubProtocol
import Postgres
import ServiceKit

/// Follows the content service: unsubscribing from the Flash info through the link in a mail withdraws the consent, and
/// the ledger records it.
enum Unsubscriptions {
    /// The text of the link that a reader uses.
    private static let question: Prose = "Ne plus recevoir le Flash info\u{A0}: lien de désinscription d’un envoi."

    /// Applies a batch of the content service's changes. Idempotent: a newer answer is kept.
    @Sendable static func apply(_ changes: [Change], _ transaction: PostgresTransaction) async throws {
        let notices = try changes.filter { $0.entity == .suppression }.compactMap {
            try $0.data?.decoded(as: SuppressionNotice.self)
        }
        guard notices.contains(where: { $0.unsubscribedAt != nil }) else { return }
        let wording = try await ConsentStore.wording(.flashInfo, question, in: transaction)
        try await ConsentStore.setProvenance(.own, wording: wording, by: .service(.content), in: transaction)
        for notice in notices {
            guard let time = notice.unsubscribedAt else { continue }
            try await DeclinedAddresses.add([notice.email.text], [.flashInfo], at: time, in: transaction)
            try await withdraw(.person, notice.email, at: time, transaction)
            try await withdraw(.expert, notice.email, at: time, transaction)
        }
    }

    private static func withdraw(
        _ entity: DataSubject.Entity, _ email: EmailAddress, at time: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        let withdrawn = try await transaction.query(
            """
            update \(entity.table) set consents = consents || jsonb_build_object('flashInfo', jsonb_build_object(
                    'agreed', false,
                    'at', directory.rfc3339(\(time)::timestamptz))),
                version = version + 1, updated_at = now()
            where id in (\(readers(entity, of: email, at: time))) and \(SQL.agreed(to: .flashInfo))
                and (consents -> 'flashInfo' ->> 'at')::timestamptz <= \(time)
            returning id, version
            """)
        try await transaction.record(
            try withdrawn.map {
                .init(.changed, EntityName(entity), try $0["id", as: DataSubject.ID.self], version: try $0["version"])
            }, by: .service(.content))
    }

    /// Whose address it was when the link was used: those who have it now, unless it was someone else's then; and those
    /// who had it then and have given it up since.
    private static func readers(
        _ entity: DataSubject.Entity, of address: EmailAddress, at time: Timestamp
    ) -> SQL {
        let email = address.text.asciiLowercased
        return """
            select id from \(entity.table) as present
            where present.id in (\(AddressStore.holders(entity.kind, of: address))) and (
                exists (
                    select from directory.address_holding as own
                    where own.record = present.id and own.email = \(email) and own.during @> \(time)::timestamptz)
                or not exists (
                    select from directory.address_holding as other
                    where other.email = \(email) and other.record <> present.id and other.during @> \(time)::timestamptz))
            union all
            select record from address_past where email = \(email) and since <= \(time) and \(time) < until
            """
    }
}
