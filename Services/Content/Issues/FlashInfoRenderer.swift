import ClubProtocol
import FoundationEssentials
import ServiceKit

/// Renders the mails of an issue: French text and HTML from templates.
struct FlashInfoRenderer: Sendable {
    private let text: Template
    private let html: Template

    init() throws {
        text = try Template(PackageResources.flash_info_text_mustache, escaping: .none)
        html = try Template(PackageResources.flash_info_html_mustache, escaping: .html)
    }

    /// The message for one reader. `unsubscribe` is the signed token that takes the address off the list.
    func message(
        _ issue: Issue, _ audience: Edition.Audience, for delivery: OutgoingMail, from sender: EmailAddress,
        unsubscribe: String, publicURL: String?
    ) -> MailMessage {
        let link = publicURL.map { "\($0)/v1/unsubscriptions/\(unsubscribe)" }
        let mailto = "mailto:\(sender)?subject=desinscription"
        let content: [String: Any] = [
            "number": issue.number,
            "title": issue.title.text,
            "name": delivery.name ?? "",
            "introduction": issue.introduction?.text ?? "",
            "unsubscribe": mailto,
            "items": issue.items.filter { $0.audiences.contains(audience) }.map { item in
                [
                    "kind": Self.french(item.kind), "title": item.title.text, "text": item.text.text,
                    "link": item.link?.text ?? "",
                ]
            },
        ]
        var headers = [
            ("List-Id", "Flash info <flash-info.\(sender.text.split(atByte: UInt8(ascii: "@")).last ?? "club")>"),
            ("List-Unsubscribe", link.map { "<\($0)>, <\(mailto)>" } ?? "<\(mailto)>"),
            ("Auto-Submitted", "auto-generated"),
        ]
        if link != nil { headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")) }
        return MailMessage(
            id: delivery.id, from: .init(name: "Club de l’économie numérique", address: sender),
            to: .init(name: delivery.name, address: delivery.email), subject: issue.title.text,
            date: delivery.createdAt.date,
            text: text.render(content), html: html.render(content),
            headers: headers.map { (name: $0.0, value: $0.1) })
    }

    private static func french(_ kind: IssueItem.Kind) -> String {
        switch kind {
        case .corporate: "Vie du club"
        case .product: "Produits"
        case .technical: "Technique"
        case .marketing: "Marketing"
        case .commercial: "Commercial"
        }
    }
}
