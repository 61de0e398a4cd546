import ClubProtocol
import Postgres
import ServiceKit

/// Follows the content service: what readers say through the link in a mail. Leaving withdraws the consent to what the
/// mail was for, returning gives it again, and the ledger records both.
enum Unsubscriptions {
    /// What a reader said.
    private struct Answer {
        var purpose: Suppression.Purpose
        var agreed: Bool
        var email: EmailAddress
        var at: Timestamp
    }

    /// Applies a batch of the content service's changes, in their order. Idempotent: a newer answer is kept.
    @Sendable static func apply(_ changes: [Change], _ transaction: PostgresTransaction) async throws {
        for change in changes {
            switch change.entity {
            case .suppression:
                guard let notice = try change.data?.decoded(as: SuppressionNotice.self),
                    let time = notice.unsubscribedAt
                else { continue }
                // One without a purpose is of a version of the content service that knew the Flash info only.
                let left = Answer(
                    purpose: notice.purpose ?? .flashInfo, agreed: false, email: notice.email, at: time)
                try await DeclinedAddresses.add([left.email.text], [left.purpose.consent], at: time, in: transaction)
                try await withdraw(left, transaction)
            case .consentReturn:
                guard let notice = try change.data?.decoded(as: ConsentReturn.self) else { continue }
                // The suppression may have ended before it was followed: its data are gone with it, and the ledger
                // would have neither answer.
                try await withdraw(
                    Answer(purpose: notice.purpose, agreed: false, email: notice.email, at: notice.leftAt), transaction)
                try await DeclinedAddresses.remove(
                    notice.email, notice.purpose.consent, until: notice.leftAt, in: transaction)
                try await giveAgain(
                    Answer(purpose: notice.purpose, agreed: true, email: notice.email, at: notice.returnedAt),
                    leftAt: notice.leftAt, transaction)
            default: continue
            }
        }
    }

    private static func withdraw(_ answer: Answer, _ transaction: PostgresTransaction) async throws {
        let purpose = answer.purpose.consent
        try await write(answer, transaction) { entity in
            """
            id in (\(readers(entity, of: answer.email, at: answer.at))) and \(SQL.agreed(to: purpose))
            and (consents -> \(purpose.rawValue)::text ->> 'at')::timestamptz <= \(answer.at)
            """
        }
    }

    /// Only where the latest answer is that the reader left at this address, by the link. It may be older than the last
    /// use of the link, as a mail program and its user may both use it; but one of before the record had the address is
    /// of another mail.
    private static func giveAgain(
        _ answer: Answer, leftAt: Timestamp, _ transaction: PostgresTransaction
    ) async throws {
        let purpose = answer.purpose.consent
        try await write(answer, transaction) { entity in
            """
            id in (\(AddressStore.holders(entity.kind, of: answer.email))) and exists (
                select from consent_entry as entry
                where entry.\(entity.table) = \(entity.table).id and entry.purpose = \(purpose.rawValue)
                    and not entry.agreed and entry.written_by = \(Principal.service(.content).actor)
                    and entry.at = (consents -> \(purpose.rawValue)::text ->> 'at')::timestamptz
                    and entry.at < \(answer.at)
                    and (
                        entry.at >= \(leftAt)
                        or exists (
                            select from directory.address_holding as own
                            where own.record = \(entity.table).id and own.email = lower(\(answer.email))
                                and own.during @> entry.at)))
            """
        }
    }

    /// - Parameter isMeant: the condition on the records that the answer is about.
    private static func write(
        _ answer: Answer, _ transaction: PostgresTransaction, isMeant: (DataSubject.Entity) -> SQL
    ) async throws {
        let purpose = answer.purpose.consent
        let wording = try await ConsentStore.wording(
            purpose, answer.agreed ? answer.purpose.questionOfReturn : answer.purpose.question, in: transaction)
        try await ConsentStore.setProvenance(.own, wording: wording, by: .service(.content), in: transaction)
        for entity in DataSubject.Entity.allCases {
            let written = try await transaction.query(
                """
                update \(entity.table) set consents = consents || jsonb_build_object(
                        \(purpose.rawValue)::text, jsonb_build_object(
                            'agreed', \(answer.agreed)::boolean,
                            'at', directory.rfc3339(\(answer.at)::timestamptz))),
                    version = version + 1, updated_at = now()
                where \(isMeant(entity))
                returning id, version
                """)
            try await transaction.record(
                Journal.Entry.each(.changed, EntityName(entity), written), by: .service(.content))
        }
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

    /// The same for the return by it.
    fileprivate var questionOfReturn: Prose {
        switch self {
        case .flashInfo: "Recevoir de nouveau le Flash info\u{A0}: lien de désinscription d’un envoi."
        case .eventInvitations: "Recevoir de nouveau les invitations\u{A0}: lien de désinscription d’un envoi."
        }
    }
}
