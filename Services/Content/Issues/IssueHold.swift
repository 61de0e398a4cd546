import ClubProtocol
import Postgres
import ServiceKit

/// Tells the editors of an issue that the service itself holds, once: in the transaction that holds it.
struct IssueHold: Sendable {
    let editors: Editors

    /// Of an issue that was being sent.
    ///
    /// - Parameter reason: as the issue itself has it.
    func paused(_ issue: Issue, because reason: String, in transaction: PostgresTransaction) async throws {
        try await editors.tell(
            subject: "Flash info n°\u{A0}\(issue.number)\u{A0}: envoi suspendu",
            paragraphs: [
                "L’envoi du Flash info n°\u{A0}\(issue.number), «\u{A0}\(issue.title)\u{A0}», est suspendu. Le continuer "
                    + "pourrait coûter sa réputation au club auprès des messageries.",
                "Le motif, tel que le service l’a noté\u{A0}: \(reason)",
                "Ceux qui l’ont déjà reçu l’ont reçu\u{202F}; les autres attendent. Une fois la cause écartée, l’envoi "
                    + "se poursuit avec «\u{A0}club issue resume \(issue.number)\u{A0}»\u{202F}; «\u{A0}club issue "
                    + "missed \(issue.number)\u{A0}» montre qui ne l’a pas reçu, et pourquoi.",
            ], in: transaction)
    }

    /// Of an issue that could not begin at its time.
    func notBegun(_ issue: Issue, because errors: [IssueFinding], in transaction: PostgresTransaction) async throws {
        try await editors.tell(
            subject: "Flash info n°\u{A0}\(issue.number)\u{A0}: envoi non commencé",
            paragraphs: [
                "Le Flash info n°\u{A0}\(issue.number), «\u{A0}\(issue.title)\u{A0}», n’est pas parti à l’heure prévue. "
                    + "Il est de nouveau un brouillon."
            ] + errors.prefix(15).map { Self.french($0, of: issue) } + [
                "Une fois corrigé, il part tout de suite avec «\u{A0}club issue send \(issue.number)\u{A0}», ou à une "
                    + "autre heure en y ajoutant «\u{A0}--at\u{A0}»."
            ], in: transaction)
    }

    private static func french(_ finding: IssueFinding, of issue: Issue) -> String {
        let title = issue.items.first { $0.id == finding.item }?.title.text ?? ""
        return switch finding.code {
        case .noItem: "L’une des deux éditions n’a aucun article."
        case .noSender: "Les messages ne diraient pas qui les envoie\u{A0}: le réglage SENDER_FILE manque."
        case .resourceEmbargoed: "La ressource de l’article «\u{A0}\(title)\u{A0}» est sous embargo."
        case .resourceExpired: "La ressource de l’article «\u{A0}\(title)\u{A0}» a expiré."
        // Warnings hold nothing up.
        default: finding.detail
        }
    }
}
