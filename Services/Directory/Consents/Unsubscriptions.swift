import ClubProtocol
import Postgres
import ServiceKit

/// Follows the content service: unsubscribing through the link in a mail withdraws the consent to what the mail was for,
/// and the ledger records it.
enum Unsubscriptions {
    /// Applies a batch of the content service's changes. Idempotent: a newer answer is kept.
    @Sendable static func apply(_ changes: [Change], _ transaction: PostgresTransaction) async throws {
        let notices = try changes.filter { $0.entity == .suppression }.compactMap {
            try $0.data?.decoded(as: SuppressionNotice.self)
        }
        for left in Suppression.Purpose.allCases {
            // One without a purpose is of a version of the content service that knew the Flash info only.
            let notices = notices.filter { ($0.purpose ?? .flashInfo) == left && $0.unsubscribedAt != nil }
            guard !notices.isEmpty else { continue }
            let wording = try await ConsentStore.wording(left.consent, left.question, in: transaction)
            try await ConsentStore.setProvenance(.own, wording: wording, by: .service(.content), in: transaction)
            for notice in notices {
                guard let time = notice.unsubscribedAt else { continue }
                try await DeclinedAddresses.add([notice.email.text], [left.consent], at: time, in: transaction)
                try await withdraw(left.consent, .person, notice.email, at: time, transaction)
                try await withdraw(left.consent, .expert, notice.email, at: time, transaction)
            }
        }
    }

    private static func withdraw(
        _ purpose: Purpose, _ entity: DataSubject.Entity, _ email: EmailAddress, at time: Timestamp,
        _ transaction: PostgresTransaction
    ) async throws {
        let withdrawn = try await transaction.query(
            """
            update \(entity.table) set consents = consents || jsonb_build_object(
                    \(purpose.rawValue)::text, jsonb_build_object(
                        'agreed', false,
                        'at', directory.rfc3339(\(time)::timestamptz))),
                version = version + 1, updated_at = now()
            where id in (\(readers(entity, of: email, at: time))) and \(SQL.agreed(to: purpose))
                and (consents -> \(purpose.rawValue)::text ->> 'at')::timestamptz <= \(time)
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

extension Suppression.Purpose {
    fileprivate var consent: Purpose {
        switch self {
        case .flashInfo: .flashInfo
        case .eventInvitations: .eventInvitations
        }
    }

    /// The text of the link that a reader uses.
    fileprivate var question: Prose {
        switch self {
        case .flashInfo: "Ne plus recevoir le Flash info\u{A0}: lien de désinscription d’un envoi."
        case .eventInvitations: "Ne plus recevoir les invitations\u{A0}: lien de désinscription d’un envoi."
        }
    }
}
