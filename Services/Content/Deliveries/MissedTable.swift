import ClubProtocol
import Postgres
import ServiceKit

extension ExportTable {
    static let missedHeaders = [
        "motif", "adresse", "nom", "édition", "tentatives", "dernière réponse", "date",
    ]

    /// Who has not received an issue, in the order of the list, as people in the club read it.
    ///
    /// - Parameter only: if it is one of these reasons, the others are left out.
    static func missed(_ issue: Issue.ID, only reason: MissedDelivery.Reason?) -> ExportTable {
        let cells: [SQL] = [
            french(MissedStore.reason, MissedDelivery.Reason.allCases, \.french), "delivery.email", "delivery.name",
            french("mail.audience", Edition.Audience.allCases, \.french), "mail.attempt::text", "mail.reply",
            "to_char(mail.updated_at at time zone 'Europe/Paris', 'YYYY-MM-DD HH24:MI')",
        ]
        return ExportTable(
            columns: zip(missedHeaders, cells).map { .init($0, $1) },
            source: "\(MissedStore.source(issue, only: reason)) join delivery using (id)",
            order: .init(first: ("mail.issue", "uuid"), second: ("mail.id", "uuid")))
    }

    /// The words for the values of an expression.
    private static func french<Value: RawRepresentable<String>>(
        _ expression: SQL, _ values: [Value], _ word: (Value) -> String
    ) -> SQL {
        let words: [SQL] = values.map { "when \($0.rawValue) then \(word($0))" }
        return "case \(expression) \(words.joined(separator: " ")) end"
    }
}

extension MissedDelivery.Reason {
    var french: String {
        switch self {
        case .waiting: "en attente"
        case .addressGone: "adresse inexistante"
        case .noSuchHost: "domaine sans serveur de messagerie"
        case .refusedSender: "expéditeur refusé"
        case .refused: "refusé"
        case .expired: "délai dépassé"
        case .uncertain: "réception incertaine"
        case .suppressed: "adresse exclue des envois"
        case .cancelled: "envoi annulé"
        case .skipped: "selon les préférences du lecteur"
        case .bounced: "revenu après l’envoi"
        case .late: "arrivé depuis l’envoi"
        }
    }
}

extension Edition.Audience {
    var french: String {
        switch self {
        case .ambassadors: "ambassadeurs"
        case .experts: "experts"
        }
    }
}
