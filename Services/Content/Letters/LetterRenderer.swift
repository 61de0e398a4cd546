import ClubProtocol
import FoundationEssentials
import ServiceKit

/// Renders the mail of a letter: French text and HTML from templates.
struct LetterRenderer: Sendable {
    private let text: Template
    private let html: Template
    private let identity: SenderIdentity?

    init(identity: SenderIdentity? = nil) throws {
        text = try Template(PackageResources.letter_text_mustache, escaping: .none)
        html = try Template(PackageResources.letter_html_mustache, escaping: .html)
        self.identity = identity
    }

    /// - Parameter link: by which the reader leaves what the letter's consent is for.
    func message(
        _ letter: OutgoingMail, from sender: EmailAddress, with files: [Attachment] = [],
        unsubscribing link: UnsubscribeLink? = nil
    ) -> MailMessage {
        let subject = letter.subject ?? ""
        var content: [String: Any] = ["subject": subject, "paragraphs": letter.paragraphs ?? []]
        content.merge(identity.foot) { $1 }
        if let name = letter.name { content["name"] = name }
        if let label = letter.actionLabel, let url = letter.actionURL {
            content["action"] = ["label": label, "url": url]
        }
        if let link { content["unsubscribe"] = link.inText }
        if let preferences = link?.preferences { content["preferences"] = preferences }
        return MailMessage(
            id: letter.id, from: .init(name: "Club de l’économie numérique", address: sender),
            to: .init(name: letter.name, address: letter.email), subject: subject, date: letter.createdAt.date,
            text: text.render(content), html: html.render(content),
            headers: (link?.headers ?? []) + [(name: "Auto-Submitted", value: "auto-generated")],
            replyTo: letter.replyTo.map { .init(name: nil, address: $0) }, attachments: files)
    }

    /// A letter that shows an issue: its text is that of the issue, and it has no link to leave.
    func message(
        _ letter: OutgoingMail, from sender: EmailAddress, showing test: (text: String, html: String)
    ) -> MailMessage {
        MailMessage(
            id: letter.id, from: .init(name: "Club de l’économie numérique", address: sender),
            to: .init(name: letter.name, address: letter.email), subject: letter.subject ?? "",
            date: letter.createdAt.date, text: test.text, html: test.html,
            headers: [(name: "Auto-Submitted", value: "auto-generated")])
    }
}
