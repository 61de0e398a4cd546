import ClubProtocol
import Postgres
import ServiceKit

extension ExportTable {
    /// Who has not got an issue, in the order of the list, as people in the club read it.
    static let missed = ExportTable(
        columns: [
            .init("motif", french(MissedStore.reason, MissedDelivery.Reason.allCases, \.french)),
            .init("adresse", "delivery.email"), .init("nom", "delivery.name"),
            .init("édition", french("mail.audience", Edition.Audience.allCases, \.french)),
            .init("tentatives", "mail.attempt::text"), .init("dernière réponse", "mail.reply"),
            .init("date", "to_char(mail.updated_at at time zone 'Europe/Paris', 'YYYY-MM-DD HH24:MI')"),
        ],
        source: "outgoing_mail mail join delivery using (id)",
        order: .init(first: ("mail.issue", "uuid"), second: ("mail.id", "uuid")))

    /// The words for the values of an expression.
    private static func french<Value: RawRepresentable<String>>(
        _ expression: SQL, _ values: [Value], _ word: (Value) -> String
    ) -> SQL {
        let words: [SQL] = values.map { "when \($0.rawValue) then \(word($0))" }
        return "case \(expression) \(words.joined(separator: " ")) end"
    }
}

extension MissedDelivery.Reason {
    fileprivate var french: String {
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
        }
    }
}

extension Edition.Audience {
    fileprivate var french: String {
        switch self {
        case .ambassadors: "ambassadeurs"
        case .experts: "experts"
        }
    }
}
