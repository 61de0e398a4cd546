import ClubProtocol
import Postgres
import ServiceKit

/// Follows content: who leaves the Flash info by the link in a mail has taken back what was agreed to, and the ledger says so.
enum Unsubscriptions {
    /// What the link says to who uses it.
    private static let question: Prose = "Ne plus recevoir le Flash info : lien de désinscription d'un envoi."

    /// Applies a batch of content's changes. Applied twice, it withdraws once: an answer that is newer stays.
    @Sendable static func apply(_ changes: [Change], _ transaction: PostgresTransaction) async throws {
        let notices = try changes.filter { $0.entity == "suppression" }.compactMap {
            try $0.data?.decoded(as: SuppressionNotice.self)
        }
        guard notices.contains(where: { $0.unsubscribedAt != nil }) else { return }
        let wording = try await ConsentStore.wording(.flashInfo, question, in: transaction)
        try await ConsentStore.say(.own, wording: wording, by: .service(.content), in: transaction)
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
            update \(ConsentStore.table(entity)) set consents = consents || jsonb_build_object('flashInfo', jsonb_build_object(
                    'agreed', false,
                    'at', to_char(\(time)::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))),
                version = version + 1, updated_at = now()
            where lower(email) = lower(\(email.text)) and \(SQL.agreed(to: .flashInfo))
                and (consents -> 'flashInfo' ->> 'at')::timestamptz < \(time)
            returning id, version
            """)
        try await Journal().record(
            try withdrawn.map {
                .init(.changed, entity.rawValue, try $0["id", as: DataSubject.ID.self], version: try $0["version"])
            }, by: .service(.content), in: transaction)
    }
}
