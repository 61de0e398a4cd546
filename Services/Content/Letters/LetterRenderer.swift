import ClubProtocol
import FoundationEssentials
import ServiceKit

/// Renders the mail of a letter: French text and HTML from templates.
struct LetterRenderer: Sendable {
    private let text: Template
    private let html: Template

    init() throws {
        text = try Template(PackageResources.letter_text_mustache, escaping: .none)
        html = try Template(PackageResources.letter_html_mustache, escaping: .html)
    }

    func message(_ letter: LetterStore.Claimed, from sender: EmailAddress) -> MailMessage {
        var content: [String: Any] = ["subject": letter.subject, "paragraphs": letter.paragraphs]
        if let name = letter.name { content["name"] = name }
        if let label = letter.actionLabel, let url = letter.actionURL {
            content["action"] = ["label": label, "url": url]
        }
        return MailMessage(
            id: letter.id, from: .init(name: "Club de l’économie numérique", address: sender),
            to: .init(name: letter.name, address: letter.email), subject: letter.subject, date: Date(),
            text: text.render(content), html: html.render(content),
            headers: [(name: "Auto-Submitted", value: "auto-generated")])
    }
}
