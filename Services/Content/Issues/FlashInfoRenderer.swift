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

    /// The message for one reader.
    ///
    /// - Parameter link: takes the address off the list.
    func message(
        _ issue: Issue, _ audience: Edition.Audience, for delivery: OutgoingMail, from sender: EmailAddress,
        unsubscribing link: UnsubscribeLink
    ) -> MailMessage {
        var content: [String: Any] = [
            "number": issue.number,
            "title": issue.title.text,
            "unsubscribe": link.mailto,
            "items": issue.items.filter { $0.audiences.contains(audience) }.map(Self.content),
        ]
        // What there is not has no place in the content: a template shows an empty text too.
        if let name = delivery.name { content["name"] = name }
        if let introduction = issue.introduction { content["introduction"] = introduction.text }
        let list = "Flash info <flash-info.\(sender.text.split(atByte: UInt8(ascii: "@")).last ?? "club")>"
        return MailMessage(
            id: delivery.id, from: .init(name: "Club de l’économie numérique", address: sender),
            to: .init(name: delivery.name, address: delivery.email), subject: issue.title.text,
            date: delivery.createdAt.date,
            text: text.render(content), html: html.render(content),
            headers: [(name: "List-Id", value: list)] + link.headers + [
                (name: "Auto-Submitted", value: "auto-generated")
            ])
    }

    private static func content(of item: IssueItem) -> [String: Any] {
        var content = ["kind": french(item.kind), "title": item.title.text, "text": item.text.text]
        if let link = item.link { content["link"] = link.text }
        return content
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
