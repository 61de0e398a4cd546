import ClubProtocol
import FoundationEssentials
import ServiceKit

/// Renders the mails of an issue: French text and HTML from templates.
struct FlashInfoRenderer: Sendable {
    private let text: Template
    private let html: Template
    private let identity: SenderIdentity?

    init(identity: SenderIdentity? = nil) throws {
        text = try Template(PackageResources.flash_info_text_mustache, escaping: .none)
        html = try Template(PackageResources.flash_info_html_mustache, escaping: .html)
        self.identity = identity
    }

    /// The message for one reader.
    ///
    /// - Parameter link: takes the address off the list.
    func message(
        _ issue: Issue, _ audience: Edition.Audience, for delivery: OutgoingMail, from sender: EmailAddress,
        unsubscribing link: UnsubscribeLink
    ) -> MailMessage {
        let body = body(
            of: issue, showing: { delivery.shows($0, to: audience) }, name: delivery.name, unsubscribe: link.inText,
            preferences: link.preferences)
        let list = "Flash info <flash-info.\(sender.text.split(atByte: UInt8(ascii: "@")).last ?? "club")>"
        return MailMessage(
            id: delivery.id, from: .init(name: "Club de l’économie numérique", address: sender),
            to: .init(name: delivery.name, address: delivery.email), subject: issue.title.text,
            date: delivery.createdAt.date, text: body.text, html: body.html,
            headers: [(name: "List-Id", value: list)] + link.headers + [
                (name: "Auto-Submitted", value: "auto-generated")
            ])
    }

    /// Both parts of a message.
    ///
    /// - Parameters:
    ///   - shows: which items it has.
    ///   - unsubscribe: where its link leads; nil for a test, which has none.
    ///   - preferences: where the reader says what they want.
    func body(
        of issue: Issue, showing shows: (IssueItem) -> Bool, name: String? = nil, unsubscribe: String? = nil,
        preferences: String? = nil
    ) -> (text: String, html: String) {
        var content: [String: Any] = [
            "number": issue.number, "title": issue.title.text, "items": issue.items.filter(shows).map(Self.content),
        ]
        content.merge(identity.foot) { $1 }
        // What there is not has no place in the content: a template shows an empty text too.
        if let name { content["name"] = name }
        if let introduction = issue.introduction { content["introduction"] = introduction.text }
        if let unsubscribe { content["unsubscribe"] = unsubscribe }
        if let preferences { content["preferences"] = preferences }
        return (text.render(content), html.render(content))
    }

    private static func content(of item: IssueItem) -> [String: Any] {
        var content = ["kind": item.kind.french, "title": item.title.text, "text": item.text.text]
        if let link = item.link { content["link"] = link.text }
        return content
    }
}

extension OutgoingMail {
    /// Whether a delivery shows an item, as the deliveries were frozen.
    fileprivate func shows(_ item: IssueItem, to audience: Edition.Audience) -> Bool {
        item.audiences.contains(audience) && kinds?.contains(item.kind) != false
    }
}

extension IssueItem.Kind {
    var french: String {
        switch self {
        case .corporate: "Vie du club"
        case .product: "Produits"
        case .technical: "Technique"
        case .marketing: "Marketing"
        case .commercial: "Commercial"
        }
    }
}
